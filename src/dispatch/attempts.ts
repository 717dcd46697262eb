import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addUsage, type Failure, RUN_FILES, type Usage } from '../contracts/index.ts';
import { FILE_MODE } from '../files/index.ts';
import { oneLine, truncate } from '../text/index.ts';
import type { Worker, WorkResult } from '../workers/index.ts';
import type { Acceptance, Piece, PreparedAssignment, Split, WorkCall } from './assignment.ts';
import { type BudgetLedger, costOf, type Price } from './budget.ts';
import type { AnswerCache } from './cache.ts';
import type { Journal, NewEvent } from './journal.ts';
import { type Decision, decide, isStop, isTransient, type RetryLimits, type Stop } from './policy.ts';

/** What the loop of attempts needs of the engine. */
export interface AttemptLoop {
  journal: Journal;
  worker: Worker;
  retry: RetryLimits;
  idleTimeoutMs: number;
  budget: BudgetLedger;
  /** What a model costs, where that is known. */
  priceOf(model: string | null): Price | undefined;
  cache: AnswerCache | undefined;
  runDir: string;
  marks: Record<string, string>;
  signal: AbortSignal;
  random: () => number;
  stopped(): boolean;
  /** Aborted when `stopped` becomes true. */
  stopSignal: AbortSignal;
  onStop(stop: Stop): void;
  onTransientError(failure: Failure, launchedAt: number): void;
  onSuccess(): void;
}

/** How the attempts at one assignment ended. */
export interface AttemptsEnd {
  acceptance: { text: string; detail?: Record<string, unknown> } | undefined;
  failure: Failure | undefined;
  attempts: number;
  usage: Usage;
  costUsd: number | null;
  model: string | null;
  logPaths: string[];
  /** What went wrong on the way, one line an attempt. */
  errors: string[];
}

/** A split goes three levels deep: a piece is an eighth of its chunk at least. */
const MAX_SPLITS = 3;
const MAX_ERROR_CHARS = 600;
const MAX_ERRORS = 20;

type Accepted = NonNullable<AttemptsEnd['acceptance']>;

/**
 * Calls the worker until an answer is accepted, the policy gives up, or the run stops. The one retry loop.
 *
 * @returns `open` when the run stopped first: the assignment has no result, and `resume` takes it up
 */
export async function runAttempts(
  id: string,
  prepared: PreparedAssignment,
  before: { attempts: number; usage: Usage; costUsd: number | null },
  loop: AttemptLoop,
): Promise<AttemptsEnd | 'open'> {
  const end: AttemptsEnd = {
    acceptance: undefined,
    failure: undefined,
    attempts: before.attempts,
    usage: before.usage,
    costUsd: before.costUsd,
    model: null,
    logPaths: [],
    errors: [],
  };
  const worked = await new Attempts(id, end, loop).workOn(prepared);
  if (worked === 'stopped') return 'open';
  end.acceptance = worked === 'failed' ? undefined : worked;
  return end;
}

/** One call of the worker and the check of its answer. What it cost is counted, however it ended. */
interface Attempt {
  acceptance: Acceptance | undefined;
  failure: Failure | undefined;
  launchedAt: number;
  /** The journal's word of it, as far as it is known before it is decided what happens next. */
  ended: AttemptEnded;
}
type AttemptEnded = Omit<Extract<NewEvent, { type: 'attempt_ended' }>, 'failure' | 'next' | 'retry_in_ms'>;

/** The attempts at one assignment, and what they come to together. */
class Attempts {
  readonly #id: string;
  readonly #end: AttemptsEnd;
  readonly #loop: AttemptLoop;

  constructor(id: string, end: AttemptsEnd, loop: AttemptLoop) {
    this.#id = id;
    this.#end = end;
    this.#loop = loop;
  }

  /** The attempts at a piece, and at the halves of one that was too much. */
  async workOn(piece: Piece, depth = 0): Promise<Accepted | 'failed' | 'stopped'> {
    const [loop, end] = [this.#loop, this.#end];
    const counts = { own: 0, transient: 0 };
    let feedback = '';
    for (let first = depth === 0; ; first = false) {
      if (loop.stopped()) return 'stopped';
      const attempt = await this.#attemptOnce(piece, feedback, first);
      if (attempt === 'stopped') return 'stopped';
      const { acceptance, failure, launchedAt, ended } = attempt;
      if (failure === undefined && acceptance?.ok) {
        loop.journal.append(ended);
        loop.onSuccess();
        end.failure = undefined;
        return acceptance;
      }

      const why = failure ?? { class: 'crashed', message: 'no answer' };
      end.failure = why;
      if (end.errors.length < MAX_ERRORS) {
        end.errors.push(truncate(`attempt ${ended.attempt}: ${why.class}: ${why.message}`, MAX_ERROR_CHARS));
      }
      counts[isTransient(why.class) ? 'transient' : 'own'] += 1;
      const split = why.class === 'overflow' || why.class === 'timeout' ? piece.split?.() : undefined;
      const correctable = acceptance?.ok === false && acceptance.correctable === true;
      const decision = decide(
        why,
        counts,
        { ...loop.retry, transientOnly: piece.leavesFiles === true && !correctable },
        split !== undefined && depth < MAX_SPLITS,
        loop.random,
      );
      loop.journal.append({ ...ended, failure: why, ...describeDecision(decision) });
      if (isTransient(why.class)) loop.onTransientError(why, launchedAt);

      switch (decision.next) {
        case 'stop':
          if (isStop(why.class)) loop.onStop({ why: why.class, failure: why });
          return 'stopped';
        case 'fail':
          return loop.signal.aborted ? 'stopped' : 'failed';
        case 'split':
          return split === undefined ? 'failed' : this.#workOnParts(piece, split, depth);
        case 'retry':
          if (why.class === 'invalid_output') {
            // A worker that checks answers itself (Claude) said what was wrong; else our own check did.
            const errors = acceptance?.ok === false ? acceptance.errors : [why.message];
            feedback = correction(errors, piece.correction);
          }
          await pause(decision.delayMs, loop);
      }
    }
  }

  /** The parts of a piece one after the other, and their answers as one, which is checked like any other. */
  async #workOnParts(piece: Piece, split: Split, depth: number): Promise<Accepted | 'failed' | 'stopped'> {
    const texts: string[] = [];
    for (const part of split.parts) {
      const accepted = await this.workOn(part, depth + 1);
      if (accepted === 'failed' || accepted === 'stopped') return accepted;
      texts.push(accepted.text);
    }
    const merged = await piece.accept(split.merge(texts), Date.now());
    if (merged.ok) {
      this.#end.failure = undefined;
      return merged;
    }
    this.#end.failure = {
      class: 'invalid_output',
      message: `the merged answer: ${merged.errors.join('; ')}`,
    };
    return 'failed';
  }

  /**
   * @param feedback what was wrong with the answer before; goes to the end of the prompt
   * @param first whether it is the first attempt at the whole assignment
   * @returns `stopped` when a limit of the budget is reached
   */
  async #attemptOnce(piece: Piece, feedback: string, first: boolean): Promise<Attempt | 'stopped'> {
    const [loop, end] = [this.#loop, this.#end];
    const call = piece.call();
    const input = call.input + feedback;
    const promptBytes = Buffer.byteLength(call.instructions) + Buffer.byteLength(input);
    const reserved = loop.budget.reserve(promptBytes, first, performance.now());
    if (typeof reserved === 'string') {
      loop.onStop({ why: 'budget', failure: { class: 'budget', message: reserved } });
      return 'stopped';
    }
    end.attempts += 1;
    const attempt = end.attempts;
    const launchedAt = performance.now();
    const startedAt = Date.now();
    const result = this.#chargeMinutes(await this.#callWorker({ ...call, input }, attempt));
    const { acceptance, failure } = await judge(piece, result, startedAt);

    const price = loop.priceOf(call.model);
    const costUsd = result.costUsd ?? (price === undefined ? null : costOf(result.usage, price));
    loop.budget.settle(reserved, result.usage, costUsd);
    end.usage = addUsage(end.usage, result.usage);
    end.costUsd = costUsd === null ? end.costUsd : (end.costUsd ?? 0) + costUsd;
    end.model = result.model ?? end.model;
    end.logPaths.push(result.extraLogPath ?? attemptLog(this.#id, attempt));
    return {
      acceptance,
      failure,
      launchedAt,
      ended: {
        type: 'attempt_ended',
        id: this.#id,
        attempt,
        usage: result.usage,
        cost_usd: costUsd,
        duration_ms: Math.round(result.durationMs),
        ...(result.exitCode === undefined ? {} : { exit_code: result.exitCode }),
      },
    };
  }

  /** A call that was ended because the run's minutes are over is at no fault: it is done again when there are more. */
  #chargeMinutes(result: WorkResult): WorkResult {
    const { budget } = this.#loop;
    if (result.failure?.class !== 'timeout' || budget.remainingMs(performance.now()) > 0) return result;
    return { ...result, failure: { class: 'budget', message: budget.minutesOver } };
  }

  async #callWorker(call: WorkCall, attempt: number): Promise<WorkResult> {
    const [id, loop] = [this.#id, this.#loop];
    const promptPath = join(loop.runDir, RUN_FILES.prompts, `${id}.attempt${attempt}.txt`);
    const prompt = call.instructions === '' ? call.input : `${call.instructions}\n${call.input}`;
    writeFileSync(promptPath, prompt, { mode: FILE_MODE });
    loop.journal.append({
      type: 'attempt_started',
      id,
      attempt,
      worker: loop.worker.name,
    });
    const remaining = loop.budget.remainingMs(performance.now());
    return loop.worker.run({
      ...call,
      id,
      attempt,
      timeoutMs: Math.min(call.timeoutMs, Math.max(1, remaining)),
      idleTimeoutMs: loop.idleTimeoutMs,
      promptPath,
      logPath: join(loop.runDir, attemptLog(id, attempt)),
      marks: loop.marks,
      signal: loop.signal,
      onProcess: (process) => loop.journal.append({ type: 'process', id, attempt, process }),
    });
  }
}

/** What came of a call: whether its answer, or the files it left, will do. */
async function judge(
  piece: Piece,
  { answer, failure }: WorkResult,
  startedAt: number,
): Promise<Pick<Attempt, 'acceptance' | 'failure'>> {
  if (piece.leavesFiles !== true) {
    const acceptance = answer === undefined ? undefined : await piece.accept(answer, startedAt);
    return { acceptance, failure: failure ?? describeRejection(acceptance, answer) };
  }
  // A chat answer that its program found fault with says nothing about the files.
  if (failure !== undefined && failure.class !== 'invalid_output') return { acceptance: undefined, failure };
  const acceptance = await piece.accept(answer ?? '', startedAt);
  return { acceptance, failure: describeRejection(acceptance) };
}

/** What the journal says of a decision. */
function describeDecision(decision: Decision): { next: 'retry' | 'split' | 'none'; retry_in_ms?: number } {
  if (decision.next === 'retry') return { next: 'retry', retry_in_ms: decision.delayMs };
  return { next: decision.next === 'split' ? 'split' : 'none' };
}

function describeRejection(acceptance: Acceptance | undefined, answer = ''): Failure | undefined {
  if (acceptance === undefined || acceptance.ok) return undefined;
  // No JSON at all: its words may say why, such as that the model refuses.
  const said = answer === '' || answer.includes('{') ? '' : `; it said: ${oneLine(answer, 100)}`;
  return { class: 'invalid_output', message: truncate(acceptance.errors.join('; '), MAX_ERROR_CHARS) + said };
}

/** Goes to the very end of the prompt, after the chunk, so that the cached prefix stays whole. */
function correction(
  errors: string[],
  request = 'Answer again with the whole corrected JSON object.',
): string {
  const list = errors.slice(0, 10).map((error) => `- ${truncate(error, 300)}`);
  return `\n\nYour last answer was not accepted:\n${list.join('\n')}\n${request}\n`;
}

/** The log of an attempt, relative to the run directory. */
export function attemptLog(id: string, attempt: number): string {
  return `logs/${id}.attempt${attempt}.jsonl`;
}

/** Waits before a retry; a stop of the run ends the wait, for there will be no retry. */
async function pause(ms: number, loop: AttemptLoop): Promise<void> {
  if (ms > 0 && !loop.stopped()) await sleep(ms, undefined, { signal: loop.stopSignal }).catch(() => {});
}
