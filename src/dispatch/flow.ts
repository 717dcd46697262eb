import type { LoadedConfig } from '../config/index.ts';
import type { ActivityState, Failure } from '../contracts/index.ts';
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
  reason?: string;
  failure?: Failure;
  /** How it ended, where a kind of work knows more ways than there are states. */
  ended?: string;
}

/** A piece of background work, from its parameters to its files. It may be stopped and started again anywhere. */
export type Flow = (context: FlowContext) => Promise<FlowEnd>;

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
