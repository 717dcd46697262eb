import type { FailureClass, ReportState, RetryAction, Task } from '../contracts/index.ts';

/** What to do about a task that has no accepted report. */
export interface Suggestion {
  action: RetryAction;
  why: string;
}

/**
 * Granularity and tier are two axes (seed 003): broad work is split, narrow work gets a stronger worker, and at
 * the end of both the user is asked for another model.
 */
export function suggest(
  task: Task,
  status: { state: ReportState; running: boolean; failure: FailureClass | null },
): Suggestion | undefined {
  switch (status.state) {
    case 'ok':
    case 'inflight':
      return undefined;
    case 'stale':
      return status.running
        ? { action: 'wait', why: 'It runs and has written nothing for long; cancel it if it blocks the run.' }
        : smallerOrStronger(task, 'It left an old report as it was.');
    case 'missing':
    case 'empty':
      return smallerOrStronger(task, 'It ended without a report.');
    case 'failed':
      return status.failure === null
        ? smallerOrStronger(task, 'It failed.')
        : byFailure(task, status.failure);
  }
}

function byFailure(task: Task, failure: FailureClass): Suggestion {
  switch (failure) {
    case 'quota':
      return { action: 'fix_first', why: 'The allowance is used up; wait for its reset.' };
    case 'auth':
    case 'config':
      return { action: 'fix_first', why: 'No attempt can succeed before that is fixed.' };
    case 'budget':
      return { action: 'fix_first', why: 'A limit of the run was reached; raise it or finish.' };
    case 'throttled':
    case 'server':
    case 'network':
      return { action: 'retry', why: 'A transient error.' };
    case 'crashed':
      return { action: 'retry', why: 'The worker died.' };
    case 'cancelled':
      return { action: 'retry', why: 'It was cancelled.' };
    case 'timeout':
    case 'overflow':
      return task.granularity === 'micro'
        ? smallerOrStronger(task, 'Too much for one worker.')
        : { action: 'split', why: 'Too much for one worker: 2 to 6 smaller tasks, and a join if needed.' };
    case 'invalid_output':
      return smallerOrStronger(task, 'It did not deliver what was asked for.');
  }
}

function smallerOrStronger(task: Task, why: string): Suggestion {
  if (task.granularity === 'macro') return { action: 'split', why: `${why} Split it into smaller tasks.` };
  if (task.compute_tier !== 'heavy')
    return { action: 'upgrade_tier', why: `${why} Retry with a higher tier.` };
  if (task.granularity === 'meso')
    return { action: 'split', why: `${why} The tier is the highest already; split it.` };
  return { action: 'ask_user', why: `${why} It is small, and the tier the highest: ask for another model.` };
}
