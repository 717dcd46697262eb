import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_FILES } from '../contracts/index.ts';
import {
  type Assignment,
  endOfStop,
  endOfWork,
  type FlowContext,
  type FlowEnd,
  type Stop,
  WorkSession,
} from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { jobAssignment } from './job-assignment.ts';
import { countAccepted, type Job, type JobPaths, readJobIds, readJobs } from './jobs.ts';
import { BatchParams } from './request.ts';
import { writeResults, writeSummary } from './summary.ts';

/** The batch flow: the run's `jobs.jsonl` to accepted results and `summary.json`. */
export async function batchFlow(context: FlowContext): Promise<FlowEnd> {
  const params = BatchParams.parse(context.params);
  const { run, journal, history } = context;
  const began = performance.now();
  rmSync(join(run.dir, RUN_FILES.summary), { force: true });
  const jobsFile = join(run.dir, RUN_FILES.jobs);
  const paths: JobPaths = { runDir: run.dir, baseDir: params.base_dir, allowedRoots: params.allowed_roots };
  const session = await WorkSession.open(context, params);
  let stop: Stop | undefined;
  let found = 0;
  const jobs = async function* () {
    for await (const job of readJobs(jobsFile, paths)) {
      found += 1;
      yield job;
    }
  };
  try {
    // Results in the journal may belong to another jobs file, so they are counted by id; a new run has none to count.
    const carried = history.carried === 0 ? 0 : await countAccepted(readJobIds(jobsFile), history);
    stop = await session.dispatch(jobAssignments(session, context, params.timeout_sec, jobs()), {
      added: params.jobs_total,
      carried,
    });
  } finally {
    await session.close();
  }
  if (stop === undefined && found !== params.jobs_total) {
    throw new RlmError(
      'corrupt',
      `${jobsFile} has ${found} jobs, but ${params.jobs_total} were there when the batch was started`,
      { hint: 'Put the file back and resume, or start the batch again.' },
    );
  }
  const counts = { accepted: journal.progress.accepted, total: params.jobs_total };
  const notes = session.withoutModel(params) ? [`no model answered: ${session.why}`] : [];
  const end = stop === undefined ? endOfWork(counts, 'jobs failed', notes) : endOfStop(stop);
  const head = { runDir: run.dir, reason: end.reason ?? null, stop, durationMs: performance.now() - began };
  await writeSummary({ ...head, state: end.state, history: journal.history }, readJobIds(jobsFile));
  await writeResults(run.dir, { before: context.history, history: journal.history }, readJobIds(jobsFile));
  return end;
}

/** Jobs as work for a session. @param weights see `BatchSettings` */
export async function* jobAssignments(
  session: WorkSession,
  context: FlowContext,
  timeoutSec: number,
  jobs: AsyncIterable<Job> | Iterable<Job>,
  weights?: readonly number[],
): AsyncGenerator<Assignment> {
  const settings = {
    worker: session.worker.name,
    model: session.model,
    effort: session.effort,
    runDir: context.run.dir,
    cwd: session.cwd,
    timeoutSec,
    embedBytes: context.config.values.limits.embed_bytes,
    weights,
  };
  for await (const job of jobs) yield jobAssignment(job, settings);
}
