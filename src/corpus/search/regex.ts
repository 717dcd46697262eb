import { messageOf, RlmError } from '../../errors.ts';
import { readAt } from '../../files/index.ts';
import type { Corpus } from '../corpus.ts';
import { type Ranking, Top } from './ranking.ts';
import { countTerms, openTexts } from './scan.ts';

/** A chunk with more matches than this is not better for it. */
const MAX_MATCHES = 200;

/** A pattern that runs in linear time, whatever it says. */
export interface LinearPattern {
  source: string;
  /** Places (UTF-16 units) of the matches in a text, without empty ones, at most `limit`. */
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
  options: {
    limit: number;
    timeLimitMs: number;
    yieldIfDue: () => Promise<void> | undefined;
    notes: string[];
  },
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
      if (tried % 16 === 0) await options.yieldIfDue();
    }
  }
  return tops.map((top, index) => ({ best: top.best(), matching: matching[index] ?? 0 }));
}

/** For each chunk the patterns that may match in it. */
async function chunksToTry(
  corpus: Corpus,
  patterns: readonly LinearPattern[],
  options: { yieldIfDue: () => Promise<void> | undefined; notes: string[] },
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

/** Shorter ones stand nearly everywhere. */
const SHORTEST = 3;
/** ASCII that matches itself, outside a class. */
const PLAIN = /[A-Za-z0-9 _"'#%&,/:;<=>@`~-]/;
/** Makes what comes before it optional; a brace that counts nothing matches itself. */
const REPEAT = /^(?:[*?]|\{\d+(?:,\d*)?\})/;
/** A bracket right behind the opening one matches itself, and `[:digit:]` has brackets of its own. */
const CLASS = /\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]/sy;

/**
 * The longest text, in lower case, that every match of a pattern must hold in some case; undefined when the
 * pattern's form does not show one. It errs towards undefined: groups, classes and alternatives are skipped.
 */
function requiredLiteral(pattern: string): string | undefined {
  const runs: string[] = [];
  let run = '';
  const end = () => {
    runs.push(run);
    run = '';
  };
  let at = 0;
  // Leading flags only say how to match; verbose patterns do not exist in RE2.
  const flags = /^\(\?[imsU]+\)/.exec(pattern);
  if (flags !== null) at = flags[0].length;
  while (at < pattern.length) {
    const character = pattern[at] ?? '';
    const repeat = REPEAT.exec(pattern.slice(at))?.[0];
    if (character === '|') return undefined;
    if (character === '(' || character === '[') {
      end();
      const close = closingOf(pattern, at);
      if (close === undefined) return undefined;
      at = close + 1;
    } else if (repeat !== undefined) {
      run = run.slice(0, -1);
      end();
      at += repeat.length;
    } else if (character === '\\') {
      const escaped = pattern[at + 1] ?? '';
      if (escaped === 'Q') return undefined;
      if (/[^A-Za-z0-9]/.test(escaped) && escaped <= '~') run += escaped;
      else {
        end();
        // What follows in braces or as digits belongs to the escape: \x{1F600}, \p{Greek}, \x41.
        const rest = /^(?:[pPx]\{[^}]*\}|x[0-9A-Fa-f]{2}|p[A-Z]|P[A-Z]|[0-7]{1,3})/.exec(
          pattern.slice(at + 1),
        );
        if (rest !== null) at += rest[0].length - 1;
      }
      at += 2;
    } else {
      if (PLAIN.test(character)) run += character;
      else end();
      at += 1;
    }
  }
  end();
  const longest = runs.reduce((best, one) => (one.length > best.length ? one : best), '');
  return longest.length >= SHORTEST ? longest.toLowerCase() : undefined;
}

/** Where the group or class that opens at `from` is closed; undefined when it is not. */
function closingOf(pattern: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === '\\') at += 1;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === '[') {
      CLASS.lastIndex = at;
      if (!CLASS.test(pattern)) return undefined;
      at = CLASS.lastIndex - 1;
    }
    if (depth === 0) return at;
  }
  return undefined;
}
