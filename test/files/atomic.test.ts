import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFileAtomic, writeJsonAtomic } from '../../src/files/index.ts';
import { temporaryDirectory } from '../support/runs.ts';

describe('an atomic write', () => {
  it('replaces a file whole, for its owner alone, and leaves nothing beside it', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'a.json');
    writeJsonAtomic(path, { a: 1 });
    writeJsonAtomic(path, { a: '字' }, { sync: true });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ a: '字' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['a.json']);
  });

  it('that cannot be finished leaves the old file and nothing else', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'taken'));
    expect(() => writeFileAtomic(join(directory, 'taken'), 'x')).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(() => writeFileAtomic(join(directory, 'missing', 'x'), 'x')).toThrow(/ENOENT/);
    expect(readdirSync(directory)).toEqual(['taken']);
  });

  it('is never seen half done by a reader in another process', async () => {
    const path = join(temporaryDirectory(), 'state');
    writeFileAtomic(path, 'a'.repeat(100_000));
    const reader = spawn(process.execPath, [
      '-e',
      `const { readFileSync } = require('node:fs');
       for (let i = 0; i < 3000; i += 1) {
         const text = readFileSync(${JSON.stringify(path)}, 'utf8');
         if (!/^(a{100000}|b{100000})$/.test(text)) { console.log('torn', text.length); process.exit(1); }
       }`,
    ]);
    const ended = once(reader, 'exit');
    let going = true;
    ended.then(() => {
      going = false;
    });
    for (let i = 0; going; i += 1) {
      writeFileAtomic(path, (i % 2 === 0 ? 'b' : 'a').repeat(100_000));
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await ended).toEqual([0, null]);
  });
});
