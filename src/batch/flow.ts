import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  AnswerCache,
  BudgetLedger,
  dispatch,
  endOfStop,
  type FlowContext,
  type FlowEnd,
  type Stop,
} from '../dispatch/index.ts';
import { ensureDirectory } from '../files/index.ts';
import { RUN_FILES, stateDirectory } from '../runs/index.ts';
import { createWorker } from '../workers/index.ts';
import { jobAssignment } from './job-assignment.ts';
import { type JobPaths, readJobs } from './jobs.ts';
import { BatchParams } from './params.ts';
import { writeSummary } from './summary.ts';

/** The batch flow: the run's `jobs.jsonl` to accepted results and `summary.json`. */
export async function batchFlow(context: FlowContext): Promise<FlowEnd> {
  const params = BatchParams.parse(context.params);
  const { run, journal, history, config, signal } = context;
  const { values } = config;
  const began = performance.now();
  for (const directory of [RUN_FILES.prompts, RUN_FILES.logs, RUN_FILES.subresults]) {
    ensureDirectory(join(run.dir, directory));
  }
  const paths: JobPaths = { runDir: run.dir, baseDir: params.base_dir, allowedRoots: params.allowed_roots };
  const { worker, why } = await createWorker(
    {
      worker: params.worker,
      lane: params.lane,
      runnerScript: params.runner_script ?? undefined,
      argv: params.command ?? undefined,
      profile: params.profile ?? undefined,
      codexHome: params.codex_home ?? undefined,
      workerCwd: params.worker_cwd ?? undefined,
      skipGitRepoCheck: params.skip_git_repo_check,
    },
    { root: run.record.root, config: values, marks: context.marks },
  );
  rmSync(join(run.dir, RUN_FILES.summary), { force: true });
  let stop: Stop | undefined;
  try {
    const model = params.model ?? (worker.name === 'claude' ? values.models.claude : values.models.codex);
    const price = values.prices[model];
    journal.append({
      type: 'assignments',
      added: params.jobs_total,
      carried: history.carried,
      concurrency: params.parallel,
      worker: worker.lane === null ? worker.name : `${worker.name}/${worker.lane}`,
      why,
    });
    const { usage, cost_usd } = history.progress;
    const spent = {
      workers: history.carried,
      attempts: history.progress.attempts,
      tokens: usage.input_tokens + usage.output_tokens,
      costUsd: cost_usd ?? 0,
    };
    const usesModel = worker.name !== 'extractive';
    const settings = {
      model: usesModel ? model : null,
      effort: worker.name === 'codex' ? (params.effort ?? values.effort) : null,
      cwd: params.worker_cwd ?? run.record.root,
      timeoutSec: params.timeout_sec,
      embedBytes: values.limits.embed_bytes,
    };
    const assignments = async function* () {
      for await (const job of readJobs(join(run.dir, RUN_FILES.jobs), paths))
        yield jobAssignment(job, settings);
    };
    stop = await dispatch(assignments(), {
      journal,
      journalPath: join(run.dir, RUN_FILES.events),
      history,
      worker,
      parallel: params.parallel,
      retry: {
        retries: params.retries,
        passingRetries: values.limits.passing_retries,
        backoffBaseMs: values.limits.backoff_ms,
        backoffMaxMs: values.limits.backoff_max_ms,
      },
      idleTimeoutMs: params.idle_timeout_sec * 1000,
      budget: new BudgetLedger(params.budget, spent, context.startedAt, price, worker.name !== 'codex'),
      price,
      cache: params.cache ? new AnswerCache(stateDirectory(run.record.root)) : undefined,
      runDir: run.dir,
      marks: context.marks,
      signal,
    });
  } finally {
    await worker.close();
  }
  const end: FlowEnd = stop === undefined ? { state: 'completed' } : endOfStop(stop);
  const head = { runDir: run.dir, reason: end.reason ?? null, stop, durationMs: performance.now() - began };
  const { failed } = await writeSummary({ ...head, state: end.state, progress: journal.progress }, paths);
  return stop === undefined && failed > 0
    ? { ...end, reason: `${failed} of ${params.jobs_total} jobs failed` }
    : end;
}
