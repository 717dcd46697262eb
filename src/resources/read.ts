import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { extname, join, relative, resolve } from 'node:path';
import { JobRecord, RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { parseLine, resolveInside } from '../files/index.ts';
import { listArchives, listRuns, openRun, type RunHandle } from '../runs/index.ts';
import { truncate } from '../text/index.ts';
import { jobUri, parseAddress, type ResourceAddress, RUN_PARTS } from './address.ts';
import { readJob } from './job.ts';
import { readLinePage } from './line-page.ts';
import { PAGE_BYTES, readReport, rowsOfOnePage, runUri } from './report.ts';

/** What a resource holds: JSON of at most about 8 kB, or the text of a small file. */
export interface ResourceText {
  mimeType: string;
  text: string;
}

/**
 * Reads one resource.
 *
 * @throws RlmError `not_found` for a run, job or file that is not there, `usage` for a bad id or cursor
 */
export async function readResource(root: string, uri: string): Promise<ResourceText> {
  const address = parseAddress(uri);
  if (address.kind === 'runs') return json(listPage(root, address.cursor));
  if (address.kind === 'archive') return json(archivePage(root, address.cursor));
  const run = openRun(root, address.runId);
  switch (address.kind) {
    case 'run':
      return json({ ...(await readReport(run)), parts: partsOf(run) });
    case 'jobs':
      return json(await jobsPage(run, address.cursor));
    case 'events':
      return json(await eventsPage(run, address.cursor));
    case 'job':
      return json(await readJob(run, address.jobId));
    case 'file':
      return readPart(run, address);
    case 'report':
      return readTaskReport(run, address);
  }
}

/** URIs of what there is to read in a run. */
function partsOf(run: RunHandle): string[] {
  const parts = [...RUN_PARTS, ['jobs', RUN_FILES.jobs], ['events', RUN_FILES.events]] as const;
  return parts
    .filter(([, file]) => existsSync(join(run.dir, file)))
    .map(([name]) => `${runUri(run.id)}/${name}`);
}

function listPage(root: string, cursor: string | undefined) {
  const list = listRuns(root, { cursor, limit: 50 });
  const rows = list.runs.map((run) => ({ ...run, title: truncate(run.title, 100), uri: runUri(run.run_id) }));
  const runs = rowsOfOnePage(rows);
  const next_cursor = runs.length < rows.length ? (runs.at(-1)?.run_id ?? null) : list.next_cursor;
  return { runs, total: list.total, next_cursor };
}

function archivePage(root: string, cursor: string | undefined) {
  const list = listArchives(root, { cursor, limit: 25 });
  const rows = list.archives.map((archive) => ({
    ...archive,
    goal_summary: truncate(archive.goal_summary, 100),
    termination_reason: truncate(archive.termination_reason, 100),
    in_use_by: archive.in_use_by.slice(0, 5),
  }));
  const archives = rowsOfOnePage(rows);
  const last = archives.at(-1)?.archive_id;
  const next_cursor = archives.length < rows.length ? (last ?? null) : list.next_cursor;
  return { archives, unreadable: list.unreadable, total: list.total, next_cursor };
}

async function jobsPage(run: RunHandle, cursor: string | undefined) {
  const { rows, next_cursor } = await readLinePage(fileOf(run, RUN_FILES.jobs), cursor, (line) => {
    const job = JobRecord.safeParse(parseLine(line));
    if (!job.success) return undefined;
    return {
      job_id: truncate(job.data.job_id, 200),
      chunk_id: job.data.chunk_id,
      question: truncate(job.data.question, 160),
      answered: existsSync(resolveInside(run.dir, job.data.output_path, 'output_path')),
      uri: truncate(jobUri(run.id, job.data.job_id), 400),
    };
  });
  return { run_id: run.id, jobs: rows, next_cursor };
}

/** An event is shown as it stands unless it is large; then its head is, and where the whole of it lies. */
async function eventsPage(run: RunHandle, cursor: string | undefined) {
  const { parseEvent } = await import('../dispatch/index.ts');
  const path = fileOf(run, RUN_FILES.events);
  const { rows, next_cursor } = await readLinePage<unknown>(path, cursor, (line) => {
    // Still being written, or torn by a crash and gone on after.
    if (!line.complete || parseEvent(line.text) === undefined) return undefined;
    return Buffer.byteLength(line.text) <= 1500
      ? parseLine(line)
      : { cut: truncate(line.text, 600), byte_start: line.start, byte_end: line.end };
  });
  return { run_id: run.id, events: rows, next_cursor };
}

function readPart(run: RunHandle, address: ResourceAddress & { kind: 'file' }): ResourceText {
  const file = RUN_PARTS.get(address.name);
  if (file === undefined) throw missing(run, address.name);
  return readFilePage(run, file, address.cursor);
}

/** A task's report, also where the plan puts it elsewhere; of one that has none yet, its draft. */
async function readTaskReport(
  run: RunHandle,
  address: ResourceAddress & { kind: 'report' },
): Promise<ResourceText> {
  const directory = join(run.dir, RUN_FILES.reports);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const name = names.find(
    (entry) => entry.slice(0, -extname(entry).length || undefined) === address.workerId,
  );
  const file =
    name === undefined ? await plannedReport(run, address.workerId) : join(RUN_FILES.reports, name);
  if (file === undefined) throw missing(run, `report of '${truncate(address.workerId, 100)}'`);
  return readFilePage(run, file, address.cursor);
}

async function plannedReport(run: RunHandle, workerId: string): Promise<string | undefined> {
  if (!existsSync(join(run.dir, RUN_FILES.plan))) return undefined;
  const { draftOf, readPlan } = await import('../mapreduce/index.ts');
  const task = readPlan(run).tasks.find(({ worker_id }) => worker_id === workerId);
  if (task === undefined) return undefined;
  const found = [resolve(run.record.root, task.report_path), draftOf(run, task).path].find((path) =>
    existsSync(path),
  );
  return found === undefined ? undefined : relative(run.dir, found);
}

/** A small file as it is; of a large one a page of its text, with the offset at which the next one starts. */
function readFilePage(run: RunHandle, file: string, cursor: string | undefined): ResourceText {
  const path = fileOf(run, file);
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    if (cursor === undefined && size <= PAGE_BYTES) {
      return { mimeType: mimeTypeOf(file), text: readText(fd, 0, size).text };
    }
    const start = Number(cursor ?? 0);
    if (!Number.isInteger(start) || start < 0 || start > size) {
      throw new RlmError('usage', `cursor '${truncate(String(cursor), 40)}' is not an offset in ${file}`);
    }
    // Quotes and line ends are escaped in JSON: half the bytes, so that a page stays a page.
    const { text, end } = readText(fd, start, PAGE_BYTES / 2);
    return json({ path, bytes: size, offset: start, text, next_cursor: end < size ? String(end) : null });
  } finally {
    closeSync(fd);
  }
}

/** Bytes as text, ending before a code point that is cut in two. */
function readText(fd: number, start: number, bytes: number): { text: string; end: number } {
  const buffer = Buffer.alloc(bytes);
  const read = readSync(fd, buffer, 0, bytes, start);
  let end = read;
  if (read === bytes) {
    let lead = read - 1;
    while (lead > 0 && lead > read - 4 && ((buffer[lead] ?? 0) & 0xc0) === 0x80) lead -= 1;
    if (new TextDecoder().decode(buffer.subarray(lead, read)).includes('\uFFFD') && lead > 0) end = lead;
  }
  return { text: buffer.toString('utf8', 0, end), end: start + end };
}

function fileOf(run: RunHandle, file: string): string {
  const path = resolveInside(run.dir, file, file);
  if (!existsSync(path)) throw missing(run, file);
  return path;
}

function missing(run: RunHandle, what: string): RlmError {
  return new RlmError('not_found', `run '${run.id}' has no ${what}`, {
    hint: `${runUri(run.id)} lists what there is to read.`,
  });
}

function mimeTypeOf(file: string): string {
  return extname(file) === '.json' ? 'application/json' : 'text/markdown';
}

function json(value: unknown): ResourceText {
  return { mimeType: 'application/json', text: JSON.stringify(value) };
}
