import { join } from 'node:path';
import { checkAnswerFile, readAnswer, readReduced } from '../ask/index.ts';
import { RUN_FILES, RUN_ID_PATTERN, type VerifiedEvidence } from '../contracts/index.ts';
import { type Corpus, openCorpus, readSpan } from '../corpus/index.ts';
import { RlmError } from '../errors.ts';
import { citedSpans } from '../evidence/index.ts';
import { openRun, openRunDirectory } from '../runs/index.ts';
import { oneLine, sanitize } from '../text/index.ts';

/** Lines before and after a quote. */
const AROUND = 3;

/**
 * `rlm cite RUN N`: the quotes of one citation in their surroundings; without a number, where each citation is.
 *
 * @returns the exit code
 */
export async function cite(
  root: string,
  named: string,
  number: number | undefined,
  json: boolean,
): Promise<number> {
  const run = RUN_ID_PATTERN.test(named) ? openRun(root, named) : openRunDirectory(named);
  const answer = readAnswer(join(run.dir, RUN_FILES.answer));
  const cited = citedSpans(answer, readReduced(run.dir).evidence);
  const wanted = number === undefined ? cited.map((_, index) => index + 1) : [number];
  if (number !== undefined && cited[number - 1] === undefined) {
    throw new RlmError('usage', `citation ${number}: the answer has ${cited.length} citations`);
  }
  const corpus = await openCorpus(run.dir);
  const citations = [];
  for (const one of wanted) {
    for (const span of cited[one - 1] ?? []) {
      const { location, quote } = span;
      const text = number === undefined ? {} : await surroundings(corpus, span);
      citations.push({ citation: one, location, quote, ...text });
    }
  }
  process.stdout.write(
    json
      ? `${JSON.stringify({ run_id: run.id, citations })}\n`
      : citations.map((one) => (number === undefined ? listed(one) : shown(one))).join(''),
  );
  return 0;
}

interface Surroundings {
  /** Whether the document is as it was when it was read. */
  state: 'unchanged' | 'changed';
  lines: Array<{ line: number; text: string; quoted: boolean }>;
}

async function surroundings(corpus: Corpus, span: VerifiedEvidence): Promise<Surroundings> {
  const { source, line_start, line_end } = span;
  const first = Math.max(1, line_start - AROUND);
  const read = await readSpan(corpus, { source, line_start: first, line_end: line_end + AROUND });
  const lines = read.text.replace(/\n$/, '').split('\n');
  return {
    state: read.state,
    lines: lines.map((text, index) => {
      const line = read.line_start + index;
      return { line, text, quoted: line >= line_start && line <= line_end };
    }),
  };
}

function listed({
  citation,
  location,
  quote,
}: {
  citation: number;
  location: string;
  quote: string;
}): string {
  return `[${citation}] ${oneLine(location)}\n      “${oneLine(quote, 320)}”\n`;
}

function shown(one: { citation: number; location: string } & Partial<Surroundings>): string {
  const lines = (one.lines ?? []).map(
    ({ line, text, quoted }) => `${quoted ? '>' : ' '} ${String(line).padStart(6)}  ${oneLineOf(text)}`,
  );
  const note = one.state === 'changed' ? '  (the document has changed since it was read)' : '';
  return `[${one.citation}] ${oneLine(one.location)}${note}\n${lines.join('\n')}\n`;
}

/** A line as it is, but for what could write to the terminal. */
function oneLineOf(text: string): string {
  return sanitize(text).replaceAll('\n', ' ');
}

/**
 * `rlm check-answer FILE`: whether every quote is still in its document, and what has changed.
 *
 * @returns the exit code: 0 nothing has changed, 2 some quotes hold, 3 none
 */
export async function checkAnswer(file: string, json: boolean): Promise<number> {
  const check = await checkAnswerFile(file);
  const holding = check.quotes.filter(({ state }) => state === 'unchanged');
  if (json) process.stdout.write(`${JSON.stringify(check)}\n`);
  else {
    const changed = check.quotes.filter(({ state }) => state !== 'unchanged');
    const lines = [
      `${holding.length} of ${check.quotes.length} quotes are in their documents as they were.`,
      ...changed.map(({ citation, location, state, detail }) =>
        oneLine(`[${citation}] ${location}: ${state}; ${detail ?? ''}`),
      ),
      ...check.problems.map((problem) => oneLine(problem)),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  if (holding.length === check.quotes.length && check.problems.length === 0) return 0;
  return holding.length > 0 ? 2 : 3;
}
