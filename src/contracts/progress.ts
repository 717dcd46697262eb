import type { JournalEvent } from './event.ts';
import type { Progress } from './run.ts';
import { addUsage, NO_USAGE } from './usage.ts';

export function emptyProgress(): Progress {
  return {
    total: 0,
    accepted: 0,
    carried: 0,
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
 * Counts one more event. The driver counts as it writes, and a reader counts on from the last heartbeat, so both
 * say the same.
 */
export function countEvent(progress: Progress, event: JournalEvent): void {
  switch (event.type) {
    case 'driver_started':
      progress.running = 0;
      progress.stale = progress.total > 0;
      break;
    case 'assignments':
      if (progress.stale) Object.assign(progress, { total: 0, accepted: 0, carried: 0, failed: 0 });
      progress.stale = false;
      progress.total += event.added;
      progress.accepted += event.carried;
      progress.carried += event.carried;
      progress.concurrency = event.concurrency;
      break;
    case 'stale':
      progress.accepted -= 1;
      progress.carried -= 1;
      break;
    case 'attempt_started':
      progress.running += 1;
      progress.attempts += 1;
      break;
    case 'attempt_ended':
      progress.running = Math.max(0, progress.running - 1);
      progress.usage = addUsage(progress.usage, event.usage);
      if (event.cost_usd !== null) progress.cost_usd = (progress.cost_usd ?? 0) + event.cost_usd;
      break;
    case 'result':
      if (event.result.status === 'failed') progress.failed += 1;
      else progress.accepted += 1;
      if (event.result.cache_hit) progress.cache_hits += 1;
      break;
    case 'concurrency':
      progress.concurrency = event.to;
      break;
    case 'finished':
      progress.running = 0;
      break;
  }
}
