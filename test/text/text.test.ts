import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  countNewlines,
  escapeMarkdown,
  fence,
  formatCount,
  oneLine,
  sanitize,
  sanitizeLines,
  sha256,
  truncate,
  unescapeMarkdown,
} from '../../src/text/index.ts';

test('terminal sequences, control characters and hidden characters are taken out', () => {
  expect(sanitize('\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 \x1b]0;title')).toBe(
    'red link ',
  );
  expect(sanitize('a\x00b\x07c\x7fd\x9be\u202ef\u2066g\u2069h\u200bi\u2060j\ufeffk')).toBe('abcdefghijk');
  expect(sanitize('say \u{e0068}\u{e0069}hello')).toBe('say hello');
});

test('newlines and tabs stay, and every other line break becomes a newline', () => {
  expect(sanitize('a\tb\nc\r\nd\re\u2028f\u2029g\vh\fi\x85j')).toBe('a\tb\nc\nd\ne\nf\ng\nh\ni\nj');
});

test('lines that are counted keep their numbers', () => {
  const text = 'a\r\nb\rc\u2028d\fe\u202ef\ng';
  expect(sanitizeLines(text)).toBe('a\nb c d ef\ng');
  expect(countNewlines(sanitizeLines(text))).toBe(countNewlines(text));
});

test('joiners stay where they shape a word or an emoji and go where they hide something', () => {
  expect(sanitize('می\u200cخواهم 👩\u200d💻 क\u094d\u200dष')).toBe('می\u200cخواهم 👩\u200d💻 क\u094d\u200dष');
  expect(sanitize('pass\u200cword\u200d')).toBe('password');
});

test('half of a surrogate pair becomes a replacement character', () => {
  expect(sanitize('a\ud83d b\udca1')).toBe('a\ufffd b\ufffd');
  expect(sanitize('💡')).toBe('💡');
});

test('whatever the text, nothing dangerous is left and a second pass changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const clean = sanitize(text);
      expect(clean).not.toMatch(
        /(?![\n\t])\p{Cc}|[\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\ufeff]/u,
      );
      expect(sanitize(clean)).toBe(clean);
    }),
  );
});

test('a long text is cut to the limit and says so, never inside a character', () => {
  expect(truncate('abcdef', 6)).toBe('abcdef');
  expect(truncate('abcdefg', 6)).toBe('abcde…');
  expect(truncate('abcdefg', 6, { keep: 'end' })).toBe('…cdefg');
  expect(truncate('abc💡def', 5)).toBe('abc…');
  expect(truncate('abc💡def', 5, { keep: 'end' })).toBe('…def');
  expect(truncate('abcdefg', 3, { mark: '' })).toBe('abc');
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.nat(20),
      fc.constantFrom('start', 'end'),
      (text, max, keep) => {
        const cut = truncate(text, max + 1, { keep });
        expect(cut.length).toBeLessThanOrEqual(max + 1);
        expect(cut).not.toMatch(/\p{Cs}/u);
      },
    ),
  );
});

test('one line has no line break, no control character and no run of blanks', () => {
  expect(oneLine('  a \n\t b\x1b[2Kc\u2028d  ')).toBe('a bc d');
  expect(oneLine('one two three', 8)).toBe('one two…');
});

test('newlines are counted in text and in bytes, between two places', () => {
  expect(countNewlines('a\nb\n\nc')).toBe(3);
  expect(countNewlines(Buffer.from('a\nb\n\nc'))).toBe(3);
  expect(countNewlines('a\nb\n\nc', 2, 4)).toBe(1);
});

test('counts are separated by thousands and hashes are hex', () => {
  expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256(Buffer.from('abc'))).toBe(sha256('abc'));
});

test('foreign text in Markdown is shown and never loaded or followed', () => {
  expect(escapeMarkdown('![x](u) [a][b] <b>c</b> <!-- d --> a < b 1<2')).toBe(
    '![x]\\(u) [a]\\[b] &lt;b>c&lt;/b> &lt;!-- d --> a < b 1<2',
  );
  expect(escapeMarkdown('[1]: http://evil\nsee [1]: it says so')).toBe(
    '[1]\\: http://evil\nsee [1]: it says so',
  );
  const text = '![x](u) <b> [1]: y ``` z';
  expect(unescapeMarkdown(escapeMarkdown(text))).toBe(text);
  expect(escapeMarkdown(escapeMarkdown(text))).toBe(escapeMarkdown(text));
});

test('a quoted text cannot end its code block', () => {
  expect(fence('a\n```\nb\n')).toBe('````text\na\n```\nb\n````');
});
