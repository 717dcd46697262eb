/** What takes two columns of a terminal: East Asian wide and full-width characters, and emoji. */
const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
/** What takes none by itself: marks, joiners and directions. */
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]/u;
const PLAIN = /^[\u0020-\u007e]*$/;

/** Made when it is needed: that takes 10 ms. */
let segmenter: Intl.Segmenter | undefined;

function* graphemes(text: string): Generator<{ text: string; columns: number }> {
  segmenter ??= new Intl.Segmenter();
  for (const { segment } of segmenter.segment(text))
    yield { text: segment, columns: WIDE.test(segment) ? 2 : NONE.test(segment) ? 0 : 1 };
}

/** How many columns of a terminal a text takes that holds no control characters. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const grapheme of graphemes(text)) columns += grapheme.columns;
  return columns;
}

/** The beginning of a text that takes at most so many columns. */
export function fitColumns(text: string, most: number): string {
  if (PLAIN.test(text)) return text.slice(0, most);
  let columns = 0;
  let fitting = '';
  for (const grapheme of graphemes(text)) {
    columns += grapheme.columns;
    if (columns > most) break;
    fitting += grapheme.text;
  }
  return fitting;
}

/** A text with spaces after it, up to so many columns. */
export function padColumns(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}
