import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { recordSchemas } from '../../scripts/record-schemas.ts';

const directory = new URL('../../schemas/', import.meta.url);

test('schemas/ is what the definitions say', () => {
  const wanted = recordSchemas();
  expect(readdirSync(directory).sort()).toEqual([...wanted.keys()].sort());
  for (const [name, text] of wanted) {
    expect(readFileSync(new URL(name, directory), 'utf8'), `${name}: run \`npm run schemas\``).toBe(text);
  }
});

test.each([...recordSchemas()])('%s is a schema that a validator takes', (_, text) => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  addFormats.default(ajv);
  expect(() => ajv.compile(JSON.parse(text))).not.toThrow();
});

test('a worker answer that breaks a limit is refused, and one at the limit is not', () => {
  const ajv = new Ajv2020();
  const validate = ajv.compile(JSON.parse(recordSchemas().get('subresult.schema.json') ?? ''));
  const answer = {
    chunk_id: 'c-1',
    relevant: true,
    summary: 's'.repeat(1200),
    confidence: 1,
    evidence: [{ loc: 'a.md:1-2', quote: 'q', note: 'n' }],
    gaps: [],
    errors: [],
  };
  expect(validate(answer)).toBe(true);
  expect(validate({ ...answer, summary: 's'.repeat(1201) })).toBe(false);
  expect(validate({ ...answer, evidence: [{ loc: 'a.md', quote: 'q', note: 'n' }] })).toBe(false);
  expect(validate({ ...answer, extra: 1 })).toBe(false);
});
