import type { WorkRequest } from '../workers/index.ts';

/** What the flow decides about a worker call; dispatch adds files, limits of time and the signal. */
export type WorkCall = Pick<
  WorkRequest,
  | 'instructions'
  | 'input'
  | 'material'
  | 'placeholders'
  | 'schema'
  | 'model'
  | 'effort'
  | 'sandbox'
  | 'tools'
  | 'cwd'
> & {
  timeoutMs: number;
};

/**
 * Whether an answer will do. `text` is what is kept; `errors` go back to the worker. `correctable`: the work is done,
 * and only its form is wrong, so that another attempt can put it right.
 */
export type Acceptance =
  | { ok: true; text: string; detail?: Record<string, unknown> }
  | { ok: false; errors: string[]; correctable?: boolean };

/** One piece of work, light enough to wait in a queue: what it needs is loaded when its turn comes. */
export interface Assignment {
  /** Unique in the run; part of file names, so `[A-Za-z0-9._-]` only. */
  readonly id: string;
  /**
   * Where its result goes, absolute. A result that an earlier driver wrote elsewhere is not valid; one in a run that
   * was moved as a whole is.
   */
  readonly outputPath?: string;
  /**
   * How its inputs look without reading them (see `fileMark`): while this says the same, `key` is the same.
   * Undefined when that cannot be said.
   */
  inputMark?(): string | undefined;
  /** Loads inputs. An RlmError fails this assignment with class `config`, and no other. */
  prepare(): Promise<PreparedAssignment>;
  /** Called once dispatch is done with it, with or without a result. */
  onDone?(): void;
}

/** Something a worker is asked once or more, and whose answer is checked. */
export interface Piece {
  call(): WorkCall;
  /** @param launchedAt when the attempt was started, milliseconds since 1970 */
  accept(answer: string, launchedAt: number): Acceptance | Promise<Acceptance>;
  /**
   * The work leaves files, and `accept` judges those, whatever the answer says: also of a worker that said nothing.
   * It is attempted again only after a transient error, or when what it left is correctable: work that was begun may
   * have changed something already.
   */
  leavesFiles?: boolean;
  /** What to ask for after an answer that was not accepted; by default the corrected JSON object. */
  correction?: string;
  /** Two smaller pieces and how their texts become one, for a piece that was too big; undefined when it cannot. */
  split?(): Split | undefined;
}

export interface Split {
  parts: Piece[];
  /** The accepted texts of the parts, in order, to an answer that is then checked as one. */
  merge(texts: string[]): string;
}

export interface PreparedAssignment extends Piece {
  /** Fingerprint (hex sha256) of all that the result depends on, the worker excepted: a changed one makes it stale. */
  readonly key: string;
  /** Fingerprint of the content alone, under which an answer may serve any run; null: never. */
  readonly cacheKey: string | null;
  /** Makes an answer from the cache that of this assignment. */
  adopt?(text: string): string;
  /** Writes the accepted text to its output path, atomically, and says where that is. */
  commit(text: string): { output_path: string; output_sha256: string };
}
