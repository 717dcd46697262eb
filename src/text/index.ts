/*
 * Text that somebody else wrote (a document, a worker, a model, a program) as this program may show, send and
 * store it. The rule of what is dangerous is written here only.
 */

/** Text without a character that `sanitize` would touch: most text, seen at one look. */
const PLAIN = /^[\t\n\x20-\x7e]*$/;
/** Colours, cursor movements, window titles and links of terminals (ECMA-48). */
const TERMINAL_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?)/g;
const SEQUENCE_HERE = new RegExp(TERMINAL_SEQUENCE.source, 'y');
const LINE_BREAK = /\r\n?|[\v\f\x85\u2028\u2029]/g;
/**
 * Controls, bidirectional overrides and isolates, invisible characters and tag characters. Joiners shape words
 * and emoji outside ASCII, so they stay between two such characters.
 */
const UNSAFE =
  /(?![\n\t])\p{Cc}|[\u200b\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])/gu;

/**
 * Makes text safe to show and to send: terminal sequences, control characters but newline and tab, bidirectional
 * overrides and invisible characters go; every kind of line break becomes `\n`; a lone surrogate becomes U+FFFD.
 */
export function sanitize(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .replace(TERMINAL_SEQUENCE, '')
    .replace(LINE_BREAK, '\n')
    .replace(UNSAFE, '')
    .replace(/\p{Cs}/gu, '\ufffd');
}

/** Sanitized text whose lines keep their numbers: what breaks a line without being a newline becomes a space. */
export function sanitizeLines(text: string): string {
  return PLAIN.test(text)
    ? text
    : sanitize(text.replace(/\r\n/g, '\n').replace(/[\r\v\f\x85\u2028\u2029]/g, ' '));
}

/** Where the terminal sequence ends that starts at an index; the index itself when none does. */
export function endOfTerminalSequence(text: string, index: number): number {
  SEQUENCE_HERE.lastIndex = index;
  return SEQUENCE_HERE.test(text) ? SEQUENCE_HERE.lastIndex : index;
}

/** Sanitized text as one line: each run of white space becomes a space. @param max as in `truncate` */
export function oneLine(text: string, max = Number.POSITIVE_INFINITY): string {
  return truncate(sanitize(text).replace(/\s+/g, ' ').trim(), max);
}

/**
 * Text of at most `max` UTF-16 units, never cut inside a code point.
 *
 * @param keep which end stays
 * @param mark shows where something is missing; '' where the text must stay word for word
 */
export function truncate(
  text: string,
  max: number,
  { keep = 'start', mark = '…' }: { keep?: 'start' | 'end'; mark?: string } = {},
): string {
  if (text.length <= max) return text;
  const room = Math.max(0, max - mark.length);
  if (keep === 'start') return text.slice(0, splitsPair(text, room) ? room - 1 : room) + mark;
  const from = text.length - room;
  return mark + text.slice(splitsPair(text, from) ? from + 1 : from);
}

/**
 * Foreign text as a part of Markdown: no image, link, link definition or HTML of it comes alive. A definition
 * starts its line, so `[1]:` behind a letter is none.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/<(?=[a-z/!?])/gi, '&lt;')
    .replace(/\](?=[([])/g, ']\\')
    .replace(/(?<!\p{L}[^\n[\]]*\[[^\n[\]]*)\](?=:)/gu, ']\\');
}

/** The text again, for a reader who sees Markdown as it is written. */
export function unescapeMarkdown(text: string): string {
  return text.replaceAll('&lt;', '<').replace(/\]\\(?=[([:])/g, ']');
}

/** Foreign text as a code block of Markdown, word for word. */
export function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const mark = '`'.repeat(longest + 1);
  return `${mark}text\n${text.replace(/\n$/, '')}\n${mark}`;
}

/** Whether an index lies inside a surrogate pair. */
export function splitsPair(text: string, index: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(Math.max(0, index - 1), index + 1));
}

/** How many newlines are in a text or in bytes, between two offsets. */
export function countNewlines(text: string | Uint8Array, from = 0, to = text.length): number {
  let count = 0;
  const next = (at: number) => (typeof text === 'string' ? text.indexOf('\n', at) : text.indexOf(0x0a, at));
  for (let at = next(from); at !== -1 && at < to; at = next(at + 1)) count += 1;
  return count;
}

/** A count with separators, such as `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** SHA-256 in hex. */
export function sha256(data: string | Uint8Array): string {
  // Loaded when first needed: a static import would cost every start 2 ms.
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(data).digest('hex');
}
