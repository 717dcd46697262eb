import {
  addUsage,
  countEvent,
  emptyProgress,
  NO_USAGE,
  type Progress,
  type Usage,
} from '../contracts/index.ts';
import { isAlive, type ProcessIdentity } from '../files/index.ts';
import { IdIndex } from './id-index.ts';
import { readEvents } from './journal.ts';

/** What earlier attempts of an assignment cost, when it has no outcome yet. */
interface EarlierAttempts {
  /** Number of the last attempt; file names go on from here. */
  last: number;
  usage: Usage;
  costUsd: number | null;
}

/** What the journal of earlier drivers says. */
export interface History {
  progress: Progress;
  /** Journal offset of the accepted outcome of an id; 0 for one that went stale (the first line is no outcome). */
  accepted: IdIndex;
  /** How many ids are accepted. */
  carried: number;
  /** Journal offset of the last failed outcome of an id. */
  failed: IdIndex;
  /** Attempts of ids that were not accepted. */
  attempts: Map<string, EarlierAttempts>;
  /** Worker processes that were started and not seen to end, and still run. */
  survivors: ProcessIdentity[];
  generation: number;
}

const NO_ATTEMPTS: EarlierAttempts = { last: 0, usage: NO_USAGE, costUsd: null };

/** Reads the whole journal once, streaming; 100,000 outcomes take about a second. */
export async function readHistory(path: string): Promise<History> {
  const accepted = new IdIndex();
  const failed = new IdIndex();
  const attempts = new Map<string, EarlierAttempts>();
  const processes = new Map<string, ProcessIdentity>();
  let progress = emptyProgress();
  let generation = 0;
  let carried = 0;
  for await (const events of readEvents(path)) {
    for (const { start, event } of events) {
      progress = countEvent(progress, event);
      switch (event.type) {
        case 'driver_started':
          generation = event.generation;
          break;
        case 'attempt_started':
          attempts.set(event.id, { ...(attempts.get(event.id) ?? NO_ATTEMPTS), last: event.attempt });
          break;
        case 'process':
          processes.set(`${event.id}\n${event.attempt}`, event.process);
          break;
        case 'attempt_ended': {
          processes.delete(`${event.id}\n${event.attempt}`);
          const before = attempts.get(event.id) ?? NO_ATTEMPTS;
          attempts.set(event.id, {
            last: Math.max(before.last, event.attempt),
            usage: addUsage(before.usage, event.usage),
            costUsd: event.cost_usd === null ? before.costUsd : (before.costUsd ?? 0) + event.cost_usd,
          });
          break;
        }
        case 'stale':
          if (accepted.get(event.id)) carried -= 1;
          accepted.set(event.id, 0);
          break;
        case 'outcome':
          if (event.outcome.status === 'accepted') {
            if (!accepted.get(event.outcome.id)) carried += 1;
            accepted.set(event.outcome.id, start);
            attempts.delete(event.outcome.id);
          } else {
            failed.set(event.outcome.id, start);
          }
          break;
      }
    }
  }
  return {
    progress,
    accepted,
    carried,
    failed,
    attempts,
    survivors: [...processes.values()].filter((process) => isAlive(process) === true),
    generation,
  };
}
