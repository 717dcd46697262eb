import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { RunStatus } from '../activities/index.ts';
import {
  ActivityState,
  emptyProgress,
  Failure,
  FailureGroup,
  Outcome,
  type PlanStatus,
  Progress,
  RUN_FILES,
  RunId,
  RunKind,
} from '../contracts/index.ts';
import { type NextStep, RlmError } from '../errors.ts';
import { type RunHandle, readArchivedTo } from '../runs/index.ts';
import { truncate } from '../text/index.ts';
import { AnswerDigest, digestAnswer } from './answer.ts';
import { digestRefine, RefineDigest } from './refine.ts';

/** What to do next, as a result says it. */
export const NextSteps = z
  .array(z.object({ tool: z.string(), args: z.record(z.string(), z.unknown()), why: z.string() }))
  .max(3)
  .describe('Calls that would go on from here, best first');

/** A run in under 2 kB, however many jobs it has. */
export const RunReport = z.object({
  run_id: RunId,
  kind: RunKind,
  title: z.string(),
  state: z
    .enum([...ActivityState.options, 'idle'])
    .describe(
      'working; input_required: paused, the reason says what is needed; completed; failed; cancelled; idle: nothing was started in it',
    ),
  outcome: Outcome.nullable().describe(
    'How much of the work was accepted, now or earlier; null while it is working',
  ),
  reason: z.string().nullable().describe('Why it is in this state, when that is not obvious'),
  ended: z.string().optional().describe('How a refine loop ended, such as passed, stuck or max_iterations'),
  failure: Failure.pick({ class: true, resets_at: true })
    .nullable()
    .describe('What paused it or made it fail as a whole; resets_at: when a quota is there again'),
  driver: z
    .enum(['alive', 'ended', 'gone', 'unknown'])
    .describe('The background process; gone: it crashed, rlm_resume goes on; unknown: it is on another host'),
  worker: z
    .object({ name: z.string(), lane: z.string().nullable(), why: z.string() })
    .optional()
    .describe('Who answers, and why it is this one'),
  progress: Progress.omit({ failures: true }),
  failures: z.array(FailureGroup).max(5).optional().describe('What failed, by class, most first'),
  left_sec: z.int().nullable().optional().describe('Of a working run: seconds to its end, estimated'),
  run_dir: z.string().describe('Directory of the run: results, logs, journal'),
  uri: z.string().describe('The run as a resource; its parts are below it: /jobs, /jobs/{job_id}, /events'),
  answer: AnswerDigest.optional().describe('The answer, once there is one'),
  refine: RefineDigest.optional().describe('Of a refine loop: how far it is'),
  wait_reduced_to_sec: z.number().optional().describe('This client allows no longer wait'),
  next: NextSteps,
});
export type RunReport = z.infer<typeof RunReport>;

/** Reads a run from disk and reports it; a run in which nothing was started yet is idle. */
export async function readReport(run: RunHandle): Promise<RunReport> {
  const { readActivity, readStatus } = await import('../activities/index.ts');
  return readActivity(run) === undefined ? idleReport(run) : reportResult(run, readStatus(run));
}

/**
 * The tasks of a plan, or why they cannot be read; nothing for another run, or one whose plan was never written. The
 * code of plans is loaded for a plan only: a status is asked for often.
 */
export async function readTasks(run: RunHandle): Promise<{ tasks?: PlanStatus; tasks_error?: string }> {
  if (run.record.kind !== 'plan' || !existsSync(join(run.dir, RUN_FILES.plan))) return {};
  const { readPlanStatus } = await import('../mapreduce/index.ts');
  try {
    return { tasks: readPlanStatus(run.record.root, run) };
  } catch (error) {
    if (!(error instanceof RlmError)) throw error;
    return { tasks_error: truncate(error.message, 400) };
  }
}

function idleReport(run: RunHandle): RunReport {
  return {
    run_id: run.id,
    kind: run.record.kind,
    title: truncate(run.record.title, 200),
    state: 'idle',
    outcome: null,
    reason: null,
    failure: null,
    driver: 'ended',
    ...progressOf(emptyProgress()),
    run_dir: run.dir,
    uri: runUri(run.id),
    next:
      run.record.kind === 'plan'
        ? [{ tool: 'rlm_run_ready', args: { run_id: run.id }, why: 'Launches the tasks that are ready.' }]
        : [],
  };
}

/** What a caller needs to know of a run; once that is over, with its answer. */
export async function reportResult(run: RunHandle, status: RunStatus): Promise<RunReport> {
  const refine = digestRefine(run);
  const report = { ...reportRun(run, status), ...(refine === undefined ? {} : { refine }) };
  if (report.state === 'working') return report;
  const answer = await digestAnswer(run);
  if (answer === undefined) return report;
  // What the result carries whole need not be read again.
  const next = report.next.map((step) => {
    if (step.args.uri !== answer.uri) return step;
    return answer.cut
      ? { ...step, why: 'The rest of the answer.' }
      : {
          tool: 'rlm_read',
          args: { uri: `${runUri(run.id)}/evidence` },
          why: 'The evidence behind the answer.',
        };
  });
  return { ...report, answer, next };
}

/** What a caller needs to go on with a run. */
export function reportRun(run: RunHandle, status: RunStatus): RunReport {
  return {
    run_id: run.id,
    kind: run.record.kind,
    title: truncate(run.record.title, 200),
    state: status.state,
    outcome: status.outcome,
    reason: status.reason === null ? null : truncate(status.reason, 400),
    ...(status.record.ended === undefined ? {} : { ended: status.record.ended }),
    failure:
      status.failure === null ? null : { class: status.failure.class, resets_at: status.failure.resets_at },
    driver: driverState(status),
    ...(status.record.worker === undefined ? {} : { worker: status.record.worker }),
    ...progressOf(status.progress),
    ...(status.state === 'working' ? { left_sec: estimateLeft(status) } : {}),
    run_dir: run.dir,
    uri: runUri(run.id),
    next: nextOf(run, status),
  };
}

function progressOf({ failures, ...progress }: Progress): Pick<RunReport, 'progress' | 'failures'> {
  if (failures.length === 0) return { progress };
  return { progress, failures: failures.toSorted((a, b) => b.count - a.count).slice(0, 5) };
}

function driverState({ driver_alive, record }: RunStatus): RunReport['driver'] {
  if (driver_alive === 'unknown') return 'unknown';
  if (driver_alive) return 'alive';
  return record.state === 'working' ? 'gone' : 'ended';
}

/** Seconds to the end at the pace since the last start, without what was carried over; null before there is a pace. */
function estimateLeft({ progress, record }: RunStatus): number | null {
  const { total, accepted, failed, carried } = progress;
  const done = accepted + failed - carried;
  const since = record.driver_started_at ?? record.started_at;
  if (done <= 0 || since === undefined || progress.stale === true) return null;
  const elapsedSec = (Date.now() - Date.parse(since)) / 1000;
  return Math.ceil((elapsedSec / done) * Math.max(0, total - accepted - failed));
}

/** A stage that is over is not the end of a plan, but its archive is; a dry run has no answer. */
function nextOf(run: RunHandle, { next, params, record }: RunStatus): NextStep[] {
  const { state, failure } = record;
  if (run.record.kind === 'ask' && state === 'completed' && params.dry_run === true)
    return [
      { tool: 'rlm_read', args: { uri: `${runUri(run.id)}/preview` }, why: 'What the question would take.' },
    ];
  if (run.record.kind === 'refine' && state !== 'working') return refineNext(run, record.ended, next);
  // A stage without an accepted report is over too.
  const over = state === 'completed' || (state === 'failed' && failure === undefined);
  if (run.record.kind !== 'plan' || !over) return next;
  const archived = readArchivedTo(run);
  return archived === undefined
    ? [
        {
          tool: 'rlm_reduce_inventory',
          args: { run_id: run.id },
          why: 'What there is, and what to do about each task.',
        },
      ]
    : [
        {
          tool: 'rlm_plan',
          args: {},
          why: existsSync(resolve(run.record.root, archived.path))
            ? `It is archived, as ${archived.archive_id}: further work is a new run.`
            : 'It was archived, and the archive has been deleted since: further work is a new run.',
        },
      ];
}

/** What an ended loop leaves to do: look at what it did, or let it go on where it was paused. */
function refineNext(run: RunHandle, ended: string | undefined, next: NextStep[]): NextStep[] {
  const look: NextStep = {
    tool: 'rlm_read',
    args: { uri: `${runUri(run.id)}/iterations` },
    why: 'What each iteration changed, and how the validator judged it.',
  };
  const resume: NextStep = {
    tool: 'rlm_resume',
    args: { run_id: run.id },
    why: 'Goes on with the next iteration.',
  };
  const canGoOn = ended === undefined || ['budget', 'quota', 'cancelled'].includes(ended);
  return canGoOn
    ? [...next.filter(({ tool }) => tool === 'rlm_resume'), resume].slice(0, 1).concat(look)
    : [look];
}

/** `rlm://runs/<run_id>`: ids hold nothing that a URI would have to escape. */
export function runUri(runId: string): string {
  return `rlm://runs/${runId}`;
}
