import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { passagesOf } from '../../src/corpus/index.ts';

function read(text: string, source = 'docs/guide.md') {
  return passagesOf(text, source).map(({ start, end, context }) => ({
    text: text.slice(start, end),
    context,
  }));
}

/** The passage that holds some words. */
function holding(text: string, words: string, source?: string) {
  const found = read(text, source).filter((passage) => passage.text.includes(words));
  expect(found).toHaveLength(1);
  return found[0] ?? { text: '', context: '' };
}

const FILLER = 'Some more of the same that goes on for a while without a point. '.repeat(8);

test('a paragraph is a passage, with the headings above it as its context', () => {
  const text = `# Client\n\n## Timeouts\n\n${FILLER}\n\nA request times out after\n30 seconds. ${FILLER}\n\n## Colours\n\nRed.\n`;
  const { text: paragraph, context } = holding(text, 'A request times out after\n30 seconds.');
  expect(paragraph).not.toContain('Red');
  expect(context).toBe('# Client\n## Timeouts');
});

test('a short list stays with the sentence that announces it', () => {
  const text = `${FILLER}\n\nThe client retries when:\n\n- the server is busy\n- the line is cut\n\n${FILLER}\n`;
  expect(holding(text, 'the line is cut').text).toBe(
    'The client retries when:\n\n- the server is busy\n- the line is cut',
  );
});

test('an item of a long list has the sentence that announces it as its context', () => {
  const items = Array.from(
    { length: 60 },
    (_, n) => `- option ${n} is about the thing that is numbered ${n}`,
  );
  const { text, context } = holding(`These are the options:\n\n${items.join('\n')}\n`, 'option 57 ');
  expect(text.split('\n').length).toBeLessThanOrEqual(20);
  expect(context).toContain('These are the options:');
});

test('a row of a long table has the head of the table as its context', () => {
  const rows = Array.from({ length: 50 }, (_, n) => `| key${n} | ${n} | what it is for, in a few words |`);
  const table = ['| option | default | purpose |', '|---|---|---|', ...rows].join('\n');
  expect(holding(`## Options\n\n${table}\n`, '| key44 |').context).toContain(
    '| option | default | purpose |',
  );
});

test('code stays with the sentence that announces it', () => {
  const text = `${FILLER}\n\nClose it like this:\n\n\`\`\`ts\nclient.close();\n\`\`\`\n\n${FILLER}\n`;
  expect(holding(text, 'client.close()').text).toContain('Close it like this:');
});

test('a doc comment is read with what it describes', () => {
  const text = `export interface Options {
  /**
   * Forcefully exit after this many milliseconds.
   * ${FILLER}
   * @default 5000
   */
  readonly forceKillAfterDelay?: number;

  /**
   * On Windows, do not create a new console window.
   * ${FILLER}
   */
  readonly windowsHide?: boolean;
}
`;
  const { text: comment } = holding(text, 'forceKillAfterDelay', 'options.d.ts');
  expect(comment).toContain('@default 5000');
  expect(comment).not.toContain('On Windows');
});

test('a comment of a script is no heading', () => {
  expect(holding('# set the limit\nlimit=5\n', 'limit=5', 'run.py').context).toBe('');
});

test('a page without blank lines, as a PDF gives it, is cut at ends of sentences and at numbered headings', () => {
  const sentences = (about: string) =>
    Array.from(
      { length: 24 },
      (_, n) => `The ${about} of line ${n} is said in\nthese two lines of text.`,
    ).join('\n');
  const text = `1. Purpose\n${sentences('purpose')}\n2.1. Directory layout\n${sentences('layout')}\n`;
  for (const passage of read(text, 'spec.pdf')) {
    expect(passage.text.split('\n').length).toBeLessThanOrEqual(20);
    expect(passage.text).toMatch(/[.]$/);
    expect(passage.text.includes('purpose') && passage.text.includes('layout')).toBe(false);
  }
  expect(holding(text, 'layout of line 23 ', 'spec.pdf').context).toContain('2.1. Directory layout');
});

test('one endless line is cut between words, and never inside a character', () => {
  const text = `${'lorem ipsum 😀 '.repeat(5000)}the limit is 12 ${'😀'.repeat(5000)}`;
  const passages = read(text);
  for (const { text: piece } of passages) expect(Buffer.from(piece).toString()).toBe(piece);
  expect(
    passages
      .map((passage) => passage.text)
      .join('')
      .replace(/\s/g, ''),
  ).toBe(text.replace(/\s/g, ''));
});

test('every word of real documents is in one passage of at most 24 lines', () => {
  for (const path of [
    'commander/Readme.md',
    'qs/README.md',
    'undici-types/client.d.ts',
    'typescript/NOTICE.txt',
  ]) {
    const text = readFileSync(new URL(`../../node_modules/${path}`, import.meta.url), 'utf8');
    const passages = passagesOf(text, path);
    let end = 0;
    for (const passage of passages) {
      expect(text.slice(end, passage.start)).not.toMatch(/[\p{L}\p{N}]/u);
      expect(passage.start).toBeGreaterThanOrEqual(end);
      expect(text.slice(passage.start, passage.end).split('\n').length).toBeLessThanOrEqual(24);
      end = passage.end;
    }
    expect(text.slice(end)).not.toMatch(/[\p{L}\p{N}]/u);
  }
});

test.each([
  ['spaces', ' '.repeat(400_000)],
  ['stars', `${'*'.repeat(400_000)}a`],
  ['tabs', `a${'\t'.repeat(200_000)}b`],
  ['bars', '|'.repeat(400_000)],
  ['headings', '# a\n'.repeat(50_000)],
  ['items', '- a\n'.repeat(50_000)],
  ['rows', '| a | b |\n'.repeat(40_000)],
])('400 kB of %s take less than two seconds', (_, text) => {
  const started = performance.now();
  passagesOf(text, 'a.md');
  expect(performance.now() - started).toBeLessThan(2000);
});
