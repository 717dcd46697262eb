/*
 * How often the lines that answer a question lie within what is cited: plain BM25 over windows of 4 kB (the
 * peer), the expanded search, hybrid search where RLM_BENCH_EMBEDDINGS_URL and RLM_BENCH_EMBEDDINGS_MODEL name
 * an endpoint, and the extractive ask end to end. The reader is tuned on two sets over npm packages; the hold-out is
 * over manuals and sources.
 * Run: node scripts/run.mjs bench/recall.ts [--write] [--tuning] [--show]
 * `--tuning` leaves the hold-out alone; `--show` prints what was cited for each question of the tuning sets.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type EmbeddingEndpoint, ingest, openCorpus, search, textFile } from '../src/corpus/index.ts';
import { RlmError } from '../src/errors.ts';
import { askExtractive, type Citation, overlap } from './recall-ask.ts';
import { MANUALS } from './recall-manuals.ts';
import { TUNING } from './recall-questions.ts';
import { SECOND_TUNING } from './recall-questions-2.ts';
import type { Place, QuestionSet, RecallQuestion } from './recall-set.ts';
import { windowSearch } from './recall-windows.ts';
import { report } from './report.ts';

/** A question with its answer as lines: a part is answered by any of its places. */
interface Asked extends RecallQuestion {
  answers: Citation[][];
}

interface Answered {
  question: Asked;
  found: boolean;
  citations: Citation[];
  /** Where each part that was not found got lost; of the extractive ask only. */
  lost?: string[];
}

const NODE_MODULES = resolve('node_modules');
/** About 4 kB, as the peer's windows. */
const CHUNK_TOKENS = 1000;
const EXTRACTIVE = '**extractive ask**, end to end';

async function main(): Promise<void> {
  const show = process.argv.includes('--show');
  await measure('tuning set', [TUNING], show);
  await measure('second tuning set', [SECOND_TUNING], show);
  // What it cites is never shown: it would end up in the tuning.
  if (!process.argv.includes('--tuning')) await measure('hold-out', MANUALS, false);
}

/** Asks the questions of each set over the documents of that set, and reports them together. */
async function measure(name: string, sets: readonly QuestionSet[], show: boolean): Promise<void> {
  const rows = new Map<string, Answered[]>();
  const notes: string[] = [];
  for (const set of sets) {
    const base = set.base ?? NODE_MODULES;
    const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
    try {
      const ingested = await ingest(join(root, 'corpus'), [...set.documents], {
        base,
        targetTokens: CHUNK_TOKENS,
      });
      const texts = await textsOf(join(root, 'corpus'));
      const questions = resolved(set.questions, texts);
      const embeddings = endpoint(root);
      const answered = await searched(join(root, 'corpus'), texts, questions, embeddings);
      const asked = await each(questions, ({ ask, answers }) =>
        askExtractive(root, base, set.documents, ask, answers),
      );
      if (show) for (const one of asked) showAnswered(one, texts);
      for (const [way, of] of [...answered, [EXTRACTIVE, asked] as const]) {
        rows.set(way, [...(rows.get(way) ?? []), ...of]);
      }
      const kilobytes = Math.round(ingested.bytes / 1000);
      notes.push(
        `${set.about} ${questions.length} questions over ${ingested.sources_read} documents (${kilobytes} kB).`,
      );
    } catch (error) {
      // A machine may lack the documents; the questions over them are left out, and the report says so.
      if (!(error instanceof RlmError) || set.base === undefined) throw error;
      notes.push(`Not measured, its documents are not on this machine: ${set.about}`);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }
  report({
    title: `Recall, ${name} (bench/recall.ts)`,
    columns: COLUMNS,
    rows: [...rows].map(([way, answered]) => [way, ...figures(answered)]),
    notes: [
      ...notes,
      `Parts of answers that the extractive ask lost: ${lossesOf(rows.get(EXTRACTIVE) ?? [])}.`,
    ],
  });
}

/** The text of each document, as it was extracted. */
async function textsOf(runDir: string): Promise<Map<string, string>> {
  const corpus = await openCorpus(runDir);
  return new Map(
    corpus.sources.flatMap((source) =>
      source.status === 'read'
        ? [[source.path, readFileSync(textFile(corpus, source), 'utf8')] as const]
        : [],
    ),
  );
}

/** What the searches alone give: the peer's windows, and chunks. */
async function searched(
  runDir: string,
  texts: ReadonlyMap<string, string>,
  questions: Asked[],
  embeddings: EmbeddingEndpoint | undefined,
): Promise<[string, Answered[]][]> {
  const corpus = await openCorpus(runDir);
  const peer = windowSearch(texts);
  const rows: [string, Answered[]][] = [];
  for (const k of [1, 3, 5]) {
    const way = `BM25 over 4 kB windows, best ${k}`;
    rows.push([way, await each(questions, async ({ ask }) => ({ citations: peer(ask, k) }))]);
  }
  for (const [name, mode] of [
    ['expanded search', 'bm25'],
    ['hybrid search', 'hybrid'],
  ] as const) {
    if (mode === 'hybrid' && embeddings === undefined) continue;
    for (const k of [1, 3, 5]) {
      const options = { mode, topK: k, ...(embeddings === undefined ? {} : { embeddings }) };
      const cite = async ({ ask }: Asked) => {
        const [result] = await search(corpus, [ask], options);
        const hits = result?.hits ?? [];
        return {
          citations: hits.map((hit) => ({
            source: hit.source,
            first: hit.line_start,
            last: hit.line_end,
          })),
        };
      };
      rows.push([`${name}, best ${k}`, await each(questions, cite)]);
    }
  }
  return rows;
}

/** Answers as lines. A set in which some words do not stand exactly once is refused. */
function resolved(questions: readonly RecallQuestion[], texts: ReadonlyMap<string, string>): Asked[] {
  const problems: string[] = [];
  const lines = ([source, words, context = '']: Place): Citation => {
    const [before = '', ...rest] = (texts.get(source) ?? '').split(context + words);
    if (rest.length !== 1) problems.push(`${source} has ${rest.length} times: ${words}`);
    const first = (before + context).split('\n').length;
    return { source, first, last: first + words.trimEnd().split('\n').length - 1 };
  };
  const all = questions.map((question) => ({
    ...question,
    answers: question.parts.map((places) => places.map(lines)),
  }));
  if (problems.length > 0) throw new Error(`answers that are not unique:\n${problems.join('\n')}`);
  return all;
}

async function each(
  questions: Asked[],
  cite: (question: Asked) => Promise<{ citations: Citation[]; lost?: string[] }>,
): Promise<Answered[]> {
  const answered: Answered[] = [];
  for (const question of questions) {
    const result = await cite(question);
    const found = question.answers.every((places) =>
      places.some((place) => result.citations.some((one) => overlap(one, place))),
    );
    answered.push({ question, ...result, found: found && question.answers.length > 0 });
  }
  return answered;
}

function endpoint(root: string): EmbeddingEndpoint | undefined {
  const { RLM_BENCH_EMBEDDINGS_URL: url, RLM_BENCH_EMBEDDINGS_MODEL: model } = process.env;
  return url === undefined || model === undefined
    ? undefined
    : { url, model, cacheDirectory: join(root, 'embeddings') };
}

const COLUMNS = [
  '',
  'direct',
  'paraphrased',
  'several passages',
  'all answered',
  'citations an answer',
  'lines a citation',
  'unanswerable left uncited',
];

function figures(answered: Answered[]): string[] {
  const of = (...kinds: RecallQuestion['kind'][]) =>
    answered.filter(({ question }) => kinds.includes(question.kind));
  const found = (...kinds: RecallQuestion['kind'][]) =>
    share(of(...kinds).filter((one) => one.found).length, of(...kinds).length);
  const answerable = of('direct', 'paraphrased', 'several').filter(({ citations }) => citations.length > 0);
  const citations = answerable.flatMap((one) => one.citations);
  const lines = citations.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const none = of('unanswerable');
  return [
    found('direct'),
    found('paraphrased'),
    found('several'),
    found('direct', 'paraphrased', 'several'),
    (citations.length / Math.max(1, answerable.length)).toFixed(1),
    (lines / Math.max(1, citations.length)).toFixed(1),
    share(none.filter((one) => one.citations.length === 0).length, none.length),
  ];
}

function share(part: number, of: number): string {
  return `${part}/${of} (${Math.round((100 * part) / Math.max(1, of))} %)`;
}

function lossesOf(asked: Answered[]): string {
  const counts = new Map<string, number>();
  for (const why of asked.flatMap(({ lost }) => lost ?? [])) counts.set(why, (counts.get(why) ?? 0) + 1);
  const parts = asked.reduce((sum, { question }) => sum + question.answers.length, 0);
  return `${[...counts].map(([why, count]) => `${count} ${why}`).join(', ')}, of ${parts}`;
}

function showAnswered(
  { question, found, citations, lost = [] }: Answered,
  texts: ReadonlyMap<string, string>,
): void {
  const shown = ({ source, first, last }: Citation): string => {
    const lines = (texts.get(source) ?? '').split('\n').slice(first - 1, last);
    return `${source}:${first}-${last} ${lines.join(' ').replace(/\s+/g, ' ').slice(0, 150)}`;
  };
  const good = question.kind === 'unanswerable' ? citations.length === 0 : found;
  console.log(`${good ? 'ok  ' : 'MISS'} ${question.kind}: ${question.ask} ${lost.join('; ')}`);
  if (!good)
    for (const places of question.answers) console.log(`       wanted ${places.map(shown).join(' | ')}`);
  for (const citation of citations) console.log(`       ${shown(citation)}`);
}

await main();
