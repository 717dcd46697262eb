import { closeSync, existsSync, readSync } from 'node:fs';
import {
  type ActivityRecord,
  addUsage,
  countEvent,
  emptyProgress,
  isJournalEvent,
  type JournalEvent,
  NO_USAGE,
  type Progress,
  type ResultRecord,
  type Usage,
} from '../contracts/index.ts';
import {
  isAlive,
  JsonlAppender,
  LineSplitter,
  openFile,
  type ProcessIdentity,
  readLineBatches,
} from '../files/index.ts';
import { IdIndex } from './id-index.ts';

/** An event before its time is put on it. */
export type NewEvent = JournalEvent extends infer Event
  ? Event extends JournalEvent
    ? Omit<Event, 'ts'>
    : never
  : never;

/** Between an accepted result and the moment its line is forced to the disk, milliseconds. */
const SYNC_MS = 500;

/** The run's append-only `events.jsonl`: one writer, the driver. It knows what it has written. */
export class Journal {
  readonly #file: JsonlAppender;
  readonly #history: History;
  #syncing = false;
  #closed = false;
  #follower: ((event: JournalEvent) => void) | undefined;

  /** @param before what the file says already; a copy of it grows with what is written */
  constructor(path: string, before?: History) {
    this.#file = new JsonlAppender(path);
    this.#history = new History(before);
  }

  /** What the whole file says, as of the last event. */
  get history(): History {
    return this.#history;
  }

  get progress(): Progress {
    return this.#history.progress;
  }

  /** Bytes written so far: `history` holds the events up to here. */
  get size(): number {
    return this.#file.size;
  }

  append(event: NewEvent): void {
    const stamped: JournalEvent = { ts: new Date().toISOString(), ...event };
    this.#history.add(stamped, this.#file.append(stamped));
    this.#follower?.(stamped);
    if (stamped.type === 'result' && stamped.result.status === 'accepted') this.#syncSoon();
  }

  /** An accepted result was paid for: it is on the disk within a second, whatever happens to the machine. */
  #syncSoon(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    setTimeout(() => {
      this.#syncing = false;
      // What goes wrong with the disk is met by the next append, where it belongs.
      if (!this.#closed) this.#file.sync().catch(() => {});
    }, SYNC_MS).unref();
  }

  /** Calls one follower with each further event once it is in the file, such as a projection of the journal. */
  follow(follower: (event: JournalEvent) => void): void {
    this.#follower = follower;
  }

  /** Ends it, with all of it on the disk. */
  close(): void {
    this.#closed = true;
    this.#file.close({ sync: true });
  }
}

/** Milliseconds from one time to another; 0 for a clock that was set back. */
function between(from: string | undefined, to: string | undefined): number {
  if (from === undefined || to === undefined) return 0;
  return Math.max(0, Date.parse(to) - Date.parse(from));
}

function workerOf({ worker, why }: Extract<JournalEvent, { type: 'assignments' }>): ActivityRecord['worker'] {
  const [name = worker, lane = null] = worker.split('/');
  return { name, lane, why };
}

/** As `readHistory` without letting anything else run meanwhile: for a record that is rebuilt while it is read. */
export function readHistorySync(path: string): History {
  const history = new History();
  if (!existsSync(path)) return history;
  const fd = openFile(path);
  try {
    const lines = new LineSplitter();
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    let offset = 0;
    for (let bytes = readSync(fd, buffer); bytes > 0; bytes = readSync(fd, buffer)) {
      for (const line of lines.push(buffer.subarray(0, bytes))) {
        const event = parseEvent(line);
        if (event !== undefined) history.add(event, offset);
        offset += Buffer.byteLength(line) + 1;
      }
    }
    return history;
  } finally {
    closeSync(fd);
  }
}

/** Reads the whole journal once, streaming; 100,000 results take about a second. */
export async function readHistory(path: string): Promise<History> {
  const history = new History();
  for await (const events of readEvents(path))
    for (const { start, event } of events) history.add(event, start);
  return history;
}

/**
 * Reads events from a byte offset on. A line that is torn, or that a newer version wrote, is passed over.
 *
 * @param only types to read; lines of others are passed over without being parsed
 * @returns batches of events, each with the offset at which the next event starts
 */
export async function* readEvents(
  path: string,
  from = 0,
  only?: ReadonlySet<string>,
): AsyncGenerator<Array<{ start: number; end: number; event: JournalEvent }>> {
  if (!existsSync(path)) return;
  for await (const lines of readLineBatches(path, { start: from })) {
    const events: Array<{ start: number; end: number; event: JournalEvent }> = [];
    for (const line of lines) {
      if (!line.complete) continue;
      if (only !== undefined && !only.has(typeOf(line.text) ?? '')) continue;
      const event = parseEvent(line.text);
      if (event !== undefined) events.push({ start: line.start, end: line.end, event });
    }
    if (events.length > 0) yield events;
  }
}

/** The type of an event's line: it follows the time. Parsing the line costs ten times as much. */
function typeOf(text: string): string | undefined {
  return /^\{"ts":"[^"]*","type":"([a-z_]+)"/.exec(text)?.[1];
}

/** One journal line, or undefined when it is torn or unknown. */
export function parseEvent(text: string): JournalEvent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJournalEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads single results back by the offset of their line. Those that stand near each other are read at once. */
export class ResultReader {
  readonly #fd: number;
  #buffer = Buffer.allocUnsafe(16 * 1024);
  /** What of the file is in the buffer. */
  #start = 0;
  #end = 0;

  constructor(path: string) {
    this.#fd = openFile(path);
  }

  read(offset: number): ResultRecord | undefined {
    const event = parseEvent(this.#line(offset) ?? '');
    return event?.type === 'result' ? event.result : undefined;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The line that starts there, without its end; undefined when it has none. */
  #line(offset: number): string | undefined {
    const held = offset >= this.#start && offset < this.#end ? this.#newlineAfter(offset) : -1;
    if (held !== -1) return this.#buffer.toString('utf8', offset - this.#start, held);
    for (;;) {
      const bytes = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, offset);
      this.#start = offset;
      this.#end = offset + bytes;
      const newline = this.#newlineAfter(offset);
      if (newline !== -1) return this.#buffer.toString('utf8', 0, newline);
      if (bytes < this.#buffer.length) return undefined;
      this.#buffer = Buffer.allocUnsafe(this.#buffer.length * 2);
    }
  }

  /** Index in the buffer, or -1. */
  #newlineAfter(offset: number): number {
    return this.#buffer.subarray(0, this.#end - this.#start).indexOf(0x0a, offset - this.#start);
  }
}

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
  #driver: { process: ProcessIdentity; offset: number; startedAt: string } | undefined;
  #worker: ActivityRecord['worker'];
  #end: Extract<JournalEvent, { type: 'finished' }> | undefined;
  #lastAt: string | undefined;
  #earlierMs: number;

  /** @param of what is copied, so that it stays as it is while events are added to the copy */
  constructor(of?: History) {
    this.progress = { ...(of?.progress ?? emptyProgress()) };
    this.accepted = new IdIndex(of?.accepted);
    this.failed = new IdIndex(of?.failed);
    this.attempts = new Map(of?.attempts);
    this.#processes = new Map(of === undefined ? [] : of.#processes);
    this.#carried = of?.carried ?? 0;
    this.#generation = of?.generation ?? 0;
    this.#driver = of?.driver;
    this.#worker = of?.worker;
    this.#end = of?.end;
    this.#lastAt = of === undefined ? undefined : of.#lastAt;
    this.#earlierMs = of === undefined ? 0 : of.#earlierMs;
  }

  /** How many ids are accepted. */
  get carried(): number {
    return this.#carried;
  }

  /** Of the last driver; 0 before the first. */
  get generation(): number {
    return this.#generation;
  }

  /** The last driver, and the offset of its first event. */
  get driver(): { process: ProcessIdentity; offset: number; startedAt: string } | undefined {
    return this.#driver;
  }

  /** Who answers, as the last stage said. */
  get worker(): ActivityRecord['worker'] {
    return this.#worker;
  }

  /** How the last driver left the activity; undefined when it did not get so far. */
  get end(): Extract<JournalEvent, { type: 'finished' }> | undefined {
    return this.#end;
  }

  /** For how long drivers have worked on it, milliseconds: from the start of each to its last event. */
  get workedMs(): number {
    return this.#earlierMs + between(this.#driver?.startedAt, this.#lastAt);
  }

  /** Worker processes that were started and not seen to end, and still run. */
  get survivors(): ProcessIdentity[] {
    return [...this.#processes.values()].filter((process) => isAlive(process) === true);
  }

  /** @param start offset of the event's line in the journal */
  add(event: JournalEvent, start: number): void {
    countEvent(this.progress, event);
    if (event.type === 'driver_started') this.#earlierMs = this.workedMs;
    this.#lastAt = event.ts;
    switch (event.type) {
      case 'driver_started':
        this.#generation = event.generation;
        this.#driver = { process: event.driver, offset: start, startedAt: event.ts };
        this.#end = undefined;
        break;
      case 'assignments':
        this.#worker = workerOf(event);
        break;
      case 'finished':
        this.#end = event;
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
