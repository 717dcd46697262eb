import { describe, expect, it } from 'vitest';
import { IdIndex } from '../../src/dispatch/index.ts';

describe('the index of ids', () => {
  it('says what a Map says, for ids that look alike', () => {
    const index = new IdIndex();
    const map = new Map<string, number>();
    for (let i = 0; i < 200_000; i += 1) {
      const id = i % 3 === 0 ? `job-${i}` : i % 3 === 1 ? `j.${i.toString(36)}` : `${i}`.padStart(12, '0');
      index.set(id, i);
      map.set(id, i);
      if (i % 5 === 0) {
        index.set(id, i * 2);
        map.set(id, i * 2);
      }
    }
    expect(index.size).toBe(map.size);
    for (const [id, value] of map)
      if (index.get(id) !== value) expect.fail(`${id}: ${index.get(id)} is not ${value}`);
    for (let i = 0; i < 100_000; i += 1) {
      if (index.get(`absent-${i}`) !== undefined) expect.fail(`absent-${i} was found`);
    }
  });
});
