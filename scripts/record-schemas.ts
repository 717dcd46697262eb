import { z } from 'zod';
import {
  ActivityRecord,
  ArchivedTo,
  ArchiveMeta,
  AskPreview,
  AskState,
  BatchSummary,
  ChunkRecord,
  CorpusRecord,
  CoverageFile,
  DeferredFile,
  EvidenceFile,
  FinalAnswer,
  FinalReport,
  InflightFile,
  IngestReport,
  IterationRecord,
  JobRecord,
  JournalEvent,
  Plan,
  ReduceState,
  RefineState,
  RunRecord,
  SourceRecord,
  WorkerAnswer,
} from '../src/contracts/index.ts';

/** Every record on disk, by the name of its schema, and the file it is found in. */
const RECORDS = {
  run: [RunRecord, 'run.json'],
  activity: [ActivityRecord, 'activity.json'],
  event: [JournalEvent, 'a line of events.jsonl'],
  job: [JobRecord, 'a line of jobs.jsonl'],
  chunk: [ChunkRecord, 'a line of chunks/manifest.jsonl'],
  source: [SourceRecord, 'a line of chunks/sources.jsonl'],
  corpus: [CorpusRecord, 'chunks/corpus.json'],
  ingest: [IngestReport, 'ask/ingest.json'],
  subresult: [WorkerAnswer, 'subresults/*.json: the answer of a worker about one chunk'],
  summary: [BatchSummary, 'summary.json'],
  evidence: [EvidenceFile, 'reduce/evidence.json'],
  coverage: [CoverageFile, 'reduce/coverage.json'],
  final: [FinalAnswer, 'out/answer.json'],
  ask: [AskState, 'ask/state.json'],
  'ask-preview': [AskPreview, 'ask/preview.json'],
  plan: [Plan, 'plan.json'],
  inflight: [InflightFile, 'artifacts/scheduler/inflight.json'],
  'reduce-state': [ReduceState, 'reduce_state.json'],
  deferred: [DeferredFile, 'deferred.json'],
  'final-report': [FinalReport, 'final.json of a plan'],
  refine: [RefineState, 'refine/state.json'],
  iteration: [IterationRecord, 'refine/iterations/*.json'],
  'archive-meta': [ArchiveMeta, 'meta.json of an archive'],
  'archived-to': [ArchivedTo, 'archived_to.json'],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

/** The files of `schemas/`, name to text: JSON Schema, draft 2020-12, made from the zod definitions. */
export function recordSchemas(): Map<string, string> {
  return new Map(
    Object.entries(RECORDS).map(([name, [definition, found]]) => {
      const { $schema, ...schema } = z.toJSONSchema(definition, { target: 'draft-2020-12', io: 'input' });
      const described = { $schema, title: name, description: found, ...schema };
      return [`${name}.schema.json`, `${JSON.stringify(described, null, 2)}\n`];
    }),
  );
}
