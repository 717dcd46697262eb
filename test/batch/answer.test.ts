import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkAnswer, findJsonObject } from '../../src/batch/answer.ts';
import { compileSchema } from '../../src/batch/schema.ts';

const directory = mkdtempSync(join(tmpdir(), 'rlm-answer-'));
const schemaFile = (value: unknown, name = 'schema.json') => {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
};
const anything = compileSchema(schemaFile({}));
const chunk = {
  chunkId: 'c-1',
  parts: [
    { source: 'docs/other.md', lineStart: 7, text: 'Nothing here.\n' },
    {
      source: 'docs/guide.md',
      lineStart: 41,
      text: 'First line.\nThe limit is 10 items.\nIt can be\nraised in the settings.\n',
    },
  ],
};
const answer = (change: Record<string, unknown> = {}) => ({
  chunk_id: 'c-1',
  relevant: true,
  summary: 'ok',
  confidence: 0.7,
  evidence: [{ loc: 'docs/guide.md:42-42', quote: 'The limit is 10 items.', note: 'the limit' }],
  gaps: [],
  errors: [],
  ...change,
});
const check = (value: unknown, schema = anything) =>
  checkAnswer(typeof value === 'string' ? value : JSON.stringify(value), chunk, schema);

describe('a worker answer', () => {
  it('that quotes what stands in several places gets the place nearest to the one it names', () => {
    const line = 'The same line.';
    const part = { source: 'a.md', lineStart: 10, text: `${line}\nAnother.\n${line}\n${line}\n` };
    const twice = { chunkId: 'c-1', parts: [part, { ...part, source: 'b.md', lineStart: 1 }] };
    const placeOf = (loc: string) => {
      const evidence = [{ loc, quote: line, note: 'n' }];
      const checked = checkAnswer(JSON.stringify(answer({ evidence })), twice, anything);
      return checked.ok ? checked.answer.evidence[0]?.loc : undefined;
    };
    for (const loc of ['a.md:10-10', 'a.md:12-12', 'a.md:13-13', 'b.md:3-3']) expect(placeOf(loc)).toBe(loc);
    for (const loc of ['a.md:14-14', 'a.md:99-99']) expect(placeOf(loc)).toBe('a.md:13-13');
    for (const loc of ['a.md:1-1', 'c.md:12-12']) expect(placeOf(loc)).toBe('a.md:10-10');
  });

  it('is taken as it is when all is well', () => {
    expect(check(answer())).toEqual({
      ok: true,
      answer: answer(),
      detail: { normalised: [], quotes_verified: 1, quotes_missing: 0, quotes_unchecked: 0 },
    });
  });

  it('is filled in and clamped, and says so', () => {
    const long = 'x'.repeat(2000);
    const {
      gaps: _gaps,
      errors: _errors,
      ...bare
    } = answer({
      summary: long,
      evidence: [{ loc: `${long}:1-2`, quote: long }],
    });
    const checked = check(bare);
    if (!checked.ok) expect.fail(checked.errors.join());
    expect(checked.detail.normalised).toEqual([
      'gaps',
      'errors',
      'summary',
      'evidence[0].note',
      'evidence[0].loc',
      'evidence[0].quote',
    ]);
    expect(checked.answer.summary).toHaveLength(1200);
    expect(checked.answer.evidence[0]?.quote).toBe('x'.repeat(320));
    expect(checked.answer.evidence[0]?.loc).toMatch(/^x{508}:1-2$/);
    expect(checked.answer.evidence[0]?.note).not.toBe('');
  });

  it('never keeps half a character or a control sequence', () => {
    const checked = check(answer({ summary: `${'x'.repeat(1199)}😀`, gaps: ['a'] }));
    if (!checked.ok) expect.fail(checked.errors.join());
    expect(checked.answer.summary).toBe('x'.repeat(1199));
    const red = 'red \u001b[31mtext\u0007';
    const clean = check(answer({ summary: red, gaps: [red], errors: [red] }));
    const text = 'red text';
    expect(clean).toMatchObject({ ok: true, answer: { summary: text, gaps: [text], errors: [text] } });
  });

  it('gets the true lines of its quotes, in the lines of the source', () => {
    const checked = check(
      answer({ evidence: [{ loc: 'x:1-1', quote: 'It can be raised in the settings.', note: 'n' }] }),
    );
    expect(checked).toMatchObject({
      ok: true,
      answer: { evidence: [{ loc: 'docs/guide.md:43-44' }] },
      detail: { normalised: ['evidence[0].loc'], quotes_verified: 1 },
    });
  });

  it('keeps a quote that is not in the chunk, and counts it', () => {
    const evidence = [{ loc: 'x:1-1', quote: 'The limit is 11 items.', note: 'n' }];
    expect(check(answer({ evidence }))).toMatchObject({
      ok: true,
      answer: { evidence },
      detail: { quotes_verified: 0, quotes_missing: 1 },
    });
  });

  it.each([
    ['no JSON', 'I cannot do that.', /no JSON object/],
    ['another chunk', answer({ chunk_id: 'c-2' }), /chunk_id is 'c-2' but this chunk is 'c-1'/],
    ['a missing field', { ...answer(), confidence: undefined }, /confidence/],
    ['a field too many', answer({ mood: 'good' }), /mood/],
    ['a confidence out of range', answer({ confidence: 1.5 }), /confidence/],
    [
      'a loc that is none',
      answer({ evidence: [{ loc: 'somewhere', quote: 'q', note: 'n' }] }),
      /evidence\.0\.loc/,
    ],
    ['an empty quote', answer({ evidence: [{ loc: 'x:1-1', quote: '', note: 'n' }] }), /evidence\.0\.quote/],
    [
      'too many quotes',
      answer({ evidence: Array(51).fill({ loc: 'x:1-1', quote: 'q', note: 'n' }) }),
      /evidence/,
    ],
  ])('is refused with the reason: %s', (_, value, reason) => {
    const checked = check(value);
    if (checked.ok) expect.fail('was accepted');
    expect(checked.errors.join('; ')).toMatch(reason);
  });

  it('must satisfy the schema of its job too', () => {
    const schema = compileSchema(
      schemaFile(
        { type: 'object', properties: { summary: { type: 'string', pattern: '^The answer' } } },
        'strict.json',
      ),
    );
    expect(check(answer(), schema)).toEqual({
      ok: false,
      errors: ['/summary must match pattern "^The answer"'],
    });
    expect(check(answer({ summary: 'The answer is 10.' }), schema)).toMatchObject({ ok: true });
  });
});

describe('the JSON in a text', () => {
  it.each([
    ['alone', '{"a":1}'],
    ['fenced', 'Here it is:\n```json\n{"a":1}\n```\nDone.'],
    ['in prose', 'Sure {not json}: {"a":1} as asked'],
    ['before braces of prose', '{"a":1} as {you} asked'],
    ['behind many braces', `${'{} {x} '.repeat(40)}{"a":1}`],
    ['behind another', '{"a":2}\n{"a":1}'],
    ['with white space', '\n\n  {"a":1}\n'],
  ])('is found %s', (_, text) => {
    expect(findJsonObject(text)).toEqual({ a: 1 });
  });

  it('may hold braces and quotes in its strings', () => {
    const value = { a: 'a "}" and a {', b: '\\' };
    expect(findJsonObject(`So: ${JSON.stringify(value)}!`)).toEqual(value);
  });

  it('is not invented', () => {
    expect(findJsonObject('[1,2]')).toBeUndefined();
    expect(findJsonObject('{"a":1')).toBeUndefined();
    expect(findJsonObject('{'.repeat(100_000))).toBeUndefined();
  });
});

describe('a schema file', () => {
  it.each([
    ['not JSON', '{', /not valid JSON/],
    ['no object', '[]', /not a JSON object/],
    ['no schema', '{"type":"nonsense"}', /not a usable JSON Schema/],
    [
      'a reference out of it',
      '{"$ref":"file:///etc/passwd"}',
      /not a usable JSON Schema: can't resolve reference/,
    ],
    [
      'itself without end',
      '{"properties":{"gaps":{"items":{"$ref":"#/properties/gaps/items"}}}}',
      /without end/,
    ],
    ['one that promises its word', '{"$async":true}', /not a usable JSON Schema: \$async/],
  ])('is refused: %s', (_, text, reason) => {
    const path = join(directory, 'bad.json');
    writeFileSync(path, text);
    expect(() => compileSchema(path)).toThrow(reason);
  });

  it('may start with a byte order mark', () => {
    const path = join(directory, 'marked.json');
    writeFileSync(path, '\ufeff{"required":["summary"]}');
    expect(compileSchema(path).errorsOf({})).toHaveLength(1);
  });

  it('names the property that an answer has too many of, and the values that are allowed', () => {
    const schema = compileSchema(
      schemaFile(
        { additionalProperties: false, properties: { mood: { enum: ['good', 'bad'] } } },
        'named.json',
      ),
    );
    expect(schema.errorsOf({ mood: 'odd', colour: 'red' })).toEqual([
      "the answer must NOT have additional properties ('colour')",
      '/mood must be equal to one of the allowed values: ["good","bad"]',
    ]);
  });

  it('that is gone, or is no file, is told of', () => {
    expect(() => compileSchema(join(directory, 'gone.json'))).toThrow(/gone\.json: it is gone/);
    expect(() => compileSchema(directory)).toThrow(/not a file/);
  });

  it('with a pattern that runs away ends with an error in the end, and goes on after that', () => {
    const schema = compileSchema(
      schemaFile({ properties: { summary: { pattern: '^(a+)+$' } } }, 'catastrophe.json'),
    );
    const checked = check(answer({ summary: `${'a'.repeat(60)}!` }), schema);
    expect(checked).toEqual({
      ok: false,
      errors: [expect.stringContaining('a pattern of its schema runs away')],
    });
    expect(check(answer({ summary: 'aaa' }), schema)).toMatchObject({ ok: true });
    expect(check(answer({ summary: 'b' }), schema)).toMatchObject({
      ok: false,
      errors: [expect.stringMatching(/must match pattern/)],
    });
  });

  it('goes to the model only where strict mode takes it', () => {
    const closed = { type: 'object', additionalProperties: false, properties: { a: { type: 'string' } } };
    expect(anything.strict).toBe(false);
    expect(compileSchema(schemaFile({ ...closed, required: [] }, 'open.json')).strict).toBe(false);
    expect(compileSchema(schemaFile({ ...closed, required: ['a'] }, 'closed.json')).strict).toBe(true);
  });
});
