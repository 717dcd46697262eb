/*
 * The first question to a corpus, of four words, against reading its bytes, and against `minisearch` and SQLite
 * FTS5 (build and query) over the same chunks of 4 kB. The peers run on a sixteenth: minisearch does not hold
 * more in memory.
 * Run: node scripts/run.mjs bench/search.ts [megabytes] [--write]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import MiniSearch from 'minisearch';
import { ingest, openCorpus, search } from '../src/corpus/index.ts';
import { median, writeTexts } from './corpus-texts.ts';
import { report } from './report.ts';

const PART = '--part';
const ROUNDS = 3;
/** The texts have about 5 bytes a token: chunks of 4 kB. */
const TARGET_TOKENS = 800;
const ENGLISH = 'remove access of a customer whose account expired';

interface Measured {
  ms: number;
  /** User and system time. */
  cpu?: number;
  rss: number;
  detail: string;
}

async function main(): Promise<void> {
  const megabytes = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 1024);
  const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
  try {
    const all = await prepare(root, 'all', megabytes);
    const sample = await prepare(root, 'sample', Math.max(16, megabytes / 16));
    const rows: Array<Array<string | number>> = [];
    for (const corpus of [all, sample]) {
      const cat: number[] = [];
      const scans: Measured[] = [];
      const expanded: Measured[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const started = performance.now();
        execFileSync('sh', ['-c', `cat '${corpus.texts}'/* > /dev/null`]);
        cat.push(performance.now() - started);
        scans.push(inProcess(process.execPath, 'scan', corpus));
        expanded.push(inProcess(process.execPath, 'words', corpus));
      }
      const floor = median(cat);
      const row = (name: string, { ms, cpu, rss, detail }: Measured) =>
        rows.push([
          name,
          seconds(ms),
          (ms / floor).toFixed(1),
          cpu === undefined ? '' : seconds(cpu),
          `${rss} MB`,
          detail,
        ]);
      row(`\`cat\` of ${corpus.megabytes} MB`, { ms: floor, rss: 2, detail: '' });
      row('rlm: scan', middle(scans));
      row('rlm: scan, English question', middle(expanded));
      if (corpus === sample) {
        row('minisearch: build + query', inProcess(process.execPath, 'minisearch', corpus));
        row('SQLite FTS5: build + query (node 24)', inProcess('node24', 'fts5', corpus));
      }
    }
    report({
      title: 'Search: `bench/search.ts`',
      columns: ['first question', 's', '× cat', 'CPU s', 'peak memory', ''],
      rows,
      notes: [
        `Chunks of ${TARGET_TOKENS} tokens (4 kB); the question "${all.question}", and the English one "${ENGLISH}". Medians of ${ROUNDS} rounds, each in a process of its own, from opening the corpus to the hits.`,
      ],
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Prepared {
  megabytes: number;
  texts: string;
  run: string;
  question: string;
}

async function prepare(root: string, name: string, megabytes: number): Promise<Prepared> {
  const texts = join(root, name);
  const run = join(root, `${name}-run`);
  const words = writeTexts(texts, megabytes);
  await ingest(run, ['.'], { base: texts, targetTokens: TARGET_TOKENS });
  // One frequent word (in every fourth chunk), two of the middle, a rare one.
  const question = [400, 3000, 9000, 30_000].map((rank) => words[rank]).join(' ');
  return { megabytes, texts, run, question };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 100 ? 4 : 2);
}

function middle(measured: readonly Measured[]): Measured {
  const ms = median(measured.map((one) => one.ms));
  return measured.find((one) => one.ms === ms) ?? { ms, rss: 0, detail: '' };
}

function inProcess(node: string, part: string, { run, question }: Prepared): Measured {
  const [file, args] = node === 'node24' ? ['npx', ['-y', 'node@24']] : [node, []];
  const flags = ['--max-old-space-size=8192', process.argv[1] ?? '', PART, part, run, question];
  const output = execFileSync(file, [...args, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(output.toString());
}

/** One measurement in a process of its own; from opening the corpus to the answer. */
async function part(name: string, run: string, question: string): Promise<void> {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  let detail = '';
  if (name === 'scan' || name === 'words') {
    const asked = name === 'scan' ? question : ENGLISH;
    const [result] = await search(run, [asked]);
    detail = `${result?.matching_chunks} chunks matched`;
  } else if (name === 'minisearch') {
    const peer = new MiniSearch({ fields: ['text'] });
    for (const { id, text } of await chunks(run)) peer.add({ id, text });
    detail = `${peer.search(question).length} chunks matched`;
  } else {
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(':memory:');
    database.exec("CREATE VIRTUAL TABLE peer USING fts5(text, content='', tokenize='porter'); BEGIN");
    const insert = database.prepare('INSERT INTO peer (rowid, text) VALUES (?, ?)');
    for (const { id, text } of await chunks(run)) insert.run(id, text);
    database.exec('COMMIT');
    const match = database.prepare('SELECT rowid FROM peer WHERE peer MATCH ? ORDER BY rank LIMIT 10');
    detail = `${match.all(question.split(' ').join(' OR ')).length} of the best`;
  }
  const ms = performance.now() - started;
  const cpu = milliseconds(process.cpuUsage(cpuBefore));
  console.log(JSON.stringify({ ms, cpu, rss: Math.round(process.resourceUsage().maxRSS / 1024), detail }));
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

/** The chunks as a peer would get them: read whole, one file at a time. */
async function chunks(run: string): Promise<Iterable<{ id: number; text: string }>> {
  const { sources, spans } = await openCorpus(run);
  return (function* () {
    let open: { source: number; bytes: Buffer } | undefined;
    for (let ordinal = 0; ordinal < spans.count; ordinal += 1) {
      const source = spans.source(ordinal);
      if (open?.source !== source) open = { source, bytes: readFileSync(sources[source]?.file ?? '') };
      const start = spans.start(ordinal);
      yield { id: ordinal + 1, text: open.bytes.toString('utf8', start, start + spans.length(ordinal)) };
    }
  })();
}

const [, , flag, name, run, question] = process.argv;
await (flag === PART && name !== undefined && run !== undefined && question !== undefined
  ? part(name, run, question)
  : main());
