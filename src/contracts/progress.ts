import type { JournalEvent } from './event.ts';
import type { Progress } from './run.ts';
import { addUsage, NO_USAGE } from './usage.ts';

export function emptyProgress(): Progress {
  return {
    total: 0,
    accepted: 0,
    failed: 0,
    running: 0,
    cache_hits: 0,
    attempts: 0,
    usage: NO_USAGE,
    cost_usd: null,
    concurrency: 0,
  };
}

/**
 * The counts after one more event: the driver counts as it writes, and a reader counts on from the last
 * heartbeat, so both say the same.
 */
export function countEvent(progress: Progress, event: JournalEvent): Progress {
  switch (event.type) {
    case 'driver_started':
      return { ...progress, total: 0, accepted: 0, failed: 0, running: 0 };
    case 'assignments':
      return {
        ...progress,
        total: progress.total + event.added,
        accepted: progress.accepted + event.carried,
        concurrency: event.concurrency,
      };
    case 'stale':
      return { ...progress, accepted: progress.accepted - 1 };
    case 'attempt_started':
      return { ...progress, running: progress.running + 1, attempts: progress.attempts + 1 };
    case 'attempt_ended':
      return {
        ...progress,
        running: Math.max(0, progress.running - 1),
        usage: addUsage(progress.usage, event.usage),
        cost_usd: event.cost_usd === null ? progress.cost_usd : (progress.cost_usd ?? 0) + event.cost_usd,
      };
    case 'outcome':
      return event.outcome.status === 'accepted'
        ? {
            ...progress,
            accepted: progress.accepted + 1,
            cache_hits: progress.cache_hits + (event.outcome.cache_hit ? 1 : 0),
          }
        : { ...progress, failed: progress.failed + 1 };
    case 'concurrency':
      return { ...progress, concurrency: event.to };
    case 'finished':
      return { ...progress, running: 0 };
    default:
      return progress;
  }
}
