/*
 * Real Codex on a model on loopback that answers at once: jobs a second at 8 parallel of the app-server lane and
 * of the lean exec lane, against plain `codex exec` (the native program) driven by `xargs -P8` with the same
 * prompts, in alternating rounds. Targets: 2.2 and 1.2 times plain, at most 4 kB a request before the chunk.
 * With `--long`, 2,000 jobs on the app-server lane instead: its rate by quarters, and the memory of the worker
 * (at most 500 MB).
 * Run: node scripts/run.mjs bench/codex.ts [--jobs=120] [--rounds=3] [--long] [--write]
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { findCodex } from '../src/workers/codex/installation.ts';
import { STRICT_ANSWER_SCHEMA } from '../test/support/answer-schema.ts';
import { isolatedCodex } from '../test/support/codex-home.ts';
import { processesMarked } from '../test/support/marked-processes.ts';
import { startModelServer } from '../test/support/model-server.ts';
import { megabytes, type Peak, timed, watched } from './programs.ts';
import { median, report, times } from './report.ts';

const RLM = resolve('dist/rlm.js');
const LONG = process.argv.includes('--long');
const JOBS = option('jobs', LONG ? 2000 : 120);
const ROUNDS = option('rounds', 3);
const PARALLEL = 8;
/** About 1 kB, so that requests are weighed and not the chunk. */
const CHUNK_LINES = 20;
const QUARTERS = 4;

const Event = z.looseObject({ ts: z.string(), type: z.string() });

interface Round {
  /** From the start of the program to its exit. */
  seconds: number;
  /** Jobs a second from the first launch to the last result, and by quarters of the jobs; of `rlm` only. */
  steady?: { rate: number; quarters: number[] };
  /** The largest request, less its chunk. */
  requestBytes: number;
  peak: Peak;
}

const base = realpathSync(mkdtempSync(join(tmpdir(), 'rlm-bench-')));
const jobs = Array.from({ length: JOBS }, (_, index) => `j-${String(index).padStart(5, '0')}`);
const model = await startModelServer({
  keyOf: (prompt) => prompt,
  reply: ({ prompt }) => ({
    kind: 'answer',
    text: answerAbout(jobOf(prompt)),
    usage: { input: 900, output: 60 },
  }),
});
try {
  const { env: own } = isolatedCodex(join(base, 'user'), model.url);
  const env = { ...withoutProxies(process.env), ...own };
  writeJobs();
  if (LONG) await long(env);
  else await compare(env);
} finally {
  await model.close();
  rmSync(base, { recursive: true, force: true });
}

async function compare(env: NodeJS.ProcessEnv): Promise<void> {
  // A first round of each warms the caches of files and probes, and leaves the prompts for `xargs`.
  await batch('exec', env, join(base, 'prompts'));
  const native = findCodex(undefined, env).file;
  const ways: Array<[string, () => Promise<Round>]> = [
    ['`codex exec`, `xargs -P8`', () => plain(native, env)],
    ['`rlm batch --lane exec`', () => batch('exec', env)],
    ['`rlm batch --lane app-server`', () => batch('app-server', env)],
  ];
  for (const [, run] of ways) await run();
  const taken = new Map<string, Round[]>(ways.map(([way]) => [way, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [way, run] of ways) taken.get(way)?.push(await run());
  }
  const rounds = (way: string) => taken.get(way) ?? [];
  const rate = (way: string) => JOBS / median(rounds(way).map(({ seconds }) => seconds));
  const floor = rate(ways[0]?.[0] ?? '');
  report({
    title: `Real Codex, ${JOBS} jobs at ${PARALLEL} parallel (bench/codex.ts)`,
    columns: [
      'way',
      'jobs/s',
      '× plain',
      'jobs/s, first launch to last result',
      'request before the chunk',
      'largest worker',
    ],
    rows: ways.map(([way]) => {
      const steady = rounds(way).flatMap((round) => (round.steady === undefined ? [] : [round.steady.rate]));
      return [
        way,
        rate(way).toFixed(1),
        times(rate(way) / floor),
        steady.length === 0 ? '' : median(steady).toFixed(1),
        `${Math.max(...rounds(way).map(({ requestBytes }) => requestBytes))} B`,
        megabytes(Math.max(...rounds(way).map(({ peak }) => peak.one))),
      ];
    }),
    notes: [
      `Median of ${ROUNDS} alternating rounds after one of each to warm up; a chunk of 1 kB in every prompt; the model answers at once and runs on the same cores. \`rlm batch\` is timed from its start to its exit.`,
    ],
  });
}

async function long(env: NodeJS.ProcessEnv): Promise<void> {
  const round = await batch('app-server', env);
  const quarters = round.steady?.quarters ?? [];
  report({
    title: `Real Codex, ${JOBS} jobs on the app-server lane (bench/codex.ts --long)`,
    columns: ['measure', 'value'],
    rows: [
      ['jobs/s, start to exit', (JOBS / round.seconds).toFixed(1)],
      ...quarters.map((rate, index) => [`jobs/s of quarter ${index + 1}`, rate.toFixed(1)]),
      ['slowest quarter ÷ fastest', times(Math.min(...quarters) / Math.max(...quarters))],
      ['largest worker process', megabytes(round.peak.one)],
      ['all worker processes together', megabytes(round.peak.together)],
      ['largest request before the chunk', `${round.requestBytes} B`],
    ],
    notes: [`${PARALLEL} parallel; memory from /proc, four looks a second.`],
  });
}

/** One `rlm batch`; every job must have been answered. */
async function batch(
  lane: 'exec' | 'app-server',
  env: NodeJS.ProcessEnv,
  keepPrompts?: string,
): Promise<Round> {
  const run = join(base, 'run');
  model.calls.length = 0;
  const flags = ['--worker', 'codex', '--lane', lane, '--parallel', String(PARALLEL), '--no-cache'];
  const { value, peak } = await watched(
    () => processesMarked(run),
    timed(process.execPath, [RLM, 'batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', ...flags], {
      cwd: base,
      env,
    }),
  );
  if (value.code !== 0)
    throw new Error(`rlm batch --lane ${lane}: exit ${value.code}\n${value.stdout}${value.stderr}`);
  const steady = rates(readFileSync(join(run, 'events.jsonl'), 'utf8'));
  if (keepPrompts !== undefined) {
    mkdirSync(keepPrompts);
    for (const id of jobs) {
      writeFileSync(join(keepPrompts, id), readFileSync(join(run, 'prompts', `${id}.attempt1.txt`)));
    }
  }
  rmSync(run, { recursive: true });
  return { seconds: value.seconds, steady, requestBytes: requestBytes(), peak };
}

/** What a person writes who has `codex exec` and `xargs`; every prompt must have been answered. */
async function plain(native: string, env: NodeJS.ProcessEnv): Promise<Round> {
  const out = join(base, 'out');
  mkdirSync(out);
  model.calls.length = 0;
  const script =
    'exec "$0" exec --json --skip-git-repo-check --sandbox read-only --output-schema schema.json -o "out/$1" - < "prompts/$1" > "out/$1.jsonl" 2> /dev/null';
  const { value, peak } = await watched(
    () => processesMarked('plain'),
    timed('xargs', [`-P${PARALLEL}`, '-n1', 'sh', '-c', script, native], {
      cwd: base,
      env: { ...env, RLM_WORKER_OF: 'plain' },
      input: `${jobs.join('\n')}\n`,
    }),
  );
  const answered = readdirSync(out).filter((name) => !name.endsWith('.jsonl')).length;
  if (value.code !== 0 || answered !== JOBS)
    throw new Error(`codex exec: ${answered} of ${JOBS}; ${value.stderr}`);
  rmSync(out, { recursive: true });
  return { seconds: value.seconds, requestBytes: requestBytes(), peak };
}

/** Rates of a run by its own journal. */
function rates(journal: string): { rate: number; quarters: number[] } {
  const events = journal
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Event.parse(JSON.parse(line)));
  const at = (type: string) => events.filter((event) => event.type === type).map(({ ts }) => Date.parse(ts));
  const [first = Number.NaN] = at('attempt_started');
  const results = at('result');
  const ends = Array.from(
    { length: QUARTERS },
    (_, quarter) => results[Math.ceil((results.length * (quarter + 1)) / QUARTERS) - 1] ?? Number.NaN,
  );
  const perSecond = (count: number, from: number, to: number) => (count / (to - from)) * 1000;
  return {
    rate: perSecond(results.length, first, ends.at(-1) ?? Number.NaN),
    quarters: ends.map((end, index) => perSecond(results.length / QUARTERS, ends[index - 1] ?? first, end)),
  };
}

/** Bytes of the largest request without the chunk in it. */
function requestBytes(): number {
  return Math.max(
    ...model.calls.map(({ bytes, prompt }) => bytes - (JSON.stringify(chunkOf(jobOf(prompt))).length - 2)),
  );
}

function writeJobs(): void {
  mkdirSync(join(base, 'chunks'));
  writeFileSync(join(base, 'schema.json'), JSON.stringify(STRICT_ANSWER_SCHEMA));
  const lines = jobs.map((id) => {
    writeFileSync(join(base, 'chunks', id), chunkOf(id));
    return JSON.stringify({
      job_id: id,
      chunk_id: `c-${id}`,
      chunk_path: `chunks/${id}`,
      question: `What is the code word of ${id}?`,
      output_path: `subresults/${id}.json`,
      schema_path: 'schema.json',
      sandbox: 'read-only',
    });
  });
  writeFileSync(join(base, 'jobs.jsonl'), `${lines.join('\n')}\n`);
}

function chunkOf(id: string): string {
  return `The code word of ${id} is w-${id}.\n${'A line of text about nothing that matters here.\n'.repeat(CHUNK_LINES)}`;
}

function jobOf(prompt: string): string {
  return /^chunk_id: c-(\S+)$/m.exec(prompt)?.[1] ?? '';
}

function answerAbout(id: string): string {
  const quote = `The code word of ${id} is w-${id}.`;
  return JSON.stringify({
    chunk_id: `c-${id}`,
    relevant: true,
    summary: quote,
    confidence: 0.8,
    evidence: [{ loc: 'somewhere:1-1', quote, note: 'says it' }],
    gaps: [],
    errors: [],
  });
}

/** Nothing may come between Codex and the loopback model, nor name another Codex. */
function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/_proxy$|^RLM_|^CODEX_|^OPENAI_/i.test(name)),
  );
}

function option(name: string, otherwise: number): number {
  const given = process.argv.find((argument) => argument.startsWith(`--${name}=`));
  return given === undefined ? otherwise : Number(given.slice(name.length + 3));
}
