import { join } from 'node:path';
import type { WorkParams } from '../contracts/index.ts';
import { RUN_FILES } from '../contracts/index.ts';
import { ensureDirectory, resolveInside } from '../files/index.ts';
import { createWorker, type Worker, type WorkerName } from '../workers/index.ts';
import type { Assignment } from './assignment.ts';
import { BudgetLedger, type Price } from './budget.ts';
import { AnswerCache } from './cache.ts';
import { dispatch } from './dispatch.ts';
import type { FlowContext } from './flow.ts';
import type { Stop } from './policy.ts';

/** What a flow may change about its session. */
interface SessionOptions {
  /** Models that assignments ask for, where that is not the session's own. */
  modelsOf?: (worker: WorkerName) => string[];
  /** The work reads and writes files. */
  needsTools?: boolean;
}

/**
 * A worker, made once for an activity, and the budget it works under: all stages of a flow dispatch through
 * one session, so limits and counts are those of the whole activity.
 */
export class WorkSession {
  readonly worker: Worker;
  /** The model to ask for; null for a worker that has none. */
  readonly model: string | null;
  readonly effort: string | null;
  /** Why it is this worker, in words. */
  readonly why: string;
  readonly #context: FlowContext;
  readonly #params: WorkParams;
  readonly #budget: BudgetLedger;
  #parallel: number;
  #raise: ((to: number) => void) | undefined;

  private constructor(
    context: FlowContext,
    params: WorkParams,
    chosen: { worker: Worker; why: string },
    options: SessionOptions,
  ) {
    const { config, history } = context;
    const { models, prices, effort } = config.values;
    const { worker } = chosen;
    this.worker = worker;
    this.#parallel = params.parallel;
    this.why = chosen.why;
    this.#context = context;
    this.#params = params;
    const own = { claude: models.claude, http: config.values.http?.model ?? models.codex };
    const model =
      params.model ?? (worker.name === 'claude' || worker.name === 'http' ? own[worker.name] : models.codex);
    this.model = worker.name === 'extractive' ? null : model;
    // Our own default is one for Codex, and must not override what a profile of the user says.
    const isOurs = config.origin('effort') === 'default';
    const byDefault = params.profile === undefined && (worker.name === 'codex' || !isOurs) ? effort : null;
    this.effort =
      worker.name === 'codex' || worker.name === 'claude' || worker.name === 'http'
        ? (params.effort ?? byDefault)
        : null;
    const price = dearest((options.modelsOf?.(worker.name) ?? [model]).map((name) => prices[name]));
    const { usage, cost_usd, attempts } = history.progress;
    const spent = {
      workers: history.carried,
      attempts,
      tokens: usage.input_tokens + usage.output_tokens,
      costUsd: cost_usd ?? 0,
      workedMs: history.workedMs,
    };
    const reportsCost = worker.name === 'claude' || worker.name === 'extractive';
    this.#budget = new BudgetLedger(params, spent, context.startedAt, price, reportsCost);
  }

  /** Makes the worker. Close the session when the flow is done, however it ends. */
  static async open(
    context: FlowContext,
    params: WorkParams,
    options: SessionOptions = {},
  ): Promise<WorkSession> {
    for (const directory of [RUN_FILES.prompts, RUN_FILES.logs, RUN_FILES.subresults]) {
      ensureDirectory(resolveInside(context.run.dir, directory, directory));
    }
    const chosen = await createWorker(params, {
      root: context.run.record.root,
      config: context.config.values,
      marks: context.marks,
      needsTools: options.needsTools,
    });
    try {
      return new WorkSession(context, params, chosen, options);
    } catch (error) {
      await chosen.worker.close();
      throw error;
    }
  }

  /** Whether a model could have been chosen, and none was there. */
  withoutModel({ worker }: Pick<WorkParams, 'worker'>): boolean {
    return worker === 'auto' && this.model === null;
  }

  /** Directory that workers run in. */
  get cwd(): string {
    return this.#params.worker_cwd ?? this.#context.run.record.root;
  }

  /** Lets more calls run at a time, from now on. */
  raiseParallel(to: number): void {
    this.#parallel = Math.max(this.#parallel, to);
    this.#raise?.(this.#parallel);
  }

  /**
   * Runs one stage.
   *
   * @param count how many assignments there are, and how many of them were accepted, or failed for good, under earlier
   *   drivers
   * @returns why it stopped early, or undefined
   */
  async dispatch(
    source: AsyncIterable<Assignment> | Iterable<Assignment>,
    count: { added: number; carried: number; failed?: number },
  ): Promise<Stop | undefined> {
    const { run, journal, history, config, signal, marks } = this.#context;
    const { limits } = config.values;
    const params = this.#params;
    journal.append({
      type: 'assignments',
      ...count,
      concurrency: this.#parallel,
      worker: this.worker.lane === null ? this.worker.name : `${this.worker.name}/${this.worker.lane}`,
      why: this.why,
    });
    return dispatch(source, {
      journal,
      journalPath: join(run.dir, RUN_FILES.events),
      history,
      worker: this.worker,
      parallel: this.#parallel,
      onStart: (raise) => {
        this.#raise = raise;
      },
      retry: {
        retries: params.retries,
        transientRetries: limits.transient_retries,
        backoffBaseMs: limits.backoff_ms,
        backoffMaxMs: limits.backoff_max_ms,
      },
      idleTimeoutMs: params.idle_timeout_sec * 1000,
      budget: this.#budget,
      priceOf: (model) => (model === null ? undefined : config.values.prices[model]),
      cache: params.cache ? new AnswerCache(run.record.root) : undefined,
      runDir: run.dir,
      marks,
      signal,
    });
  }

  async close(): Promise<void> {
    await this.worker.close();
  }
}

/** What a call costs at most; undefined when the price of any model is not known. */
function dearest(prices: readonly (Price | undefined)[]): Price | undefined {
  return prices.reduce((most, price) =>
    most === undefined || price === undefined ? undefined : price.output > most.output ? price : most,
  );
}
