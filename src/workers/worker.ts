import { existsSync } from 'node:fs';
import type { Failure, Usage } from '../contracts/index.ts';
import type { ProcessIdentity } from '../files/index.ts';

const WORKER_NAMES = ['codex', 'claude', 'http', 'command', 'extractive'] as const;
export type WorkerName = (typeof WORKER_NAMES)[number];

/** What a worker may touch. Read-only unless a task owns paths to write. */
export type Sandbox =
  /** `report`: the one file or directory that it may write all the same, absolute. */
  | { mode: 'read-only'; report?: string }
  | {
      mode: 'workspace-write';
      /** Absolute. */
      writable: string[];
      /** Within the writable paths, and not to be written all the same, absolute. */
      readOnly?: string[];
      /** Whether its shell has a network; not by default. */
      network?: boolean;
    };

/** The paths that a sandbox lets a worker write. */
export function writablePaths(sandbox: Sandbox): string[] {
  if (sandbox.mode === 'workspace-write') return sandbox.writable;
  return sandbox.report === undefined ? [] : [sandbox.report];
}

/** Existing paths within the writable ones that stay read-only. */
export function readOnlyPaths(sandbox: Sandbox): string[] {
  const paths = sandbox.mode === 'workspace-write' ? (sandbox.readOnly ?? []) : [];
  return paths.filter((path) => existsSync(path));
}

/** Whether a worker's shell may use the network. */
export function hasNetwork(sandbox: Sandbox): boolean {
  return sandbox.mode === 'workspace-write' && sandbox.network === true;
}

/** A piece of a document: its text, and where it starts in the document. */
export interface MaterialPart {
  source: string;
  /** From 1. */
  lineStart: number;
  text: string;
}

/** One call of a worker: everything it needs to know, and nothing about retries, budgets or the run. */
export interface WorkRequest {
  /** The assignment and attempt, for names of files and marks in the environment. */
  id: string;
  attempt: number;
  /** The stable prefix: the same for every call of a flow, so that the provider can cache it. */
  instructions: string;
  /** The rest of the prompt: question, then the material, then what was wrong with the last answer. */
  input: string;
  /**
   * For workers that read structure instead of a prompt, such as the extractive reader. `weights` are those of the
   * terms of the question in the documents; an ask sends them and wants passages instead of quotes.
   */
  material?: {
    question: string;
    chunkId: string;
    parts: MaterialPart[];
    weights?: readonly number[] | undefined;
  };
  /** What the placeholders of a command stand for: the chunk, and the schema's file, also one too loose for a model. */
  placeholders?: { chunkId: string; schemaPath: string };
  /** JSON Schema of the answer as an object and as a file; absent when any text will do. */
  schema?: { path: string; value: Record<string, unknown> };
  model: string | null;
  effort: string | null;
  sandbox: Sandbox;
  /** Whether the model needs tools (a shell) for this call. Prompt-only calls are leaner and safer without. */
  tools: boolean;
  /** Working directory of the worker. */
  cwd: string;
  /** Wall limit and silence limit, milliseconds. */
  timeoutMs: number;
  idleTimeoutMs: number;
  /** The whole prompt as a file, already written, for workers that take a path. */
  promptPath: string;
  /** Where everything the worker prints goes, as it comes. */
  logPath: string;
  /** Marks the worker's process for a later sweep, and carries the depth: see `environment.ts`. */
  marks: Record<string, string>;
  signal: AbortSignal;
  /** Called once with the worker's own process as soon as it runs, when it has one. */
  onProcess?(process: ProcessIdentity): void;
}

/** How a call ended. `answer` is untrusted text; whether it is acceptable is for the flow to say. */
export interface WorkResult {
  answer?: string;
  failure?: Failure;
  usage: Usage;
  /** Dollars as the worker itself reports them; null when it does not. */
  costUsd: number | null;
  durationMs: number;
  /** The model that answered, when the worker says so. */
  model: string | null;
  /** Of the worker's own process, when it had one that ended by itself. */
  exitCode?: number | undefined;
  /** Log the worker wrote elsewhere than to `logPath` (a runner script). */
  extraLogPath?: string;
}

/** Used and reset of an account's allowance, as far as the worker can tell without a model call. */
export interface QuotaReading {
  usedPercent: number;
  resetsAt: string | undefined;
  exhausted: boolean;
}

/** A way to get one assignment answered. Made once for an activity, used by many calls at a time. */
export interface Worker {
  readonly name: WorkerName;
  /** How the calls are made, such as `exec` or `app-server`; null when there is one way only. */
  readonly lane: string | null;
  /** Version of the program behind it, for the record and for the cache key. */
  readonly version: string;
  /** What besides the prompt decides the answer (a script's hash): part of the cache key. Null: never cache. */
  readonly cacheIdentity: string | null;
  /** What a person should know about it, such as that more than the prompt reaches the model. */
  readonly note?: string | undefined;
  /** Never rejects: every failure is a `failure` with a class. */
  run(request: WorkRequest): Promise<WorkResult>;
  /** Reads the allowance before anything is launched, where the program offers it. */
  quota?(): Promise<QuotaReading | undefined>;
  /** Ends every process the worker still has. */
  close(): Promise<void>;
}
