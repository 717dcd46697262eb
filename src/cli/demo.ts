import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { startActivity } from '../activities/index.ts';
import { prepareBatch } from '../batch/index.ts';
import { loadConfig } from '../config/index.ts';
import { BatchSummary, type JobRecord, WorkerAnswer } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory, writeFileAtomic, writeJsonAtomic } from '../files/index.ts';
import { createRun, RUN_FILES, type RunHandle } from '../runs/index.ts';
import { exitCodeOf } from './closing.ts';
import { followRun } from './follow.ts';
import { oneLine } from './format.ts';

/** Packages that this one depends on, directly or not, and that ship documentation; whichever are there are read. */
const PACKAGES = ['html-to-text', 'mammoth', 'unpdf', 'jszip', 'htmlparser2', '@xmldom/xmldom', 'selderee'];
const QUESTION = 'What does mergePages do when text is extracted from a PDF?';
/** A chunk is whole lines of at most about this size, bytes. */
const CHUNK_BYTES = 4000;
const SHOWN_CHUNKS = 3;
const SHOWN_QUOTES = 2;

/**
 * `rlm demo`: a real batch over the documentation of installed packages, with the extractive reader, which
 * needs no model: progress on stderr, then the best answers with their quotes.
 *
 * @returns the exit code of the batch
 * @throws RlmError `unavailable` when no documentation is installed
 */
export async function runDemo(
  root: string,
  options: { question: string | undefined; worker: 'auto' | 'codex' | 'claude' | 'extractive' },
): Promise<number> {
  const question = options.question ?? QUESTION;
  const documents = findDocuments();
  if (documents.length === 0) {
    throw new RlmError(
      'unavailable',
      'none of the packages whose documentation the demo reads is installed',
      {
        hint: `Install rlm-mcp with its dependencies; the demo looks for ${PACKAGES.join(', ')}.`,
      },
    );
  }
  const run = createRun(root, { kind: 'batch', title: `Demo: ${question}` });
  const inputs = join(run.dir, 'inputs');
  ensureDirectory(inputs);
  const schemaPath = join(inputs, 'subresult.schema.json');
  writeJsonAtomic(schemaPath, z.toJSONSchema(WorkerAnswer));
  const jobs = documents.flatMap((document, index) => jobsOf(document, index, question, schemaPath));
  writeFileAtomic(join(run.dir, RUN_FILES.jobs), jobs.map((job) => `${JSON.stringify(job)}\n`).join(''));

  const bytes = documents.reduce((sum, { path }) => sum + statSync(path).size, 0);
  say(`Question: ${oneLine(question)}`);
  say(
    `Reading ${documents.length} documents (${Math.round(bytes / 1000)} kB) as ${jobs.length} chunks, one job each.`,
  );
  const { params } = await prepareBatch(
    { runId: run.id, work: { worker: options.worker, cache: false } },
    { root, cwd: root, config: loadConfig(root).values, allowedRoots: null, environment: process.env },
  );
  await startActivity(run, 'batch', params);
  const { status, interrupted } = await followRun(run);
  if (interrupted !== undefined) return interrupted;
  if (existsSync(join(run.dir, RUN_FILES.summary))) showAnswers(run);
  say(nextSteps(options.worker));
  return exitCodeOf(status);
}

interface Document {
  name: string;
  path: string;
}

/** Markdown files at the top of those packages that can be found from here. */
function findDocuments(): Document[] {
  const places = createRequire(import.meta.url).resolve.paths('rlm-mcp') ?? [];
  return PACKAGES.flatMap((name) => {
    const directory = places.map((place) => join(place, name)).find((path) => existsSync(path));
    if (directory === undefined) return [];
    const files = readdirSync(directory).filter(
      (file) => /\.(md|markdown)$/i.test(file) && !/^licen[cs]e/i.test(file),
    );
    return files.sort().map((file) => ({ name: `${name}/${file}`, path: join(directory, file) }));
  });
}

/** One job a chunk: whole lines, given as a span of bytes of the document, so that nothing is copied. */
function jobsOf({ name, path }: Document, index: number, question: string, schemaPath: string): JobRecord[] {
  return spansOf(readFileSync(path)).map((span, at) => {
    const id = `d${index + 1}-c${String(at + 1).padStart(3, '0')}`;
    return {
      job_id: id,
      chunk_id: id,
      chunk_path: path,
      question,
      output_path: `${RUN_FILES.subresults}/${id}.json`,
      schema_path: schemaPath,
      sandbox: 'read-only',
      spans: [{ chunk_id: id, path, source: name, ...span }],
    };
  });
}

function spansOf(text: Buffer): { byte_start: number; byte_end: number; line_start: number }[] {
  const spans: { byte_start: number; byte_end: number; line_start: number }[] = [];
  let line = 1;
  for (let start = 0; start < text.length; ) {
    const limit = Math.min(text.length, start + CHUNK_BYTES);
    const lastEnd = text.lastIndexOf(0x0a, limit - 1);
    // A line that is longer than a chunk stays whole.
    const nextEnd = lastEnd >= start ? lastEnd : text.indexOf(0x0a, limit);
    const end = limit === text.length || nextEnd === -1 ? text.length : nextEnd + 1;
    spans.push({ byte_start: start, byte_end: end, line_start: line });
    for (let at = start; at < end; at += 1) if (text[at] === 0x0a) line += 1;
    start = end;
  }
  return spans;
}

/** The chunks that bear most on the question, and their quotes, which the batch has found in the documents. */
function showAnswers(run: RunHandle): void {
  const summary = BatchSummary.parse(JSON.parse(readFileSync(join(run.dir, RUN_FILES.summary), 'utf8')));
  const answers = summary.results
    // A model may put a quote in its own words: its answer is then counted below, and not shown.
    .filter(({ status, quotes_missing }) => status === 'success' && quotes_missing === 0)
    .map((row) => WorkerAnswer.parse(JSON.parse(readFileSync(join(run.dir, row.output_path), 'utf8'))));
  const relevant = answers.filter((answer) => answer.relevant).sort((a, b) => b.confidence - a.confidence);
  const verified = summary.results.reduce((sum, row) => sum + row.quotes_verified, 0);
  const missing = summary.results.reduce((sum, row) => sum + row.quotes_missing, 0);
  const closest = relevant.length === 0 ? '' : ' The closest:';
  say(`\n${relevant.length} of ${answers.length} chunks bear on the question.${closest}`);
  for (const answer of relevant.slice(0, SHOWN_CHUNKS)) {
    say(`\n  ${answer.chunk_id}, confidence ${answer.confidence}`);
    for (const { loc, quote } of answer.evidence.slice(0, SHOWN_QUOTES)) {
      say(`    ${oneLine(loc)}\n      “${oneLine(quote)}”`);
    }
  }
  say(`\n${verified} quotes stand word for word in their documents; ${missing} do not.`);
  say(`All of it: ${run.dir}`);
}

/** What to do next, in commands that work as they stand here. */
function nextSteps(worker: string): string {
  const program = process.argv[1] ?? 'rlm';
  const rlm = basename(program) === 'rlm' ? 'rlm' : `node ${program}`;
  const server = `node ${realpathSync(program)} mcp`;
  const models = `
The extractive reader picks sentences; it does not think. For answers by a model, log in to one
(codex login, or claude auth login), then:
  ${rlm} doctor
  ${rlm} demo --worker auto`;
  return `${worker === 'extractive' ? models : ''}
To give the tools to an agent:
  codex mcp add rlm -- ${server}
  claude mcp add rlm -- ${server}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
