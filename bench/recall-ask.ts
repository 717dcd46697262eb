import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askFlow, prepareAsk, readAskResult } from '../src/ask/index.ts';
import { loadConfig } from '../src/config/index.ts';
import { PassageAnswer, RUN_FILES } from '../src/contracts/index.ts';
import { openCorpus, readManifest } from '../src/corpus/index.ts';
import { Journal, readHistory } from '../src/dispatch/index.ts';
import { citedSpans } from '../src/evidence/index.ts';

/** Lines of a document, from 1, inclusive. */
export interface Citation {
  source: string;
  first: number;
  last: number;
}

export function overlap(one: Citation, other: Citation): boolean {
  return one.source === other.source && one.first <= other.last && other.first <= one.last;
}

/**
 * The whole pipeline as its driver runs it, with the extractive reader, and the lines that the answer cites.
 *
 * @param answers for each part of the answer the places that give it
 * @returns also at which step each part that is not cited got lost
 */
export async function askExtractive(
  root: string,
  base: string,
  documents: readonly string[],
  question: string,
  answers: readonly Citation[][],
): Promise<{ citations: Citation[]; lost: string[] }> {
  const config = loadConfig(root);
  const { run, params } = await prepareAsk(
    { question, input: [...documents], worker: 'extractive', cache: false },
    { root, cwd: base, config: config.values, allowedRoots: null, environment: {} },
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
  const { answer, reduced } = readAskResult(run);
  if (end.state !== 'completed' || answer === undefined)
    throw new Error(`the ask ended ${end.state}: ${end.reason}`);
  const evidence = reduced?.evidence;
  const cited = new Set(evidence === undefined ? [] : citedSpans(answer, evidence).flat());
  const items = (evidence?.items ?? []).map((item) => ({
    source: item.source,
    first: item.line_start,
    last: item.line_end,
    cited: cited.has(item),
  }));
  const citations = items.filter((item) => item.cited);
  const quoted: Citation[] = items;
  const read = await readBy(run.dir);
  const lost = answers.flatMap((places) => {
    const within = (spans: readonly Citation[]) =>
      places.some((place) => spans.some((span) => overlap(span, place)));
    if (within(citations)) return [];
    if (within(quoted)) return ['quoted, not shown'];
    if (within(read.relevant)) return ['in a chunk of which other words were quoted'];
    return within(read.all) ? ['in a chunk that was found irrelevant'] : ['in a chunk that was not chosen'];
  });
  return { citations, lost };
}

/** The chunks that jobs read, and those of them that were found relevant. */
async function readBy(runDir: string): Promise<{ all: Citation[]; relevant: Citation[] }> {
  const chunks = new Map<string, Citation>();
  for await (const chunk of readManifest(await openCorpus(runDir)))
    chunks.set(chunk.chunk_id, { source: chunk.source, first: chunk.line_start, last: chunk.line_end });
  const all: Citation[] = [];
  const relevant: Citation[] = [];
  for (const name of readdirSync(join(runDir, 'subresults'))) {
    const file = join(runDir, 'subresults', name);
    const { relevant: bears } = PassageAnswer.parse(JSON.parse(readFileSync(file, 'utf8')));
    const spans = spansOf(runDir, name.replace(/\.json$/, '')).flatMap((id) => chunks.get(id) ?? []);
    all.push(...spans);
    if (bears) relevant.push(...spans);
  }
  return { all, relevant };
}

function spansOf(runDir: string, jobId: string): string[] {
  const lines = readFileSync(join(runDir, RUN_FILES.jobs), 'utf8').split('\n');
  const line = lines.find((one) => one.includes(`"job_id":"${jobId}"`)) ?? '';
  return [...line.matchAll(/"chunk_id":"(c-\d+)"/g)].map(([, id = '']) => id);
}
