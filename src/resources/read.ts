import { existsSync, readdirSync } from 'node:fs';
import { extname, join, relative, resolve } from 'node:path';
import { RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { parseLine, resolveInside } from '../files/index.ts';
import { listArchives, listRuns, openRun, type RunHandle } from '../runs/index.ts';
import { escapeMarkdown, oneLine, truncate } from '../text/index.ts';
import { parseAddress, type ResourceAddress, RUN_PARTS } from './address.ts';
import { readJob, readJobsPage, readResultsPage, readSummaryHead } from './jobs.ts';
import { type JsonPage, readJsonPage, readLinePage, readTextPage, rowsOfOnePage } from './page.ts';
import { readIterationPage, readIterationsPage } from './refine.ts';
import { type RunReport, readReport, runUri } from './report.ts';

/** One page of a resource: text for people and models, data for programs, or both. */
export interface ResourcePage {
  markdown?: string;
  json?: Record<string, unknown>;
  /** The URI of the page after this one; null at the end. */
  next: string | null;
}

/** Where runs are found, and how large a page may be, in bytes. */
export interface ReadOptions {
  root: string;
  maxBytes: number;
  /** Opens a run by its id; by default one of the root. */
  openRun?: (runId: string) => RunHandle;
}

/** Share of a page that JSON gets beside Markdown. */
const BESIDE = 0.5;

/**
 * Reads one page of a resource.
 *
 * @throws RlmError `not_found` for a run, job or file that is not there, `usage` for a bad id, query or cursor
 */
export async function readResource(uri: string, options: ReadOptions): Promise<ResourcePage> {
  const address = parseAddress(uri);
  const { root, maxBytes } = options;
  if (address.kind === 'runs') return runsPage(root, address, maxBytes);
  if (address.kind === 'archive') return paged(address, archivePage(root, address.cursor, maxBytes));
  const run = (options.openRun ?? ((id) => openRun(root, id)))(address.runId);
  switch (address.kind) {
    case 'run':
      return runPage(run);
    case 'answer':
      return answerPage(run, address, maxBytes);
    case 'jobs':
      return paged(address, await readJobsPage(run, address, maxBytes));
    case 'job':
      return paged(address, await readJob(run, address.id, maxBytes));
    case 'results':
      return paged(address, await readResultsPage(run, address.cursor, maxBytes));
    case 'events':
      return paged(address, await eventsPage(run, address.cursor, maxBytes));
    case 'iterations':
      return paged(address, readIterationsPage(run, address.cursor, maxBytes));
    case 'iteration':
      return paged(address, readIterationPage(run, address.id, maxBytes));
    case 'summary':
      return { json: summaryOf(run, maxBytes), next: null };
    case 'report':
      return textPage(address, requireFile(run, await reportFile(run, address.id)), maxBytes);
    default:
      return paged(
        address,
        readJsonPage(requireFile(run, RUN_PARTS.get(address.kind)), address.cursor, maxBytes),
      );
  }
}

/** Data with the cursor of the next page in it, and its URI beside it. */
function paged(address: ResourceAddress, { json, nextCursor }: JsonPage): ResourcePage {
  return { json: { ...json, next_cursor: nextCursor }, next: nextUri(address, nextCursor) };
}

function textPage(address: ResourceAddress, path: string, maxBytes: number): ResourcePage {
  const { text, nextCursor } = readTextPage(path, address.cursor, maxBytes);
  return { markdown: text, next: nextUri(address, nextCursor) };
}

function nextUri(address: ResourceAddress, cursor: string | null): string | null {
  if (cursor === null) return null;
  const { kind, runId, id, state, runKind } = address;
  const base =
    kind === 'runs' || kind === 'archive'
      ? `rlm://${kind}`
      : kind === 'report'
        ? `${runUri(runId)}/reports/${encodeURIComponent(id)}`
        : `${runUri(runId)}/${kind}`;
  const query = new URLSearchParams({
    ...(state === undefined ? {} : { state }),
    ...(runKind === undefined ? {} : { kind: runKind }),
    cursor,
  });
  return `${base}?${query}`;
}

function runsPage(root: string, address: ResourceAddress, maxBytes: number): ResourcePage {
  const page = listMatching(root, address, Math.floor(maxBytes * BESIDE));
  const lines = page.runs.map(
    ({ run_id, kind, state, created_at, title }) =>
      `- ${run_id}: ${kind}, ${state}, ${created_at.slice(0, 16)}: ${escapeMarkdown(oneLine(title, 60))}`,
  );
  const next = nextUri(address, page.next_cursor);
  const head = `# Runs\n\n${page.total} in all, newest first.\n\n`;
  return { markdown: head + lines.join('\n'), json: { ...page }, next };
}

/** More runs than fit a page. */
const MOST_RUNS = 200;

function listMatching(root: string, { state, runKind, cursor }: ResourceAddress, maxBytes: number) {
  const list = listRuns(root, { cursor, limit: MOST_RUNS, state, kind: runKind });
  const rows = list.runs.map((run) => ({ ...run, title: truncate(run.title, 100), uri: runUri(run.run_id) }));
  const runs = rowsOfOnePage(rows, maxBytes);
  const nextCursor = runs.length < rows.length ? (runs.at(-1)?.run_id ?? null) : list.next_cursor;
  return { runs, total: list.total, next_cursor: nextCursor };
}

function archivePage(root: string, cursor: string | undefined, maxBytes: number): JsonPage {
  const list = listArchives(root, { cursor, limit: 25 });
  const rows = list.archives.map((archive) => ({
    ...archive,
    goal_summary: truncate(archive.goal_summary, 100),
    termination_reason: truncate(archive.termination_reason, 100),
    in_use_by: archive.in_use_by.slice(0, 5),
  }));
  const archives = rowsOfOnePage(rows, maxBytes);
  const last = archives.at(-1)?.archive_id;
  const nextCursor = archives.length < rows.length ? (last ?? null) : list.next_cursor;
  return { json: { archives, unreadable: list.unreadable, total: list.total }, nextCursor };
}

async function runPage(run: RunHandle): Promise<ResourcePage> {
  const report = await readReport(run);
  const parts = partsOf(run);
  return { markdown: runText(report, parts), json: { ...report, parts }, next: null };
}

function runText(report: RunReport, parts: readonly string[]): string {
  const { run_id, kind, state, reason, progress, title, next, run_dir } = report;
  const { total, accepted, failed, running, usage, cost_usd } = progress;
  return [
    `# ${escapeMarkdown(oneLine(title, 200))}`,
    '',
    `Run ${run_id} (${kind}): ${state}${reason === null ? '' : `: ${escapeMarkdown(oneLine(reason))}`}`,
    '',
    `- ${accepted} of ${total} accepted, ${failed} failed, ${running} running`,
    `- ${usage.input_tokens} input and ${usage.output_tokens} output tokens${cost_usd === null ? '' : `, ${cost_usd.toFixed(4)} USD`}`,
    `- directory: ${run_dir}`,
    ...(next.length === 0 ? [] : ['', 'Next:']),
    ...next.map(({ tool, args, why }) => `- ${tool} ${escapeMarkdown(`${JSON.stringify(args)}: ${why}`)}`),
    ...(parts.length === 0 ? [] : ['', 'Parts:']),
    ...parts.map((uri) => `- ${uri}`),
  ].join('\n');
}

/** URIs of what there is to read in a run. */
function partsOf(run: RunHandle): string[] {
  const parts = [
    ...RUN_PARTS,
    ['jobs', RUN_FILES.jobs],
    ['results', RUN_FILES.events],
    ['events', RUN_FILES.events],
    ['iterations', RUN_FILES.iterations],
  ] as const;
  return parts
    .filter(([, file]) => existsSync(join(run.dir, file)))
    .map(([name]) => `${runUri(run.id)}/${name}`);
}

/** The answer as a person reads it, with its citations, beside the record as far as that fits. */
async function answerPage(run: RunHandle, address: ResourceAddress, maxBytes: number): Promise<ResourcePage> {
  const path = requireFile(run, RUN_FILES.answer);
  const { readAnswerMarkdown } = await import('../ask/index.ts');
  const bytes = Buffer.from(readAnswerMarkdown(run), 'utf8');
  if (bytes.length === 0) return textPage(address, path, maxBytes);
  const start = address.cursor === undefined ? 0 : Number(address.cursor);
  if (!Number.isInteger(start) || start < 0 || start > bytes.length)
    throw new RlmError('usage', `cursor '${truncate(address.cursor ?? '', 40)}' is not one of this answer`);
  const room = Math.floor(maxBytes * BESIDE);
  const piece = bytes.subarray(start, start + room);
  const last = start + piece.length >= bytes.length;
  const end = last ? piece.length : Math.max(piece.lastIndexOf(0x0a) + 1, piece.length >> 1);
  const next = nextUri(address, last ? null : String(start + end));
  const markdown = piece.toString('utf8', 0, end);
  if (address.cursor !== undefined) return { markdown, next };
  const { json, nextCursor } = readJsonPage(path, undefined, room);
  return { markdown, json: nextCursor === null ? json : { ...json, path, cut: true }, next };
}

/** An event is shown as it is unless it is large; then its beginning is, and where the whole of it is. */
async function eventsPage(run: RunHandle, cursor: string | undefined, maxBytes: number): Promise<JsonPage> {
  const { parseEvent } = await import('../dispatch/index.ts');
  const path = requireFile(run, RUN_FILES.events);
  const { rows, nextCursor } = await readLinePage<unknown>(path, cursor, maxBytes, (line) => {
    // Still being written, or torn by a crash and continued after it.
    if (!line.complete || parseEvent(line.text) === undefined) return undefined;
    return Buffer.byteLength(line.text) <= 1500
      ? parseLine(line)
      : { cut: truncate(line.text, 600), byte_start: line.start, byte_end: line.end };
  });
  return { json: { run_id: run.id, events: rows }, nextCursor };
}

/** The totals of a batch; its rows are the jobs and results. */
function summaryOf(run: RunHandle, maxBytes: number): Record<string, unknown> {
  const path = requireFile(run, RUN_FILES.summary);
  const head = readSummaryHead(path);
  if (head === undefined) return readJsonPage(path, undefined, maxBytes).json;
  return { ...head, path, jobs_uri: `${runUri(run.id)}/jobs`, results_uri: `${runUri(run.id)}/results` };
}

/** A task's report, also where the plan puts it elsewhere; of one that has none yet, its draft. */
async function reportFile(run: RunHandle, workerId: string): Promise<string> {
  const directory = join(run.dir, RUN_FILES.reports);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const name = names.find((entry) => entry.slice(0, -extname(entry).length || undefined) === workerId);
  if (name !== undefined) return join(RUN_FILES.reports, name);
  const planned = existsSync(join(run.dir, RUN_FILES.plan)) ? await plannedReport(run, workerId) : undefined;
  if (planned !== undefined) return planned;
  throw missing(run, `report of '${truncate(workerId, 100)}'`);
}

async function plannedReport(run: RunHandle, workerId: string): Promise<string | undefined> {
  const { draftOf, readPlan } = await import('../mapreduce/index.ts');
  const task = readPlan(run).tasks.find(({ worker_id }) => worker_id === workerId);
  if (task === undefined) return undefined;
  const found = [resolve(run.record.root, task.report_path), draftOf(run, task).path].find((path) =>
    existsSync(path),
  );
  return found === undefined ? undefined : relative(run.dir, found);
}

function requireFile(run: RunHandle, file: string | undefined): string {
  const path = file === undefined ? undefined : resolveInside(run.dir, file, file);
  if (path !== undefined && existsSync(path)) return path;
  throw missing(run, file ?? 'such part');
}

function missing(run: RunHandle, what: string): RlmError {
  return new RlmError('not_found', `run '${run.id}' has no ${what}`, {
    hint: { text: 'See what there is to read.', action: { tool: 'rlm_read', args: { uri: runUri(run.id) } } },
  });
}
