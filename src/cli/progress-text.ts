import type { RunStatus } from '../activities/index.ts';
import { oneLine } from '../text/index.ts';
import { fitColumns } from './columns.ts';

/** Window over which the rate is taken, milliseconds: short enough to follow throttling, long enough to be calm. */
const RATE_WINDOW_MS = 30_000;

/** Cells of the bar, where there is room for them. */
const BAR_WIDTH = 30;

/** Jobs a second over the last half minute. */
export class Rate {
  #samples: { at: number; done: number }[] = [];

  /** @param at milliseconds on any clock that goes forward */
  add(at: number, done: number): void {
    this.#samples.push({ at, done });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > RATE_WINDOW_MS)
      this.#samples.shift();
  }

  /** Undefined until there is something to measure. */
  get perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 500) return undefined;
    return ((last.done - first.done) * 1000) / (last.at - first.at);
  }
}

/** The progress of a run as one plain line: done of all, failed, running, rate, time left, tokens, cost. */
export function progressLine(status: RunStatus, rate: number | undefined): string {
  const { total, accepted, failed, running, concurrency } = status.progress;
  const parts = [
    `${accepted + failed}/${total} done`,
    `${failed} failed`,
    `${running} running (at most ${concurrency})`,
    ...rateParts(total - accepted - failed, rate),
    ...costParts(status),
  ];
  const state = status.state === 'working' ? '' : `${status.state}: `;
  const reason = status.reason === null || status.state === 'completed' ? '' : ` (${oneLine(status.reason)})`;
  return `${state}${parts.join(', ')}${reason}`;
}

/** The same as a block for a terminal: a bar, then numbers; never wider than `columns`. */
export function progressBlock(status: RunStatus, rate: number | undefined, columns: number): string[] {
  const { total, accepted, failed, running, concurrency, cache_hits } = status.progress;
  const room = Math.max(1, columns - 1);
  const lines = [
    `${status.record.kind} ${status.record.run_id}  ${status.state}`,
    barLine(accepted, failed, total, room),
    [
      `${accepted} accepted${cache_hits > 0 ? ` (${cache_hits} cached)` : ''}`,
      `${failed} failed`,
      `${running} running of ${concurrency}`,
      ...rateParts(total - accepted - failed, rate),
    ].join('  '),
    costParts(status).join('  '),
    status.reason === null ? '' : oneLine(status.reason),
  ];
  return lines.filter((line) => line !== '').map((line) => fitColumns(line, room));
}

/** The numbers come first where there is no room for both. */
function barLine(accepted: number, failed: number, total: number, room: number): string {
  const counts = `${accepted + failed}/${total}`;
  const width = Math.min(BAR_WIDTH, room - counts.length - 3);
  return width < 1 ? counts : `${bar(accepted, failed, total, width)} ${counts}`;
}

function bar(accepted: number, failed: number, total: number, width: number): string {
  const cells = (count: number) => (total === 0 ? 0 : Math.floor((count * width) / total));
  const good = cells(accepted);
  const bad = Math.max(cells(accepted + failed) - good, 0);
  return `[${'#'.repeat(good)}${'x'.repeat(bad)}${'.'.repeat(width - good - bad)}]`;
}

function rateParts(left: number, rate: number | undefined): string[] {
  if (rate === undefined) return [];
  const perSecond = `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)}/s`;
  return rate > 0 && left > 0 ? [perSecond, `${duration(left / rate)} left`] : [perSecond];
}

function costParts({ progress }: RunStatus): string[] {
  const { input_tokens, cached_input_tokens, output_tokens } = progress.usage;
  const parts: string[] = [];
  if (input_tokens + output_tokens > 0) {
    const cached = cached_input_tokens > 0 ? ` (${short(cached_input_tokens)} cached)` : '';
    parts.push(`${short(input_tokens)} tokens in${cached}, ${short(output_tokens)} out`);
  }
  if (progress.cost_usd !== null) parts.push(`$${progress.cost_usd.toFixed(progress.cost_usd < 1 ? 4 : 2)}`);
  return parts;
}

function short(count: number): string {
  if (count < 1000) return String(count);
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(2)}M`;
}

/** `45s`, `4m05s`, `2h10m`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${String(whole % 60).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}
