import type { RefineEnded, RefineParams } from '../contracts/index.ts';
import type { FlowContext, Stop, WorkSession } from '../dispatch/index.ts';

/** What all lines of a run share. */
export interface LineContext {
  flow: FlowContext;
  params: RefineParams;
  session: WorkSession;
  /** Aborted when the run is cancelled, when its time is over, or when another line has won. */
  signal: AbortSignal;
  /** Milliseconds that are left of `max_minutes`. */
  remainingMs(): number;
  /** Writes the state of the run. */
  save(): void;
  /** Keeps what the driver wrote, so that a change by anybody else is seen. */
  wrote(path: string, text: string): void;
  /** Names of files of the run's state that somebody else changed. */
  foreignChanges(): string[];
}

/** Where a line works. */
export interface Place {
  /** The worktree; null when work is in place. */
  worktree: string | null;
  /** Whether the worktree was made just now. */
  fresh: boolean;
  /** Links in it to dependencies: no part of the work. */
  links: readonly string[];
}

/** How a line ended, and why when that is not obvious. */
export interface LineEnd {
  ended: RefineEnded;
  reason?: string;
  stop?: Stop;
}
