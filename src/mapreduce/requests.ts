import { readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { WorkerId } from '../contracts/index.ts';
import { systemCode } from '../errors.ts';
import {
  ensureDirectory,
  JsonlAppender,
  readLines,
  writeFileAtomic,
  writeJsonAtomic,
} from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { PLAN_FILES } from './layout.ts';

/*
 * `requested.jsonl` is what an orchestrator wants launched, in order. The run's driver follows it and launches each
 * task once, whatever stands in it twice; in `taken.json` it says how far it has read. An orchestrator that added
 * a line while the driver was about to end sees by that, and by the driver's lock, that it must start another.
 */
const Request = z.object({ worker_id: WorkerId, requested_at: z.iso.datetime() });
const Taken = z.object({ bytes: z.int().nonnegative() });

/** Replaces what was requested before: for a driver about to be started. Tasks that were never launched stay ready. */
export function writeRequests(run: RunHandle, workerIds: readonly string[]): void {
  const path = fileOf(run);
  ensureDirectory(dirname(path));
  rmSync(join(run.dir, PLAN_FILES.taken), { force: true });
  writeFileAtomic(path, workerIds.map((id) => `${JSON.stringify(requestOf(id))}\n`).join(''), { sync: true });
}

/**
 * Adds to what a running driver follows.
 *
 * @returns the file's size afterwards: taken once the driver has read that far
 */
export function addRequests(run: RunHandle, workerIds: readonly string[]): number {
  const file = new JsonlAppender(fileOf(run));
  try {
    for (const id of workerIds) file.append(requestOf(id));
    return file.size;
  } finally {
    file.close();
  }
}

/** What was requested from a byte offset on, and where the next request will start. */
export async function readRequests(
  run: RunHandle,
  from: number,
): Promise<{ workerIds: string[]; end: number }> {
  const path = fileOf(run);
  const workerIds: string[] = [];
  let end = from;
  if (requestBytes(run) <= from) return { workerIds, end };
  for await (const line of readLines(path, { start: from })) {
    // A line that is being written is read at the next look.
    if (!line.complete) break;
    end = line.end;
    const request = Request.safeParse(parsed(line.text));
    if (request.success) workerIds.push(request.data.worker_id);
  }
  return { workerIds, end };
}

/** Size of the file of requests; 0 when there is none. */
export function requestBytes(run: RunHandle): number {
  return statSync(fileOf(run), { throwIfNoEntry: false })?.size ?? 0;
}

/** Says that everything up to `bytes` has been taken on. By the driver alone. */
export function writeTaken(run: RunHandle, bytes: number): void {
  writeJsonAtomic(join(run.dir, PLAN_FILES.taken), { bytes });
}

/** How far the driver has read; 0 before it has. */
export function takenBytes(run: RunHandle): number {
  return Taken.safeParse(parsed(readText(join(run.dir, PLAN_FILES.taken)))).data?.bytes ?? 0;
}

function fileOf(run: RunHandle): string {
  return join(run.dir, PLAN_FILES.requested);
}

function requestOf(worker_id: string) {
  return { worker_id, requested_at: new Date().toISOString() };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Undefined for a line that a crash tore. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
