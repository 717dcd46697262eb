import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { type Job, type JobPaths, readJobs } from '../batch/index.ts';
import { type ChunkRecord, CoverageFile, EvidenceFile, RUN_FILES } from '../contracts/index.ts';
import {
  type Corpus,
  chunkRecords,
  describeDocument,
  ordinalOf,
  readManifest,
  textFile,
} from '../corpus/index.ts';
import { type History, ResultReader, readHistory } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { type Reduced, type ReduceJob, reduceEvidence, SourceFiles } from '../evidence/index.ts';
import { readTextFile } from '../files/index.ts';
import { isBuiltFrom } from './jobs.ts';

/** Reads the documents of a corpus by the names they are cited by. Close it when done. */
export function sourceReader(corpus: Corpus): SourceFiles {
  const files = new Map<string, string>();
  for (const source of corpus.sources) {
    if (source.status === 'read') files.set(source.path, textFile(corpus, source));
  }
  return new SourceFiles((source) => files.get(source));
}

/**
 * The answers of jobs to verified evidence and coverage: `reduce/evidence.json`, `reduce/coverage.json`.
 *
 * @param history what became of each job
 */
export async function reduceJobs(
  corpus: Corpus,
  jobs: AsyncIterable<ReadJob> | Iterable<ReadJob>,
  history: History,
): Promise<Reduced> {
  const results = new ResultReader(join(corpus.runDir, RUN_FILES.events));
  const reader = sourceReader(corpus);
  const withResults = async function* (): AsyncGenerator<ReduceJob> {
    for await (const { record, outputPath, chunks } of jobs) {
      const offset = history.accepted.get(record.job_id) || history.failed.get(record.job_id);
      const result = offset === undefined ? undefined : results.read(offset);
      yield {
        job_id: record.job_id,
        question: record.question,
        status: result?.status ?? 'never_sent',
        chunks,
        answer_path: result?.status === 'accepted' ? outputPath : null,
        unread: Unread.safeParse(result?.detail).data?.unread ?? [],
        failure: result?.errors.at(-1),
      };
    }
  };
  try {
    return await reduceEvidence({
      jobs: withResults(),
      chunks: readManifest(corpus),
      sources: corpus.sources,
      reader,
      describe: (source) => describeDocument(corpus, source),
      runDir: corpus.runDir,
    });
  } finally {
    results.close();
    reader.close();
  }
}

/** What a batch notes about an answer when some of its job's chunks could not be read. */
const Unread = z.object({ unread: z.array(z.string()) });

/** A job with the chunks it is about. */
type ReadJob = Job & { chunks: ChunkRecord[] };

/**
 * Reduces the answers to the jobs in a run's `jobs.jsonl`, whoever wrote it.
 *
 * @throws RlmError `not_found` without jobs, or for a job about a chunk that the corpus does not have;
 *   `conflict` for a job about a chunk that holds something else by now
 */
export async function reduceRun(corpus: Corpus, paths: JobPaths): Promise<Reduced> {
  const jobsFile = join(corpus.runDir, RUN_FILES.jobs);
  const journal = join(corpus.runDir, RUN_FILES.events);
  if (!existsSync(jobsFile) || !existsSync(journal)) {
    throw new RlmError('not_found', 'this run has no answers to reduce', {
      hint: {
        text: 'Build its jobs and run them first.',
        action: { tool: 'rlm_build_jobs', args: { run_id: basename(corpus.runDir) } },
      },
    });
  }
  const jobs = async function* (): AsyncGenerator<ReadJob> {
    for await (const job of readJobs(jobsFile, paths)) {
      const { record } = job;
      const ids = record.spans?.map((span) => span.chunk_id) ?? [record.chunk_id];
      const chunks = chunkRecords(
        corpus,
        ids.map((id) => ordinalOf(corpus, id)),
      );
      if (!isBuiltFrom(record, chunks)) {
        throw new RlmError('conflict', `job '${record.job_id}' was built from documents that changed since`, {
          hint: {
            text: 'Build the jobs again and run them.',
            action: { tool: 'rlm_build_jobs', args: { run_id: basename(corpus.runDir) } },
          },
        });
      }
      yield { ...job, chunks };
    }
  };
  return reduceJobs(corpus, jobs(), await readHistory(journal));
}

/**
 * What the last reduce of a run wrote.
 *
 * @throws RlmError `not_found` when there was none
 */
export function readReduced(runDir: string): Reduced {
  const read = (name: string): unknown => {
    const path = join(runDir, name);
    if (existsSync(path)) return JSON.parse(readTextFile(path));
    throw new RlmError('not_found', `there is no ${name} in this run`, {
      hint: {
        text: 'Reduce the answers of the batch first.',
        action: { tool: 'rlm_reduce_evidence', args: { run_id: basename(runDir) } },
      },
    });
  };
  return {
    evidence: EvidenceFile.parse(read(RUN_FILES.evidence)),
    coverage: CoverageFile.parse(read(RUN_FILES.coverage)),
  };
}
