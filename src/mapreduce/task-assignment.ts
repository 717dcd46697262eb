import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import type { Plan, ReduceState, Task, TaskMode } from '../contracts/index.ts';
import { RUN_FILES } from '../contracts/index.ts';
import { type Acceptance, Draft, type PreparedAssignment } from '../dispatch/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { ensureDirectory } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { sha256 } from '../text/index.ts';
import type { Sandbox, WorkerName } from '../workers/index.ts';
import { fromRoot } from './plan-rules.ts';
import { judgeReport } from './report.ts';

/** The report of a task while its worker writes it, and where the driver publishes it. */
export function draftOf(run: RunHandle, task: Pick<Task, 'worker_id' | 'report_path'>): Draft {
  // Not `join`, which takes as long as a look at the file: the path was brought into its one form when it was planned.
  return new Draft(run.dir, task.worker_id, `${run.record.root}/${task.report_path}`);
}

/**
 * A task as dispatch needs it: what to send, to whom, what it may touch, and when it is done.
 *
 * @param state of the tasks on disk: the hints name the reports that were accepted
 * @param worker who will answer: tiers name a Codex model and, for Claude, one of its own
 */
export function prepareTask(
  run: RunHandle,
  plan: Plan,
  state: ReduceState,
  task: Task,
  config: Config,
  options: { worker: WorkerName; timeoutMs: number },
): PreparedAssignment {
  const { root } = run.record;
  const draft = draftOf(run, task);
  const sandbox = sandboxOf(root, task, draft);
  const tier = config.tiers[task.compute_tier];
  const model = options.worker === 'claude' ? tier.claude_model : tier.model;
  const prompt = taskPrompt(run, task, draft, hintPaths(run, plan, task, state));
  return {
    key: sha256(`${model}\n${tier.effort}\n${prompt}`),
    cacheKey: null,
    leavesFiles: true,
    correction: `Your report was published as ${task.report_path}. Write the whole corrected report to the report path above.`,
    call() {
      draft.prepare();
      return {
        instructions: '',
        input: prompt,
        model,
        effort: tier.effort,
        sandbox,
        // The worker reads files and writes its report.
        tools: true,
        // Paths in the prompt start there.
        cwd: resolve(root),
        timeoutMs: options.timeoutMs,
      };
    },
    accept(answer, launchedAt) {
      // What a command prints is its report, unless it wrote one.
      if (options.worker === 'command' && answer.trim() !== '') draft.write(answer, launchedAt);
      return acceptReport(draft, launchedAt, task.mode);
    },
    commit: (digest) => ({ output_path: draft.published, output_sha256: digest }),
  };
}

/** Publishes the report and judges it. What is kept of it is its sha256: the report itself is in its place then. */
function acceptReport(draft: Draft, launchedAt: number, mode: TaskMode): Acceptance {
  try {
    const report = draft.publish();
    const problem = judgeReport(report, launchedAt, mode);
    if (problem !== undefined) {
      return { ok: false, errors: [problem.message], correctable: problem.correctable };
    }
    return { ok: true, text: report === undefined ? '' : sha256(report.bytes) };
  } catch (error) {
    return { ok: false, errors: [messageOf(error)] };
  }
}

/**
 * What a worker may write: what its task owns, each a file or a directory that may not exist yet, and the directory
 * of its draft. A sandbox that knows directories only has to find the narrowest ones that do.
 */
function sandboxOf(root: string, task: Task, draft: Draft): Sandbox {
  if (task.owned_paths.length === 0) return { mode: 'read-only', report: draft.directory };
  const owned = task.owned_paths.map((path) => resolve(root, path));
  for (const path of owned) {
    try {
      // A sandbox opens directories: those of files that a task is to create must be there.
      ensureDirectory(dirname(path));
    } catch (error) {
      throw new RlmError('usage', `owned_paths of task '${task.worker_id}': ${messageOf(error)}`);
    }
  }
  return { mode: 'workspace-write', writable: [...owned, draft.directory] };
}

/**
 * The prompt of a map or verify worker. It goes through a file to the worker's stdin, never through a shell or an
 * argument; goals and hint paths are in JSON, so that any text in them arrives as it was given.
 */
function taskPrompt(run: RunHandle, task: Task, draft: Draft, hints: readonly string[]): string {
  const { root } = run.record;
  const reportPath = fromRoot(root, draft.path);
  const envelope = {
    run_id: run.id,
    worker_id: task.worker_id,
    mode: task.mode,
    granularity: task.granularity,
    compute_tier: task.compute_tier,
    goal: task.goal,
    report_path: reportPath,
    hint_paths: hints,
  };
  return [
    'Use the map-worker skill.',
    '$map-worker',
    '',
    'Say next to nothing in chat. Your result is the narrative report that you write to:',
    reportPath,
    '',
    `It needs a section "Contract Compliance"${task.mode === 'verify' ? ' and a line "Verdict: confirmed", "Verdict: refuted" or "Verdict: undecided"' : ''}.`,
    '',
    'Before anything else, read and comply with the run contract:',
    fromRoot(root, join(run.dir, RUN_FILES.contract)),
    '',
    JSON.stringify(envelope, null, 2),
    '',
  ].join('\n');
}

/**
 * Where a worker looks first: its own hints, the plan's, its inputs and context, the accepted reports of what it
 * depends on (of the retries where those replace them), the run directory and the run contract. Each once, in this
 * order.
 */
function hintPaths(run: RunHandle, plan: Plan, task: Task, state: ReduceState): string[] {
  const { root } = run.record;
  const accepted = new Map(
    state.tasks.flatMap((status) =>
      status.state === 'ok' ? [[status.worker_id, status.report_path] as const] : [],
    ),
  );
  const reportsOf = (id: string): string[] => {
    const own = accepted.get(id);
    if (own !== undefined) return [own];
    return plan.tasks
      .filter(({ retry_of }) => retry_of === id)
      .flatMap(({ worker_id }) => reportsOf(worker_id));
  };
  return [
    ...new Set([
      ...task.hint_paths,
      ...plan.hint_paths,
      ...task.inputs,
      ...task.context_paths,
      ...task.depends_on.flatMap(reportsOf),
      `${fromRoot(root, run.dir)}/`,
      fromRoot(root, join(run.dir, RUN_FILES.contract)),
    ]),
  ];
}
