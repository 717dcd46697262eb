const WINDOW_BYTES = 4096;
const K1 = 1.2;
const B = 0.75;

interface Window {
  source: string;
  first: number;
  last: number;
  length: number;
  counts: Map<string, number>;
}

/** Plain Okapi BM25 over windows of whole lines of 4 kB: words in lower case, nothing stemmed, nothing left out. */
export function windowSearch(
  texts: ReadonlyMap<string, string>,
): (question: string, best: number) => { source: string; first: number; last: number }[] {
  const windows = [...texts].flatMap(([source, text]) => cut(source, text));
  const average = windows.reduce((sum, { length }) => sum + length, 0) / Math.max(1, windows.length);
  return (question, best) => {
    const words = [...new Set(wordsOf(question))];
    const rarity = words.map((word) => {
      const holding = windows.filter(({ counts }) => counts.has(word)).length;
      return Math.log(1 + (windows.length - holding + 0.5) / (holding + 0.5));
    });
    const scored = windows.map((window) => {
      const norm = K1 * (1 - B + (B * window.length) / average);
      const score = words.reduce((sum, word, index) => {
        const count = window.counts.get(word) ?? 0;
        return sum + ((rarity[index] ?? 0) * count * (K1 + 1)) / (count + norm);
      }, 0);
      return { window, score };
    });
    return scored
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, best)
      .map(({ window: { source, first, last } }) => ({ source, first, last }));
  };
}

function cut(source: string, text: string): Window[] {
  const windows: Window[] = [];
  let held: string[] = [];
  let bytes = 0;
  let first = 1;
  const close = () => {
    if (held.length === 0) return;
    const words = wordsOf(held.join('\n'));
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    windows.push({ source, first, last: first + held.length - 1, length: words.length, counts });
    first += held.length;
    held = [];
    bytes = 0;
  };
  for (const line of text.split('\n')) {
    const size = Buffer.byteLength(line) + 1;
    if (bytes + size > WINDOW_BYTES) close();
    held.push(line);
    bytes += size;
  }
  close();
  return windows;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
}
