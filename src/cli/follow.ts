import { cancelActivity, followEvents, type RunStatus, readStatus } from '../activities/index.ts';
import type { JournalEvent } from '../contracts/index.ts';
import { messageOf } from '../errors.ts';
import type { RunHandle } from '../runs/index.ts';
import { oneLine, sanitize } from '../text/index.ts';
import { stepLines } from './commands.ts';
import { progressBlock, progressLine, Rate } from './progress-text.ts';
import { endWithTerminal } from './streams.ts';

/** How often a terminal is repainted, and how often a plain line is printed at most, milliseconds. */
const REPAINT_MS = 200;
const PLAIN_MS = 5000;
/** How long Ctrl-C waits for the run to end, milliseconds. */
const CANCEL_LIMIT_MS = 60_000;

/** The types of events that `lineOf` has a line for. */
const WORTH_A_LINE = new Set(['result', 'concurrency', 'note'] as const);

/** How following ended. `interrupted` is the exit code when a signal ended it, not the run. */
export interface Ending {
  status: RunStatus;
  interrupted?: number;
}

/**
 * Shows a run's progress on stderr until its activity ends: one repainted block on a terminal, plain lines
 * elsewhere, and a line for each job that fails. Any process may follow any run.
 *
 * Ctrl-C cancels the run and waits until no process of it is left; a second one leaves at once, with the cancel
 * under way. SIGTERM, and SIGHUP of a closing terminal, leave the run going.
 *
 * @param options.started we started its driver: what that has said already is shown too
 */
export async function followRun(run: RunHandle, { started }: { started: boolean }): Promise<Ending> {
  const leave = new AbortController();
  let interrupted: number | undefined;
  // A dumb terminal, such as an editor's, cannot be painted over.
  const terminal = process.stderr.isTTY && process.env.TERM !== 'dumb';
  const screen = terminal ? new Block(process.stderr) : new Lines(process.stderr);
  const rate = new Rate();
  const show = (status: RunStatus) => {
    rate.add(performance.now(), status.progress.accepted + status.progress.failed);
    screen.show(status, rate.perSecond);
  };

  let cancelled: Promise<unknown> | undefined;
  const onInterrupt = () => {
    interrupted = 130;
    if (cancelled !== undefined) return leave.abort();
    screen.say('cancelling; Ctrl-C again leaves without waiting');
    cancelled = cancelActivity(run, { timeoutMs: CANCEL_LIMIT_MS }).catch((error) => {
      screen.say(`the run could not be cancelled: ${messageOf(error)}`);
      leave.abort();
    });
  };
  const onTerminate = () => {
    interrupted = 143;
    leave.abort();
  };
  const onHangUp = () => {
    if (process.stderr.isTTY) endWithTerminal();
    interrupted = 129;
    leave.abort();
  };
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate).on('SIGHUP', onHangUp);

  const first = readStatus(run);
  show(first);
  const repaint = () => {
    try {
      show(readStatus(run));
    } catch {
      // A run that cannot be read any more ends the following below, with its reason.
    }
  };
  const timer = setInterval(repaint, terminal ? REPAINT_MS : PLAIN_MS / 5);
  const from = (started ? first.record.driver_offset : undefined) ?? first.journal_size;
  const following = { from, signal: leave.signal, only: WORTH_A_LINE };
  try {
    for await (const { event } of followEvents(run, following)) {
      const line = lineOf(event);
      if (line !== undefined) screen.say(line);
    }
    if (!leave.signal.aborted) await cancelled;
  } finally {
    clearInterval(timer);
    process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate).off('SIGHUP', onHangUp);
  }
  const status = readStatus(run);
  show(status);
  screen.end(status);
  if (status.state !== 'completed') {
    for (const line of stepLines(status.next, { run, root: run.record.root })) screen.say(line);
  }
  return interrupted === undefined ? { status } : { status, interrupted };
}

/** What is worth a line of its own: jobs that failed for good, fewer or more at once, and notes. */
function lineOf(event: JournalEvent): string | undefined {
  switch (event.type) {
    case 'result': {
      const { status, id, failure_class, attempts, errors } = event.result;
      if (status === 'accepted') return undefined;
      const why = errors.at(-1) ?? 'no reason given';
      return `failed: ${oneLine(id, 80)} (${failure_class ?? 'unknown'}, ${attempts} attempts): ${oneLine(why, 300)}`;
    }
    case 'concurrency':
      return `at once: ${event.from} to ${event.to} (${oneLine(event.reason, 200)})`;
    case 'note':
      return oneLine(event.message, 300);
    default:
      return undefined;
  }
}

interface Screen {
  show(status: RunStatus, rate: number | undefined): void;
  say(line: string): void;
  end(status: RunStatus): void;
}

/** A block at the foot of a terminal, painted over itself; lines scroll by above it. */
class Block implements Screen {
  readonly #out: NodeJS.WriteStream;
  #height = 0;
  #last: string[] = [];

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(status: RunStatus, rate: number | undefined): void {
    const lines = progressBlock(status, rate, this.#out.columns || 80);
    if (this.#height > 0 && lines.join('\n') === this.#last.join('\n')) return;
    this.#last = lines;
    this.#paint('');
  }

  say(line: string): void {
    this.#paint(`${sanitize(line)}\n`);
  }

  end(): void {
    this.#height = 0;
    this.#last = [];
  }

  #paint(above: string): void {
    const up = this.#height === 0 ? '' : `\u001b[${this.#height}A`;
    this.#height = this.#last.length;
    this.#out.write(`${up}\u001b[J${above}${this.#last.map((line) => `${line}\n`).join('')}`);
  }
}

/** Equal for two looks at a run between which nothing happened. */
function countsOf({ progress, state }: RunStatus): string {
  return JSON.stringify(progress) + state;
}

/** Plain lines for a log: a new one only when something changed, and not more often than every few seconds. */
class Lines implements Screen {
  readonly #out: NodeJS.WriteStream;
  #printed = '';
  #printedAt = Number.NEGATIVE_INFINITY;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(status: RunStatus, rate: number | undefined): void {
    const now = performance.now();
    if (status.progress.total === 0 || now - this.#printedAt < PLAIN_MS) return;
    const counts = countsOf(status);
    if (counts === this.#printed) return;
    this.#printed = counts;
    this.#printedAt = now;
    this.#out.write(`${progressLine(status, rate)}\n`);
  }

  say(line: string): void {
    this.#out.write(`${sanitize(line)}\n`);
  }

  end(status: RunStatus): void {
    if (this.#printed === countsOf(status)) return;
    this.#out.write(`${progressLine(status, undefined)}\n`);
  }
}
