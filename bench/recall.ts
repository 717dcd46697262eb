/*
 * How often the lines that answer a question lie within what is cited: plain BM25 over windows of 4 kB (the
 * peer), the expanded search, hybrid search where RLM_BENCH_EMBEDDINGS_URL and RLM_BENCH_EMBEDDINGS_MODEL name
 * an endpoint, and the extractive ask end to end. Questions and documents: `recall-questions.ts`. The extractive
 * reader was tuned on every other question of each kind. The other half is a row of its own, but no clean
 * hold-out: its misses were looked at too, and word groups were added (`language/field-words.ts`) after that.
 * Run: node scripts/run.mjs bench/recall.ts [--write] [--show]
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { askFlow, prepareAsk, readAskResult } from '../src/ask/index.ts';
import { loadConfig } from '../src/config/index.ts';
import { type EmbeddingEndpoint, ingest, openCorpus, search } from '../src/corpus/index.ts';
import { Journal, readHistory } from '../src/dispatch/index.ts';
import { writeFileAtomic } from '../src/files/index.ts';
import { RUN_FILES } from '../src/runs/index.ts';
import { DOCUMENTS, type Place, QUESTIONS, type RecallQuestion } from './recall-questions.ts';
import { windowSearch } from './recall-windows.ts';

/** Lines of a document, from 1, inclusive. */
export interface Citation {
  source: string;
  first: number;
  last: number;
}

/** A question with its answer as lines: a part is answered by any of its places. */
interface Asked extends RecallQuestion {
  tuning: boolean;
  answers: Citation[][];
}

interface Answered {
  question: Asked;
  found: boolean;
  citations: Citation[];
}

const NODE_MODULES = resolve('node_modules');
const RESULTS = 'bench/RESULTS.md';
const MARKS = ['<!-- recall -->', '<!-- /recall -->'] as const;
/** About 4 kB, as the peer's windows. */
const CHUNK_TOKENS = 1000;

async function main(): Promise<void> {
  const questions = resolved(QUESTIONS);
  const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
  try {
    const report = await ingest(join(root, 'corpus'), DOCUMENTS, {
      base: NODE_MODULES,
      targetTokens: CHUNK_TOKENS,
    });
    const corpus = await openCorpus(join(root, 'corpus'));
    const documents = corpus.sources.flatMap(({ status, path }) => (status === 'read' ? [path] : []));
    const peer = windowSearch(NODE_MODULES, documents);
    const rows: [string, Answered[]][] = [];
    for (const k of [1, 3, 5]) {
      rows.push([
        `BM25 over 4 kB windows, best ${k}`,
        await each(questions, async ({ ask }) => peer(ask, k)),
      ]);
    }
    const embeddings = endpoint(root);
    for (const [name, mode] of [
      ['expanded search', 'bm25'],
      ['hybrid search', 'hybrid'],
    ] as const) {
      if (mode === 'hybrid' && embeddings === undefined) continue;
      for (const k of [1, 3, 5]) {
        const options = { mode, topK: k, ...(embeddings === undefined ? {} : { embeddings }) };
        const cite = async ({ ask }: Asked) => {
          const [result] = await search(corpus, [ask], options);
          return (result?.hits ?? []).map(({ source, line_start, line_end }) => ({
            source,
            first: line_start,
            last: line_end,
          }));
        };
        rows.push([`${name}, best ${k}`, await each(questions, cite)]);
      }
    }
    const asked = await each(questions, ({ ask }) => askCitations(root, ask));
    if (process.argv.includes('--show')) for (const answered of asked) show(answered);
    rows.push(['**extractive ask**, end to end', asked]);
    rows.push(['extractive ask, tuning half', asked.filter(({ question }) => question.tuning)]);
    rows.push(['extractive ask, other half', asked.filter(({ question }) => !question.tuning)]);
    const text = `${[
      `${questions.length} questions over ${report.sources_read} documents (${Math.round(report.bytes / 1000)} kB) of ${new Set(DOCUMENTS.map(packageOf)).size} npm packages: ${[...new Set(DOCUMENTS.map(packageOf))].join(', ')}.`,
      embeddings === undefined
        ? 'No embeddings endpoint was given: hybrid was not measured.'
        : `Embeddings: ${embeddings.model}.`,
      'The other half is no clean hold-out: its misses were seen before the last word groups and the threshold were chosen.',
      `${availableParallelism()} cores, node ${process.version}, ${new Date().toISOString().slice(0, 10)}.`,
    ].join(' ')}\n\n${table(rows)}`;
    console.log(text);
    if (process.argv.includes('--write')) writeSection(text);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Answers as lines. A set in which some words do not stand exactly once is refused. */
function resolved(questions: readonly RecallQuestion[]): Asked[] {
  const problems: string[] = [];
  const seen = new Map<string, number>();
  const texts = new Map<string, string>();
  const lines = ([source, words, context = '']: Place): Citation => {
    const path = join(NODE_MODULES, source);
    if (!texts.has(source)) texts.set(source, existsSync(path) ? readFileSync(path, 'utf8') : '');
    const [before = '', ...rest] = (texts.get(source) ?? '').split(context + words);
    if (rest.length !== 1) problems.push(`${source} has ${rest.length} times: ${words}`);
    const first = (before + context).split('\n').length;
    return { source, first, last: first + words.split('\n').length - 1 };
  };
  const all = questions.map((question) => {
    const nth = seen.get(question.kind) ?? 0;
    seen.set(question.kind, nth + 1);
    return { ...question, tuning: nth % 2 === 0, answers: question.parts.map((places) => places.map(lines)) };
  });
  if (problems.length > 0) throw new Error(`answers that are not unique:\n${problems.join('\n')}`);
  return all;
}

async function each(questions: Asked[], cite: (question: Asked) => Promise<Citation[]>): Promise<Answered[]> {
  const answered: Answered[] = [];
  for (const question of questions) {
    const citations = await cite(question);
    const found = question.answers.every((places) =>
      places.some((place) => citations.some((one) => overlap(one, place))),
    );
    answered.push({ question, citations, found: found && question.answers.length > 0 });
  }
  return answered;
}

function overlap(one: Citation, other: Citation): boolean {
  return one.source === other.source && one.first <= other.last && other.first <= one.last;
}

/** The whole pipeline as its driver runs it, and the lines that the answer cites. */
async function askCitations(root: string, question: string): Promise<Citation[]> {
  const config = loadConfig(root);
  const { run, params } = await prepareAsk(
    { question, inputs: DOCUMENTS, work: { worker: 'extractive', cache: false } },
    { root, cwd: NODE_MODULES, config: config.values, allowedRoots: null, environment: {} },
  );
  const path = join(run.dir, RUN_FILES.events);
  const history = await readHistory(path);
  const journal = new Journal(path);
  const end = await askFlow({
    run,
    config,
    params,
    journal,
    history,
    startedAt: Date.now(),
    signal: new AbortController().signal,
    marks: {},
  });
  const { answer } = readAskResult(run);
  if (end.state !== 'completed' || answer === undefined)
    throw new Error(`the ask ended ${end.state}: ${end.reason}`);
  return answer.citations.flatMap(({ sources }) =>
    sources.map((source) => {
      const [, document = '', first, last] = /^(.*):(\d+)-(\d+)$/s.exec(source) ?? [];
      return { source: document, first: Number(first), last: Number(last) };
    }),
  );
}

function endpoint(root: string): EmbeddingEndpoint | undefined {
  const { RLM_BENCH_EMBEDDINGS_URL: url, RLM_BENCH_EMBEDDINGS_MODEL: model } = process.env;
  return url === undefined || model === undefined
    ? undefined
    : { url, model, cacheDirectory: join(root, 'embeddings') };
}

function table(rows: [string, Answered[]][]): string {
  const head = [
    '',
    'direct',
    'paraphrased',
    'several passages',
    'all answered',
    'citations an answer',
    'lines a citation',
    'unanswerable left uncited',
  ];
  const lines = rows.map(([name, answered]) => {
    const of = (...kinds: RecallQuestion['kind'][]) =>
      answered.filter(({ question }) => kinds.includes(question.kind));
    const found = (...kinds: RecallQuestion['kind'][]) =>
      share(of(...kinds).filter((one) => one.found).length, of(...kinds).length);
    const answerable = of('direct', 'paraphrased', 'several').filter(({ citations }) => citations.length > 0);
    const citations = answerable.flatMap((one) => one.citations);
    const none = of('unanswerable');
    return [
      name,
      found('direct'),
      found('paraphrased'),
      found('several'),
      found('direct', 'paraphrased', 'several'),
      (citations.length / Math.max(1, answerable.length)).toFixed(1),
      (
        citations.reduce((sum, { first, last }) => sum + last - first + 1, 0) / Math.max(1, citations.length)
      ).toFixed(1),
      share(none.filter((one) => one.citations.length === 0).length, none.length),
    ];
  });
  return [head, ['---', ...head.slice(1).map(() => '---:')], ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function share(part: number, of: number): string {
  return `${part}/${of} (${Math.round((100 * part) / Math.max(1, of))} %)`;
}

function show({ question, found, citations }: Answered): void {
  const good = question.kind === 'unanswerable' ? citations.length === 0 : found;
  console.log(
    `${good ? 'ok  ' : 'MISS'} ${question.tuning ? 'tuning' : 'held  '} ${question.kind}: ${question.ask}`,
  );
  if (!good)
    for (const places of question.answers) console.log(`       wanted ${places.map(shown).join(' | ')}`);
  for (const citation of citations) console.log(`       ${shown(citation)}`);
}

function shown({ source, first, last }: Citation): string {
  const lines = readFileSync(join(NODE_MODULES, source), 'utf8')
    .split('\n')
    .slice(first - 1, last);
  return `${source}:${first}-${last} ${lines.join(' ').replace(/\s+/g, ' ').slice(0, 150)}`;
}

function packageOf(glob: string): string {
  const [scope = '', name = ''] = glob.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

/** Replaces this bench's own part of the results, or adds it. */
function writeSection(text: string): void {
  const [begin, end] = MARKS;
  const before = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : '# Results\n';
  const section = `${begin}\n## Recall: \`bench/recall.ts\`\n\n${text}\n${end}`;
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  const after =
    from === -1 || to === -1
      ? `${before.trimEnd()}\n\n${section}\n`
      : before.slice(0, from) + section + before.slice(to + end.length);
  writeFileAtomic(RESULTS, after);
}

await main();
