import { dirname, resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import type { Plan, ReduceState, Task } from '../contracts/index.ts';
import type { RunHandle } from '../runs/index.ts';
import type { Sandbox, WorkerName } from '../workers/index.ts';
import { draftPath } from './draft.ts';
import { hintPaths, workerPrompt } from './prompt.ts';
import { type Acceptance, acceptReport } from './report.ts';

/** A task as dispatch needs it: what to send, to whom, what it may touch, and when it is done. */
export interface TaskAssignment {
  /** The worker id: names the attempt's prompt and log. */
  id: string;
  task: Task;
  /** The whole prompt. */
  prompt: string;
  model: string;
  effort: string;
  /**
   * Absolute paths: what the task owns, each a file or a directory, which may not exist yet, and the directory of
   * its draft. A worker whose sandbox knows directories only has to find the narrowest ones that do.
   */
  sandbox: Sandbox;
  /** The worker reads files and writes its report: it needs tools. */
  tools: true;
  /** The root: paths in the prompt start there. */
  cwd: string;
  /** Absolute. */
  reportPath: string;
  /** Whether what the attempt left behind is acceptable. The chat answer counts for nothing. */
  accept(launchedAt: string): Acceptance;
}

/**
 * Describes the launch of a task.
 *
 * @param state a look at the disk: the hints name the reports that were accepted
 * @param worker who will answer: tiers name a Codex model and, for Claude, one of its own
 */
export function taskAssignment(
  root: string,
  run: RunHandle,
  plan: Plan,
  state: ReduceState,
  task: Task,
  config: Config,
  worker: WorkerName,
): TaskAssignment {
  const accepted = new Map(
    state.tasks
      .filter((status) => status.state === 'ok')
      .map((status) => [status.worker_id, status.report_path]),
  );
  const reportPath = resolve(root, task.report_path);
  const own = dirname(draftPath(run, task));
  const tier = config.tiers[task.compute_tier];
  return {
    id: task.worker_id,
    task,
    prompt: workerPrompt(root, run, task, hintPaths(root, run, plan, task, accepted)),
    model: worker === 'claude' ? tier.claude_model : tier.model,
    effort: tier.effort,
    sandbox:
      task.owned_paths.length === 0
        ? { mode: 'read-only', report: own }
        : {
            mode: 'workspace-write',
            writable: [...task.owned_paths.map((path) => resolve(root, path)), own],
          },
    tools: true,
    cwd: resolve(root),
    reportPath,
    accept: (launchedAt) => acceptReport(reportPath, launchedAt),
  };
}
