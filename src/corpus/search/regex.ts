import { messageOf, RlmError } from '../../errors.ts';
import { readAt } from '../../files/index.ts';
import type { Corpus } from '../corpus.ts';
import type { Ranking } from './bm25.ts';
import { requiredLiteral } from './required-literal.ts';
import { countTerms } from './scan.ts';
import { openTexts } from './texts.ts';
import { Top } from './top.ts';

/** A chunk with more matches than this is not better for it. */
const MAX_MATCHES = 200;

/** A pattern that runs in linear time, whatever it says. */
export interface LinearPattern {
  source: string;
  /** Places (UTF-16 units) of the matches in a text, empty ones left out, at most `limit`. */
  matches(text: string, limit: number): { start: number; end: number }[];
}

/**
 * Compiles a caller's pattern with RE2 syntax: `^` and `$` are those of lines, `(?i)` ignores case.
 *
 * @throws RlmError `usage` for what RE2 does not have (back-references, look-around) or is wrong
 */
export async function compilePattern(source: string): Promise<LinearPattern> {
  const { RE2JS } = await import('re2js');
  let compiled: InstanceType<typeof RE2JS>;
  try {
    compiled = RE2JS.compile(source, RE2JS.MULTILINE);
  } catch (error) {
    throw new RlmError('usage', `'${source}' is not a regular expression: ${messageOf(error)}`, {
      hint: 'The syntax is that of RE2: no back-references and no look-around.',
    });
  }
  return {
    source,
    matches(text, limit) {
      const found: { start: number; end: number }[] = [];
      const matcher = compiled.matcher(text);
      while (found.length < limit && matcher.find()) {
        if (matcher.end() > matcher.start()) found.push({ start: matcher.start(), end: matcher.end() });
      }
      return found;
    },
  };
}

/**
 * Ranks chunks by how often a pattern matches in them; all patterns in one pass. A pattern that cannot match
 * without some literal text is tried only where that text stands.
 *
 * @param options.timeLimitMs after it the pass ends, and a note says how far it came
 */
export async function rankByPattern(
  corpus: Corpus,
  patterns: readonly LinearPattern[],
  options: { limit: number; timeLimitMs: number; breathe: () => Promise<void> | undefined; notes: string[] },
): Promise<Ranking[]> {
  const tops = patterns.map(() => new Top(options.limit));
  const matching = patterns.map(() => 0);
  const until = performance.now() + options.timeLimitMs;
  const wanted = await chunksToTry(corpus, patterns, options);
  let tried = 0;
  search: for (const text of openTexts(corpus, options.notes)) {
    for (let ordinal = text.firstChunk; ordinal < text.endChunk; ordinal += 1) {
      const which = wanted(ordinal);
      if (which.length === 0) continue;
      if (performance.now() > until) {
        options.notes.push(
          `stopped after ${options.timeLimitMs} ms at chunk ${ordinal + 1} of ${corpus.record.chunks}: a pattern with some literal text in it is faster`,
        );
        break search;
      }
      const bytes = readAt(text.fd, corpus.spans.start(ordinal), corpus.spans.length(ordinal));
      const chunk = bytes.toString('utf8');
      for (const index of which) {
        const count = patterns[index]?.matches(chunk, MAX_MATCHES).length ?? 0;
        if (count === 0) continue;
        matching[index] = (matching[index] ?? 0) + 1;
        tops[index]?.offer(ordinal, count);
      }
      tried += 1;
      if (tried % 16 === 0) await options.breathe();
    }
  }
  return tops.map((top, index) => ({ best: top.best(), matching: matching[index] ?? 0 }));
}

/** For each chunk the patterns that may match in it. */
async function chunksToTry(
  corpus: Corpus,
  patterns: readonly LinearPattern[],
  options: { breathe: () => Promise<void> | undefined; notes: string[] },
): Promise<(ordinal: number) => readonly number[]> {
  const literals = patterns.map(({ source }) => requiredLiteral(source));
  const everywhere = literals.flatMap((literal, index) => (literal === undefined ? [index] : []));
  const known = [...new Set(literals.filter((literal) => literal !== undefined))];
  if (known.length === 0) return () => everywhere;
  const tallies = await countTerms(corpus, known, { ...options, literal: true });
  const held = new Map<number, number[]>();
  tallies.visit((ordinal, entries, from, to) => {
    const terms = new Set(Array.from(entries.subarray(from, to), (entry) => known[entry >>> 16]));
    const which = literals.flatMap((literal, index) =>
      literal === undefined || terms.has(literal) ? [index] : [],
    );
    held.set(ordinal, which);
  });
  return (ordinal) => held.get(ordinal) ?? everywhere;
}
