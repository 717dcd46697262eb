/*
 * µs to locate one quote of about 200 characters in 100 kB of prose: exact, with typography changed, with a
 * tenth of its letters edited, and invented; against `indexOf`, approx-string-match over the whole text, and
 * fuse.js; in manuals, and in licences, which repeat themselves.
 * Run: node scripts/run.mjs bench/quotes.ts [--write]
 */
import { existsSync, readFileSync } from 'node:fs';
import search from 'approx-string-match';
import Fuse from 'fuse.js';
import { locateQuote, SourceText } from '../src/evidence/index.ts';
import { report } from './report.ts';

const SIZE = 100_000;
const QUOTES = 60;
/** Public text inside the dependencies: their manuals; and the licences that vite bundles, which repeat themselves. */
const MANUALS = [
  'execa',
  'commander',
  'fuse.js',
  'mammoth',
  'html-to-text',
  'zod',
  'ajv',
  'picomatch',
  'smol-toml',
];
const COLUMNS = ['text, quote', 'way', 'µs a quote, median', '× approx-string-match', 'found'];

const rows = [
  ...rowsOf('manuals', manuals().slice(0, SIZE)),
  ...rowsOf('licences', readFileSync('node_modules/vite/LICENSE.md', 'utf8').repeat(2).slice(0, SIZE)),
];
report({
  title: 'Quote location: `bench/quotes.ts`',
  columns: COLUMNS,
  rows,
  notes: [
    `${QUOTES} quotes of about 200 characters in 100 kB of manuals of the dependencies (${MANUALS.join(', ')}) and of the licences that vite bundles. "exact" is as it stands; "typography" has other spaces, quotes and case; "10 % edits" has letters dropped, doubled or replaced; "invented" are words of a quote in another order, which stand nowhere unless the order is the same. What is found of the edited ones is what passes as a quote: a place with a tenth edited is found as by approx-string-match, and then refused where a number, a negation, an identifier or another word than a slip of the pen became a different one.`,
  ],
});

function rowsOf(name: string, text: string): Array<Array<string | number>> {
  const bytes = Buffer.from(text);
  const random = seeded(7);
  const originals = Array.from({ length: QUOTES }, () => pickQuote(text, random));
  const cases: [string, string[]][] = [
    ['exact', originals],
    ['typography', originals.map((quote) => quote.replace(/\s+/g, '\n').replace(/"/g, '“').toUpperCase())],
    ['10 % edits', originals.map((quote) => edited(quote, Math.floor(quote.length * 0.1) - 1, random))],
    ['invented', originals.map((quote) => quote.split(' ').sort().reverse().join(' '))],
  ];
  const prepared = new SourceText(bytes);
  const fuse = new Fuse([text], { ignoreLocation: true, threshold: 0.1, includeMatches: true });
  const approximate = (quote: string) => search(text, quote, Math.floor(quote.length * 0.1)).length > 0;
  const ways: [string, number, (quote: string) => boolean][] = [
    ['approx-string-match, whole text', QUOTES, approximate],
    ['locateQuote, chunk prepared once', QUOTES, (quote) => locateQuote(prepared, quote).match !== 'missing'],
    ['locateQuote, from bytes each time', QUOTES, (quote) => locateQuote(bytes, quote).match !== 'missing'],
    ['indexOf', QUOTES, (quote) => text.includes(quote)],
    ['fuse.js, whole text', 3, (quote) => fuse.search(quote).length > 0],
  ];
  return cases.flatMap(([kind, quotes]) => {
    let floor: number | undefined;
    return ways.map(([way, count, locate]) => {
      const { micros, found, tried } = measure(quotes.slice(0, count), locate);
      floor ??= micros;
      return [`${name}, ${kind}`, way, micros.toFixed(1), (micros / floor).toFixed(3), `${found}/${tried}`];
    });
  });
}

function measure(
  quotes: string[],
  locate: (quote: string) => boolean,
): { micros: number; found: number; tried: number } {
  for (const quote of quotes.slice(0, 5)) locate(quote);
  const times: number[] = [];
  let found = 0;
  for (const quote of quotes) {
    const started = performance.now();
    if (locate(quote)) found += 1;
    times.push((performance.now() - started) * 1000);
  }
  times.sort((a, b) => a - b);
  return { micros: times[times.length >> 1] ?? 0, found, tried: quotes.length };
}

function manuals(): string {
  const files = MANUALS.flatMap((name) =>
    ['README.md', 'Readme.md', 'readme.md'].map((file) => `node_modules/${name}/${file}`),
  );
  return files
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

/** About 200 characters from the start of a word to the end of one. */
function pickQuote(text: string, random: () => number): string {
  const from = text.indexOf(' ', Math.floor(random() * (SIZE - 400))) + 1;
  return text.slice(from, text.indexOf(' ', from + 200)).trim();
}

/** Letters inside lower-case words swapped, dropped or doubled. */
function edited(quote: string, edits: number, random: () => number): string {
  const letters = [...quote];
  const places = letters.flatMap((_, at) => (/^[a-z]{3}$/.test(quote.slice(at - 1, at + 2)) ? [at] : []));
  for (let edit = 0; edit < edits && places.length > 0; edit += 1) {
    const [at = 0] = places.splice(Math.floor(random() * places.length), 1);
    const letter = letters[at] ?? '';
    letters[at] = ['', letter + letter, 'z'][Math.floor(random() * 3)] ?? '';
  }
  return letters.join('');
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
