import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { JsonlAppender, parseLine, readLines } from '../../src/files/index.ts';
import { temporaryDirectory } from '../support/runs.ts';

const linesOf = async (path: string, options = {}) => {
  const lines = [];
  for await (const line of readLines(path, options)) lines.push(line);
  return lines;
};

describe('a JSONL file', () => {
  it('is read line by line with offsets that point back to each line', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl');
    // Lines of many lengths, some across the reader's blocks of 256 kB, with code points of 1 to 4 bytes.
    const texts = Array.from({ length: 400 }, (_, i) => `${i} ${'aé字😀'.repeat((i * 37) % 901)}`);
    texts[7] = 'x'.repeat(600_000);
    texts[8] = '';
    writeFileSync(path, `${texts.join('\n')}\n`);
    const bytes = readFileSync(path);
    const lines = await linesOf(path);
    expect(lines.map(({ text }) => text)).toEqual(texts);
    expect(lines.every(({ complete }) => complete)).toBe(true);
    for (const { line, start, end, text } of lines) {
      if (bytes.toString('utf8', start, end) !== `${text}\n`) expect.fail(`offsets of line ${line}`);
    }
    const from = lines[200]?.start ?? 0;
    expect((await linesOf(path, { start: from })).map(({ text }) => text)).toEqual(texts.slice(200));
  });

  it('says of a last line without its end that it is not complete', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl');
    writeFileSync(path, '{"a":1}\n{"b":');
    expect((await linesOf(path)).map(({ complete }) => complete)).toEqual([true, false]);
  });

  it('refuses a line over the cap by its number, or passes over it where that is asked for', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl');
    writeFileSync(path, `short\n${'x'.repeat(1000)}\nalso short\n`);
    await expect(linesOf(path, { maxLineBytes: 999 })).rejects.toThrow('line 2: longer than 999 bytes');
    await expect(linesOf(path, { maxLineBytes: 1000 })).resolves.toHaveLength(3);
    const kept = await linesOf(path, { maxLineBytes: 999, longLines: 'skip' });
    expect(kept.map(({ line, text }) => [line, text])).toEqual([
      [1, 'short'],
      [3, 'also short'],
    ]);
  });

  it('names the line that is not JSON', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl');
    writeFileSync(path, '\n{"a":1}\n{nonsense}\n');
    const [blank, good, bad] = await linesOf(path);
    if (blank === undefined || good === undefined || bad === undefined) expect.fail('three lines');
    expect(parseLine(blank)).toBeUndefined();
    expect(parseLine(good)).toEqual({ a: 1 });
    expect(() => parseLine(bad)).toThrow(/^line 3: not valid JSON/);
  });
});

describe('a JSONL file of an editor', () => {
  it('may start with a byte order mark and end its lines with CR LF', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl');
    writeFileSync(path, '\ufeff{"a":1}\r\n{"b":2}\r\n');
    const lines = await linesOf(path);
    expect(lines.map(parseLine)).toEqual([{ a: 1 }, { b: 2 }]);
    expect(lines.map(({ start, end }) => [start, end])).toEqual([
      [3, 12],
      [12, 21],
    ]);
    expect((await linesOf(path, { start: 12 })).map(parseLine)).toEqual([{ b: 2 }]);
  });

  it('in another encoding says what to do', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl');
    writeFileSync(path, Buffer.from('\ufeff{"a":1}\n', 'utf16le'));
    const [line] = await linesOf(path);
    if (line === undefined) expect.fail('one line');
    expect(() => parseLine(line)).toThrow(
      expect.objectContaining({
        code: 'usage',
        hint: expect.objectContaining({ text: expect.stringContaining('UTF-8') }),
      }),
    );
  });
});

describe('a JSONL file with bytes that are no UTF-8', () => {
  it('is refused naming the line, wherever the bytes stand; what says U+FFFD itself is not', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl');
    const long = 'x'.repeat(300_000);
    const bad = (text: string) => Buffer.from(text, 'latin1');
    writeFileSync(
      path,
      Buffer.concat([
        Buffer.from('{"a":"\ufffd ü"}\n'),
        bad('{"a":"\xff"}\n'),
        bad(`{"a":"${long}\xe4"}\n`),
        bad('{"a":"\xe4"}'),
      ]),
    );
    const [good, ...others] = await linesOf(path);
    if (good === undefined) expect.fail('a line');
    expect(parseLine(good)).toEqual({ a: '\ufffd ü' });
    expect(others.map(({ line }) => line)).toEqual([2, 3, 4]);
    for (const line of others) {
      expect(() => parseLine(line)).toThrow(
        expect.objectContaining({
          message: `line ${line.line}: not valid UTF-8`,
          hint: expect.objectContaining({ text: expect.stringContaining('save it as UTF-8') }),
        }),
      );
    }
  });
});

describe('appending to a JSONL file', () => {
  it('tells where each record starts, and goes on after a torn line', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl');
    writeFileSync(path, '{"a":1}\n{"torn":');
    const file = new JsonlAppender(path);
    const start = file.append({ b: '字' });
    file.append({ c: 3 });
    file.close();
    const lines = await linesOf(path);
    expect(lines.map(({ text }) => text)).toEqual(['{"a":1}', '{"torn":', '{"b":"字"}', '{"c":3}']);
    expect(lines[2]?.start).toBe(start);
    expect(readFileSync(path).length).toBe(file.size);
  });
});
