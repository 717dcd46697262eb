import {
  addUsage,
  countEvent,
  emptyProgress,
  type JournalEvent,
  NO_USAGE,
  type Progress,
  type Usage,
} from '../contracts/index.ts';
import { isAlive, type ProcessIdentity } from '../files/index.ts';
import { IdIndex } from './id-index.ts';

/** What earlier attempts of an assignment cost, when it has no result yet. */
interface EarlierAttempts {
  /** Number of the last attempt; file names go on from here. */
  last: number;
  usage: Usage;
  costUsd: number | null;
}

const NO_ATTEMPTS: EarlierAttempts = { last: 0, usage: NO_USAGE, costUsd: null };

/** What the events of a journal say together. Memory: about 45 bytes a result. */
export class History {
  /** Counts over all events. */
  readonly progress: Progress;
  /** Journal offset of the accepted result of an id; 0 for one that went stale (the first line is no result). */
  readonly accepted: IdIndex;
  /** Journal offset of the last failed result of an id. */
  readonly failed: IdIndex;
  /** Attempts of ids that were not accepted. */
  readonly attempts: Map<string, EarlierAttempts>;
  readonly #processes: Map<string, ProcessIdentity>;
  #carried: number;
  #generation: number;

  /** @param of what is copied, so that it stays as it is while events are added to the copy */
  constructor(of?: History) {
    this.progress = { ...(of?.progress ?? emptyProgress()) };
    this.accepted = new IdIndex(of?.accepted);
    this.failed = new IdIndex(of?.failed);
    this.attempts = new Map(of?.attempts);
    this.#processes = new Map(of === undefined ? [] : of.#processes);
    this.#carried = of?.carried ?? 0;
    this.#generation = of?.generation ?? 0;
  }

  /** How many ids are accepted. */
  get carried(): number {
    return this.#carried;
  }

  /** Of the last driver; 0 before the first. */
  get generation(): number {
    return this.#generation;
  }

  /** Worker processes that were started and not seen to end, and still run. */
  get survivors(): ProcessIdentity[] {
    return [...this.#processes.values()].filter((process) => isAlive(process) === true);
  }

  /** @param start offset of the event's line in the journal */
  add(event: JournalEvent, start: number): void {
    countEvent(this.progress, event);
    switch (event.type) {
      case 'driver_started':
        this.#generation = event.generation;
        break;
      case 'attempt_started':
        this.attempts.set(event.id, { ...(this.attempts.get(event.id) ?? NO_ATTEMPTS), last: event.attempt });
        break;
      case 'process':
        this.#processes.set(`${event.id}\n${event.attempt}`, event.process);
        break;
      case 'attempt_ended': {
        this.#processes.delete(`${event.id}\n${event.attempt}`);
        const before = this.attempts.get(event.id) ?? NO_ATTEMPTS;
        this.attempts.set(event.id, {
          last: Math.max(before.last, event.attempt),
          usage: addUsage(before.usage, event.usage),
          costUsd: event.cost_usd === null ? before.costUsd : (before.costUsd ?? 0) + event.cost_usd,
        });
        break;
      }
      case 'stale':
        if (this.accepted.get(event.id)) this.#carried -= 1;
        this.accepted.set(event.id, 0);
        break;
      case 'result': {
        const { id, status } = event.result;
        if (status === 'failed') {
          this.failed.set(id, start);
          break;
        }
        if (!this.accepted.get(id)) this.#carried += 1;
        this.accepted.set(id, start);
        this.attempts.delete(id);
        break;
      }
    }
  }
}
