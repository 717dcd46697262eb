import { relative, resolve } from 'node:path';
import type { Failure, LaunchRecord, Task } from '../contracts/index.ts';
import { messageOf } from '../errors.ts';
import type { RunHandle } from '../runs/index.ts';
import type { Worker, WorkRequest, WorkResult } from '../workers/index.ts';
import { publishDraft } from './draft.ts';
import type { InflightLog, LaunchEnd } from './inflight.ts';
import { type Acceptance, acceptReport } from './report.ts';

/** Faults after which dispatch tries the same launch again, so that it is not over yet. */
const TRANSIENT: ReadonlySet<Failure['class']> = new Set(['throttled', 'server', 'network']);

/** A worker whose launches are kept in `inflight.json`, and whose answer is its report's sha256. */
export interface RecordedWorker extends Worker {
  /** Dispatch is done with a task: a launch that waited for another try is over. */
  settled(workerId: string): void;
}

/**
 * Keeps every launch of a task on record: before the worker is started, again with its process, and when it has
 * ended. Whether it succeeded is decided by its report alone: what it says in chat counts for nothing, not even
 * when it says nothing.
 *
 * What it wrote is published first, also of one that failed: a partial report is better than none.
 *
 * @param taskOf the task of an id, from the plan
 */
export function recordedWorker(
  inner: Worker,
  run: RunHandle,
  log: InflightLog,
  taskOf: (workerId: string) => Task,
): RecordedWorker {
  const waiting = new Map<string, LaunchEnd>();
  const publish = (workerId: string): Failure | undefined => {
    try {
      publishDraft(run, taskOf(workerId));
      return undefined;
    } catch (error) {
      return rejection({ message: messageOf(error) });
    }
  };

  /** What a launch came to: when it ended well, by its report. @param refused why its draft was not published */
  const verdict = (
    result: WorkResult,
    refused: Failure | undefined,
    launch: LaunchRecord,
    task: Task,
  ): { failure: Failure | undefined; sha256: string | null } => {
    if (!worthALook(result)) return { failure: result.failure, sha256: null };
    if (refused !== undefined) return { failure: refused, sha256: null };
    const report = acceptance(resolve(run.record.root, task.report_path), launch);
    return report.accepted
      ? { failure: undefined, sha256: report.sha256 }
      : { failure: rejection(report), sha256: null };
  };

  async function call(request: WorkRequest): Promise<WorkResult> {
    const { id, attempt } = request;
    const logPath = relative(run.dir, request.logPath);
    const launch = log.started(id, attempt, logPath);
    waiting.delete(id);
    const result = await inner.run({
      ...request,
      onProcess(process) {
        log.started(id, attempt, logPath, process);
        request.onProcess?.(process);
      },
    });
    // After a transient error the same launch goes on with what it has.
    const transient = result.failure !== undefined && TRANSIENT.has(result.failure.class);
    const refused = transient ? undefined : publish(id);
    const { failure, sha256 } = verdict(result, refused, launch, taskOf(id));
    const end: LaunchEnd = {
      exit_code: result.exitCode ?? null,
      failure_class: failure?.class ?? null,
      failure_message: failure?.message ?? null,
      report_sha256: sha256,
    };
    if (transient) waiting.set(id, end);
    else log.ended(id, end);
    const { failure: _failure, answer: _answer, ...rest } = result;
    if (failure !== undefined) return { ...rest, failure };
    return { ...rest, answer: sha256 ?? '' };
  }

  return {
    name: inner.name,
    lane: inner.lane,
    version: inner.version,
    cacheIdentity: null,
    run: call,
    ...(inner.quota === undefined ? {} : { quota: () => inner.quota?.() ?? Promise.resolve(undefined) }),
    close: () => inner.close(),
    settled(workerId) {
      const end = waiting.get(workerId);
      waiting.delete(workerId);
      if (end === undefined) return;
      publish(workerId);
      log.ended(workerId, end);
    },
  };
}

/** It ended well, or only its chat answer was not what the worker's program expects. */
function worthALook({ failure }: WorkResult): boolean {
  return failure === undefined || failure.class === 'invalid_output';
}

function acceptance(path: string, launch: LaunchRecord): Acceptance {
  try {
    return acceptReport(path, launch.started_at);
  } catch (error) {
    return {
      accepted: false,
      state: 'missing',
      message: `the report ${path} cannot be read: ${messageOf(error)}`,
    };
  }
}

function rejection({ message }: { message: string }): Failure {
  return { class: 'invalid_output', message };
}
