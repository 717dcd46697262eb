import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { IterationRecord, RefineState, RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { listRuns, openRun, type RunHandle } from '../runs/index.ts';
import { truncate } from '../text/index.ts';
import { type JsonPage, rowsOfOnePage } from './page.ts';

/** A refine loop in a few lines, as a status carries it. */
export const RefineDigest = z.object({
  validator: z.string().nullable().describe('The command that judges it'),
  reason: z.string().nullable().describe('Why it is this one'),
  iterations: z.int(),
  tests: z.object({ ran: z.int(), failed: z.int() }).nullable().describe('Of the last run of the validator'),
  failures: z.array(z.string()).describe('Lines that name what fails, at most 5'),
  summary: z.string().nullable().describe('What the last turn says it did'),
  files_changed: z.int(),
  tampered: z.int().describe('Changes of protected files, over all iterations'),
  branch: z.string().nullable(),
  patch: z.string().nullable(),
});
export type RefineDigest = z.infer<typeof RefineDigest>;

/** Many refine runs as numbers. */
export const RefineSummary = z.object({
  runs: z.int(),
  passed: z.int(),
  share_passed: z.number().nullable().describe('Of the runs that have ended; null when none has'),
  median_iterations_to_pass: z.number().nullable(),
  ended: z.record(z.string(), z.int()).describe('How many ended in each way'),
});
export type RefineSummary = z.infer<typeof RefineSummary>;

/** More runs than anybody keeps of one task. */
const MOST_RUNS = 10_000;

/** What came of the refine runs of a root. @param of.task only those of one task */
export function summarizeRefine(root: string, of: { task: string | undefined }): RefineSummary {
  const { runs } = listRuns(root, { limit: MOST_RUNS, kind: 'refine', task: of.task });
  const ended: Record<string, number> = {};
  const toPass: number[] = [];
  for (const { run_id } of runs) {
    const state = readState(openRun(root, run_id));
    if (state?.ended === null || state === undefined) continue;
    ended[state.ended] = (ended[state.ended] ?? 0) + 1;
    const line = state.lines.find(({ candidate }) => candidate === state.winner) ?? state.lines[0];
    if (state.ended === 'passed') toPass.push(line?.iterations ?? 0);
  }
  const total = Object.values(ended).reduce((sum, count) => sum + count, 0);
  const sorted = toPass.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return {
    runs: runs.length,
    passed: toPass.length,
    share_passed: total === 0 ? null : toPass.length / total,
    median_iterations_to_pass: low === undefined || high === undefined ? null : (low + high) / 2,
    ended,
  };
}

/** undefined for another kind of run, and for one that has no state yet. */
export function digestRefine(run: RunHandle): RefineDigest | undefined {
  if (run.record.kind !== 'refine') return undefined;
  const state = readState(run);
  if (state === undefined) return undefined;
  const line = state.lines.find(({ candidate }) => candidate === state.winner) ?? state.lines[0];
  const iterations = readIterations(run);
  const last = iterations.findLast(({ candidate }) => candidate === line?.candidate);
  return {
    validator: state.validator?.command ?? null,
    reason: state.validator?.reason ?? null,
    iterations: iterations.length,
    tests: line?.last?.tests ?? null,
    failures: (line?.last?.failures ?? []).slice(0, 5),
    summary: last?.summary ?? null,
    files_changed: new Set(iterations.flatMap(({ files_changed }) => files_changed)).size,
    tampered: iterations.reduce((sum, { tampered }) => sum + tampered.length, 0),
    branch: state.branch,
    patch: state.patch,
  };
}

function readState(run: RunHandle): RefineState | undefined {
  try {
    return RefineState.parse(JSON.parse(readFileSync(join(run.dir, RUN_FILES.refineState), 'utf8')));
  } catch {
    // Not written yet, or damaged: the run's own state is told all the same.
    return undefined;
  }
}

/** All iterations, in order; one whose file is damaged is left out. */
function readIterations(run: RunHandle): IterationRecord[] {
  return iterationIds(run).flatMap((id) => {
    try {
      return [readIteration(run, id)];
    } catch (error) {
      if (error instanceof RlmError) return [];
      throw error;
    }
  });
}

function iterationIds(run: RunHandle): string[] {
  const directory = join(run.dir, RUN_FILES.iterations);
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
  return names.map((name) => name.slice(0, -'.json'.length)).sort();
}

/** @throws RlmError `not_found` for an iteration that there is not, `corrupt` for one that cannot be read */
function readIteration(run: RunHandle, id: string): IterationRecord {
  const path = join(run.dir, RUN_FILES.iterations, `${id}.json`);
  if (!/^[\w-]+$/.test(id) || !existsSync(path)) {
    throw new RlmError('not_found', `run '${run.id}' has no iteration '${truncate(id, 40)}'`);
  }
  try {
    return IterationRecord.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new RlmError('corrupt', `${path} cannot be read`, { cause: error });
  }
}

/** A row for each iteration. @param cursor the id of the last row before */
export function readIterationsPage(run: RunHandle, cursor: string | undefined, maxBytes: number): JsonPage {
  const ids = iterationIds(run).filter((id) => cursor === undefined || id > cursor);
  const rows = ids.slice(0, 500).flatMap((id) => {
    const record = readIteration(run, id);
    return [
      {
        id,
        passed: record.validator?.passed ?? null,
        tests: record.validator?.tests ?? null,
        files_changed: record.files_changed.length,
        tampered: record.tampered.length,
        metric: record.metric,
        summary: truncate(record.summary ?? '', 160),
        failure: truncate(record.validator?.failures[0] ?? '', 160),
      },
    ];
  });
  const page = rowsOfOnePage(rows, maxBytes);
  return {
    json: { run_id: run.id, iterations: page },
    nextCursor: page.length < ids.length ? (page.at(-1)?.id ?? null) : null,
  };
}

/** One iteration with its diff. @param id `0003`, or its number */
export function readIterationPage(run: RunHandle, id: string, maxBytes: number): JsonPage {
  const record = readIteration(run, /^\d+$/.test(id) ? id.padStart(4, '0') : id);
  const json: Record<string, unknown> = {
    run_id: run.id,
    ...record,
    files_changed: record.files_changed.slice(0, 50),
  };
  const room = maxBytes - Buffer.byteLength(JSON.stringify(json)) - 200;
  if (record.patch !== null && room > 500) {
    const diff = readFileSync(join(run.dir, record.patch), 'utf8');
    json.diff = truncate(diff, Math.floor(room / 2));
    json.diff_path = join(run.dir, record.patch);
  }
  return { json, nextCursor: null };
}
