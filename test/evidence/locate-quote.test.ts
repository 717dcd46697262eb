import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { locateQuote, type QuoteLocation, SourceText } from '../../src/evidence/index.ts';
import { Seeded } from './seeded.ts';

const SOURCE = [
  '\ufeffThe server accepts 15 users by default, and 1,500 in a cluster.\r\n',
  'Do not use eval in produc-\ntion code. Unable to connect, it waits -5 or 2.5 seconds.\n',
  'The time-out is 30 seconds for requests to the backend service, and the cache “keeps” entries.\n',
  'It is not possible to change the region of a cluster after creation.\n',
  'Set max_retry_count to a positive number before the scheduler starts its first worker.\n',
  '该文档不支持 Windows 系统。三百人参加了会议。😀 An emoji; a ﬁle of 10² m; zero\u200bwidth and a tab\there.\n',
  'Ask for caf\u00e9 and cafe\u0301 with a soft\u00ad\nhyphen.\u0000 A NUL and \u0007 a bell.\n',
  'The same line twice.\n',
  'In between stands another one.\n',
  'The same line twice.\n',
].join('');
const BYTES = Buffer.from(SOURCE);

/** Everything a location claims, checked against the bytes by other means. */
function verify(
  bytes: Uint8Array,
  found: QuoteLocation,
): asserts found is Exclude<QuoteLocation, { match: 'missing' }> {
  if (found.match === 'missing') throw new Error(`missing: ${found.reason}`);
  for (const span of found.spans) {
    const slice = bytes.subarray(span.byte_start, span.byte_end);
    expect(Buffer.from(slice).toString()).toBe(span.quote);
    expect(createHash('sha256').update(slice).digest('hex')).toBe(span.sha256);
    const newlines = (until: number) =>
      Buffer.from(bytes.subarray(0, until)).toString('latin1').split('\n').length;
    expect(span.line_start).toBe(newlines(span.byte_start));
    expect(span.line_end).toBe(newlines(span.byte_end - 1));
  }
}

function find(quote: string): string {
  const found = locateQuote(BYTES, quote);
  if (found.match === 'missing') return found.reason;
  verify(BYTES, found);
  return `${found.match}: ${found.spans.map((span) => span.quote).join(' | ')}`;
}

describe('what is in the source is found', () => {
  it.each([
    ['15 users by default', 'exact: 15 users by default'],
    ['IT IS NOT   possible', 'normalised: It is not possible'],
    ["the cache 'keeps' entries", 'normalised: the cache “keeps” entries'],
    ['production code', 'normalised: produc-\ntion code'],
    ['produc- tion code', 'normalised: produc-\ntion code'],
    ['in a cluster. Do not use', 'normalised: in a cluster.\r\nDo not use'],
    ['time\u2011out is 30 seconds', 'normalised: time-out is 30 seconds'],
    ['a file of 10² m', 'normalised: a ﬁle of 10² m'],
    ['zerowidth and a tab here', 'normalised: zero\u200bwidth and a tab\there'],
    ['softhyphen.', 'normalised: soft\u00ad\nhyphen.'],
    ['😀 An emoji', 'exact: 😀 An emoji'],
    ['三百人参加了会议', 'exact: 三百人参加了会议'],
    ['cafe\u0301', 'exact: cafe\u0301'],
    ['A NUL and a bell', 'normalised: A NUL and \u0007 a bell'],
    ['-5 or 2.5 seconds', 'exact: -5 or 2.5 seconds'],
    [
      'The time-out is 30 second for request to the backend services',
      'fuzzy: The time-out is 30 seconds for requests to the backend service',
    ],
  ])('%j', (quote, expected) => expect(find(quote)).toBe(expected));

  it('whatever colours the source gives its words', () => {
    const source = new SourceText(
      'Press the \u001b[31mred\u001b[0m button for \u001b]8;;http://x\u0007help\u001b]8;;\u0007 now.\n',
    );
    expect(locateQuote(source, 'Press the red button for help now.')).toMatchObject({ match: 'normalised' });
  });

  it('takes in a negation right before the quote, which would say the reverse without it', () => {
    expect(find('use eval')).toBe('exact: not use eval');
    expect(find('支持 Windows')).toBe('exact: 不支持 Windows');
  });

  it('takes the occurrence nearest to the claimed lines', () => {
    const at = (line: number) => {
      const found = locateQuote(BYTES, 'The same line twice.', {
        near: { line_start: line, line_end: line },
      });
      verify(BYTES, found);
      return found.spans[0]?.line_start;
    };
    const first = SOURCE.split('The same line')[0]?.split('\n').length ?? 0;
    expect([at(1), at(first), at(first + 2), at(9999)]).toEqual([first, first, first + 2, first + 2]);
  });

  it('counts bytes and lines from where the chunk stands in its source', () => {
    const start = BYTES.indexOf('It is not');
    const chunk = new SourceText(BYTES.subarray(start), { byte_start: start, line_start: 5 });
    const found = locateQuote(chunk, 'positive number before');
    verify(BYTES, found);
    expect(found.spans[0]?.line_start).toBe(6);
  });

  it('finds the parts of a quote with an ellipsis in order: one span when near, two when far', () => {
    expect(find('accepts 15 users ... in a cluster')).toBe(
      'exact: accepts 15 users by default, and 1,500 in a cluster',
    );
    expect(find('…accepts 15 users […]')).toBe('exact: accepts 15 users');
    expect(find('in a cluster [...] accepts 15 users')).toBe('not_found');
    const far = Buffer.from(`Alpha comes first.\n${'filler text. '.repeat(100)}\nOmega comes last.\n`);
    const found = locateQuote(far, 'Alpha comes first. ... Omega comes last.');
    verify(far, found);
    expect(found.spans.map((span) => span.quote)).toEqual(['Alpha comes first.', 'Omega comes last.']);
  });

  it('finds a quote that was cut at its size limit inside a word', () => {
    const words = Buffer.from(Array.from({ length: 200 }, (_, index) => `word${index}`).join(' '));
    const cut = words.toString().slice(0, 320);
    const found = locateQuote(words, cut);
    verify(words, found);
    expect(cut.startsWith(found.spans[0]?.quote ?? '?')).toBe(true);
  });
});

describe('what says something else is refused', () => {
  it.each([
    ['5 users by default', 'number_changed'],
    ['500 in a cluster', 'number_changed'],
    ['5 or 2.5 seconds', 'number_changed'],
    ['5 seconds', 'number_changed'],
    ['able to connect, it waits', 'word_changed'],
    ['The time-out is 60 seconds for requests to the backend service', 'number_changed'],
    ['It is possible to change the region of a cluster after creation', 'negation_changed'],
    ['It is never possible to change the region of a cluster after creation', 'negation_changed'],
    ['It is not impossible to change the region of a cluster after creation', 'word_changed'],
    ['It is not possible to change the region of a cluster before creation', 'word_changed'],
    [
      'Set max_retry_counts to a positive number before the scheduler starts its first worker',
      'identifier_changed',
    ],
    [
      'Set maxRetryCount to a positive number before the scheduler starts its first worker',
      'identifier_changed',
    ],
    ['Set max_retry_count to a negative number before the scheduler starts its first worker', 'word_changed'],
    ['a file of 102 m', 'not_found'],
    ['五百人参加了会议', 'not_found'],
    ['This sentence was made up from nothing at all by a worker.', 'not_found'],
    ['', 'empty'],
    [' \n\t\u0000 ', 'empty'],
    ['...', 'empty'],
    ['(.*)+$^[', 'empty'],
    ['\ud83d', 'empty'],
    ['a{1,99999}(x+x+)+y', 'not_found'],
  ])('%j', (quote, reason) => expect(find(quote)).toBe(reason));

  it('refuses a very long quote that is not there, and finds one that is', () => {
    const long = 'lorem ipsum dolor sit amet '.repeat(40_000);
    expect(find(long)).toBe('not_found');
    const bytes = Buffer.from(long);
    verify(bytes, locateQuote(bytes, long.trim()));
  });

  it('finds nothing in an empty source', () => {
    expect(locateQuote('', 'anything at all')).toEqual({ match: 'missing', reason: 'not_found' });
  });
});

describe('bytes that are not UTF-8', () => {
  it('keeps offsets right behind every kind of broken sequence', () => {
    const broken = [
      [0xff],
      [0xc3],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xef, 0xbf, 0xbd],
      [0xf4, 0x90],
    ];
    for (const bytes of broken) {
      const source = Buffer.concat([
        Buffer.from('ä😀 '),
        Buffer.from(bytes),
        Buffer.from(' then the needle\n'),
      ]);
      const found = locateQuote(source, 'the needle');
      if (found.match === 'missing') throw new Error(`missing behind ${bytes}`);
      expect(found.spans[0]?.byte_start).toBe(source.indexOf('the needle'));
    }
  });
});

describe('random quotes of real text', () => {
  const text =
    readFileSync('node_modules/zod/README.md', 'utf8') + readFileSync('node_modules/execa/readme.md', 'utf8');
  const bytes = Buffer.from(text);
  const prepared = new SourceText(bytes);
  const words = [...text.matchAll(/\S+/g)];

  function pickSpan(random: Seeded, among = words): { start: number; end: number } {
    const first = random.below(among.length - 40);
    const last = first + 8 + random.below(25);
    const [from, to] = [among[first], among[last]];
    if (from === undefined || to === undefined) throw new Error('no words');
    return { start: from.index, end: to.index + to[0].length };
  }

  it('finds every span of whole words, up to a negation before it, exactly where it stands', () => {
    const random = new Seeded(1);
    for (let round = 0; round < 300; round += 1) {
      const { start, end } = pickSpan(random);
      const quote = text.slice(start, end);
      const line = text.slice(0, start).split('\n').length;
      const found = locateQuote(prepared, quote, { near: { line_start: line, line_end: line } });
      verify(bytes, found);
      expect(found.match).toBe('exact');
      expect(found.spans[0]?.quote.endsWith(quote)).toBe(true);
    }
  });

  it('finds it again whatever happened to spaces, case, dashes and quotation marks', () => {
    const random = new Seeded(2);
    for (let round = 0; round < 300; round += 1) {
      const { start, end } = pickSpan(random);
      const quote = text
        .slice(start, end)
        .replace(/\s+/g, () => random.pick([' ', '\n', '  ', '\t', '\u00a0']))
        .replace(/"/g, () => random.pick(['“', '”', '"']))
        .replace(/'/g, () => random.pick(['’', "'"]))
        .replace(/[a-z]/g, (letter) => (random.next() < 0.2 ? letter.toUpperCase() : letter));
      const line = text.slice(0, start).split('\n').length;
      const found = locateQuote(prepared, quote, { near: { line_start: line, line_end: line } });
      verify(bytes, found);
      const folded = (value: string) =>
        value
          .toLowerCase()
          .replace(/[“”"‘’'`]/g, "'")
          .replace(/\s+/g, ' ');
      expect(folded(found.spans[0]?.quote ?? '')).toContain(folded(text.slice(start, end)));
    }
  });

  it('never accepts a changed digit, however little else changed', () => {
    const random = new Seeded(3);
    let tried = 0;
    for (let round = 0; round < 3000; round += 1) {
      const { start, end } = pickSpan(random);
      const quote = text.slice(start, end);
      const digit = quote.search(/\d/);
      if (digit === -1) continue;
      tried += 1;
      const other = String((Number(quote.charAt(digit)) + 1 + random.below(8)) % 10);
      const changed = quote.slice(0, digit) + other + quote.slice(digit + 1);
      if (!text.includes(changed)) expect(locateQuote(prepared, changed).match).toBe('missing');
    }
    expect(tried).toBeGreaterThan(300);
  });

  it('never accepts a negation put in or taken out', () => {
    const random = new Seeded(4);
    for (let round = 0; round < 300; round += 1) {
      const { start, end } = pickSpan(random);
      const parts = text.slice(start, end).split(/ /);
      parts.splice(1 + random.below(parts.length - 1), 0, random.pick(['not', 'never', 'no', 'cannot']));
      const changed = parts.join(' ');
      if (!text.includes(changed)) expect(locateQuote(prepared, changed).match).toBe('missing');
    }
  });

  it('finds most quotes with a few letters edited, at their place, and all of what it finds is really there', () => {
    const random = new Seeded(5);
    let found = 0;
    // Prose: in code nearly every word is an identifier, and those may not change.
    const text = readFileSync('node_modules/human-signals/LICENSE', 'utf8');
    const bytes = Buffer.from(text);
    const prepared = new SourceText(bytes);
    const rounds = 200;
    for (let round = 0; round < rounds; round += 1) {
      const { start, end } = pickSpan(random, [...text.matchAll(/\S+/g)]);
      const quote = editLetters(text.slice(start, end), 0.04, random);
      const result = locateQuote(prepared, quote);
      if (result.match === 'missing') continue;
      verify(bytes, result);
      const middle = Buffer.byteLength(text.slice(0, Math.floor((start + end) / 2)));
      const [span] = result.spans;
      if (span !== undefined && span.byte_start <= middle && middle <= span.byte_end) found += 1;
    }
    expect(found).toBeGreaterThan(rounds * 0.6);
  });
});

/** Swaps, drops and adds letters inside lower-case words; digits and capitals stay. */
function editLetters(text: string, share: number, random: Seeded): string {
  return text.replace(/(?<=[a-z])[a-z](?=[a-z])/g, (letter) => {
    if (random.next() >= share * 2) return letter;
    return random.pick(['', `${letter}${letter}`, random.pick([...'bdgkmpt'])]);
  });
}
