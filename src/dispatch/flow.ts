import type { LoadedConfig } from '../config/index.ts';
import type { ActivityState, Failure, Outcome, Progress } from '../contracts/index.ts';
import type { RunHandle } from '../runs/index.ts';
import type { History, Journal } from './journal.ts';
import type { Stop } from './policy.ts';

/** What the driver hands to a flow: a run that is locked, and the journal of which it is the one writer. */
export interface FlowContext {
  run: RunHandle;
  config: LoadedConfig;
  /** As stored in `run.json`; the flow parses them with its own schema. */
  params: unknown;
  journal: Journal;
  /** What the journal said before this driver. */
  history: History;
  /** When this driver took the activity up, by `performance.now()`: `max_minutes` counts from here. */
  startedAt: number;
  /** Aborted when the run is cancelled or the driver must go. */
  signal: AbortSignal;
  /** Environment marks for every worker process. */
  marks: Record<string, string>;
}

/** How a flow left its activity. */
export interface FlowEnd {
  state: Exclude<ActivityState, 'working'>;
  /** What the counts do not say by themselves; see `outcomeOf`. */
  outcome?: Outcome;
  reason?: string;
  failure?: Failure;
  /** How it ended, where a kind of work knows more ways than there are states. */
  ended?: string;
}

/** A piece of background work, from its parameters to its files. It may be stopped and started again anywhere. */
export type Flow = (context: FlowContext) => Promise<FlowEnd>;

/**
 * The end of a flow that has nothing more to do. Work of which nothing was accepted has failed, however well the flow
 * itself went.
 *
 * @param what became of what is missing, for the reason: `jobs failed`
 * @param notes what else there is to say
 */
export function endOfWork(
  { accepted, total }: Pick<Progress, 'accepted' | 'total'>,
  what: string,
  notes: readonly string[] = [],
): FlowEnd {
  const missing = total - accepted;
  const reason = [...(missing > 0 ? [`${missing} of ${total} ${what}`] : []), ...notes].join('; ');
  const outcome = missing <= 0 ? 'all' : accepted === 0 ? 'none' : 'some';
  return {
    state: outcome === 'none' ? 'failed' : 'completed',
    outcome,
    ...(reason === '' ? {} : { reason }),
  };
}

/**
 * What a stop means for an activity: quota and budget wait for somebody (`input_required`), a cancel ends it,
 * a login or configuration that cannot work is a failure.
 */
export function endOfStop(stop: Stop): FlowEnd {
  const { failure } = stop;
  switch (stop.why) {
    case 'quota': {
      const when = failure.resets_at === undefined ? '' : ` until ${failure.resets_at}`;
      return { state: 'input_required', reason: `quota used up${when}: ${failure.message}`, failure };
    }
    case 'budget':
      return { state: 'input_required', reason: `budget: ${failure.message}`, failure };
    case 'cancelled':
      return { state: 'cancelled', reason: 'cancelled' };
    case 'auth':
    case 'config':
      return { state: 'failed', reason: `${stop.why}: ${failure.message}`, failure };
  }
}
