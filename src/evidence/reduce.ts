import { join } from 'node:path';
import { z } from 'zod';
import {
  type ChunkRecord,
  type Conflict,
  CoverageFile,
  type EvidenceCounts,
  EvidenceFile,
  type EvidenceGap,
  PassageAnswer,
  type RejectionReason,
  RUN_FILES,
  SCHEMA_VERSION,
  type SourceRecord,
  type VerifiedEvidence,
  WorkerAnswer,
} from '../contracts/index.ts';
import { messageOf } from '../errors.ts';
import { ensureDirectory, readTextFile, writeJsonAtomic } from '../files/index.ts';
import { oneLine } from '../text/index.ts';
import { possibleConflicts } from './conflicts.ts';
import { CoverageCounter } from './coverage.ts';
import { EvidenceList, type FoundEvidence, type Item } from './evidence-list.ts';
import { JobMaterial, type MaterialMatch, type ReduceChunk } from './job-material.ts';
import { type DocumentInfo, DocumentLocations } from './location.ts';
import type { QuoteMatch, SourceReader } from './quotes/index.ts';

/** Distinct evidence spans that are kept; the least confident beyond it are dropped and counted. */
const MAX_EVIDENCE = 2000;

/** What a near match is worth of its worker's confidence. */
const MATCH_WEIGHT: Record<QuoteMatch, number> = { exact: 1, normalised: 1, fuzzy: 0.9 };

/** A document whose lines anybody can open. */
const TEXT: DocumentInfo = { kind: 'text', positions: [] };

/** One job and how it ended. */
export interface ReduceJob {
  job_id: string;
  question: string;
  status: 'accepted' | 'failed' | 'never_sent';
  /** The chunks its worker was given, as the manifest has them: one, or several that were packed. */
  chunks: ReduceChunk[];
  /** Absolute path of the accepted `WorkerAnswer`; null when there is none. */
  answer_path: string | null;
  /** Ids of those of its chunks that could not be read, when others could. */
  unread?: readonly string[];
  /** Why it failed, in words. */
  failure?: string | undefined;
}

export interface ReduceInput {
  jobs: Iterable<ReduceJob> | AsyncIterable<ReduceJob>;
  /** All lines of `chunks/manifest.jsonl`, and of `chunks/sources.jsonl`: what coverage is measured against. */
  chunks: Iterable<ChunkRecord> | AsyncIterable<ChunkRecord>;
  sources: Iterable<SourceRecord> | AsyncIterable<SourceRecord>;
  reader: SourceReader;
  /** What is known of a document besides its text; undefined for one that is a text. */
  describe?: (source: string) => Promise<DocumentInfo | undefined>;
  /** The run directory: `reduce/` is written in it. */
  runDir: string;
  maxEvidence?: number | undefined;
}

/** What a reduce gives: everything that may be cited, and which bytes that rests on. */
export interface Reduced {
  evidence: EvidenceFile;
  coverage: CoverageFile;
}

/**
 * Turns the answers of all jobs into verified evidence and coverage, and writes `reduce/evidence.json` and
 * `reduce/coverage.json`, each atomically. Jobs, answers, chunks and sources are streamed: memory grows with
 * the evidence kept (at most twice `maxEvidence` spans), with documents and with chunk ids.
 */
export async function reduceEvidence(input: ReduceInput): Promise<Reduced> {
  const reduction = new Reduction(input);
  for await (const job of input.jobs) reduction.job(job);
  const evidence = EvidenceFile.parse(await reduction.finish(input.describe));
  for await (const source of input.sources) reduction.coverage.source(source);
  for await (const chunk of input.chunks) reduction.coverage.chunk(chunk);
  const coverage = CoverageFile.parse(reduction.coverage.finish());
  ensureDirectory(join(input.runDir, 'reduce'));
  writeJsonAtomic(join(input.runDir, RUN_FILES.coverage), coverage);
  writeEvidence(input.runDir, evidence);
  return { evidence, coverage };
}

/** Writes `reduce/evidence.json`, atomically. */
export function writeEvidence(runDir: string, evidence: EvidenceFile): void {
  writeJsonAtomic(join(runDir, RUN_FILES.evidence), evidence);
}

/**
 * Adds contradictions that a model found to those found by comparing texts. Ids that are not in the evidence
 * are dropped; a conflict with fewer than two left is not added.
 */
export function withReportedConflicts(
  file: EvidenceFile,
  reported: readonly Pick<Conflict, 'evidence_ids' | 'description'>[],
): EvidenceFile {
  const known = new Set(file.items.map((item) => item.evidence_id));
  const added = reported.flatMap((conflict): Conflict[] => {
    const ids = [...new Set(conflict.evidence_ids)].filter((id) => known.has(id));
    const description = oneLine(conflict.description, 500);
    return ids.length < 2 || description === '' ? [] : [{ kind: 'reported', evidence_ids: ids, description }];
  });
  return { ...file, conflicts: [...file.conflicts, ...added] };
}

class Reduction {
  readonly coverage = new CoverageCounter();
  readonly #reader: SourceReader;
  readonly #items: EvidenceList;
  readonly #gaps = new GapList();
  readonly #jobs = { accepted: 0, failed: 0, never_sent: 0 };
  readonly #quotes: Record<QuoteMatch, number> = { exact: 0, normalised: 0, fuzzy: 0 };
  readonly #rejected = new Map<RejectionReason, number>();
  #irrelevant = 0;

  constructor(input: Pick<ReduceInput, 'reader' | 'maxEvidence'>) {
    this.#reader = input.reader;
    this.#items = new EvidenceList(input.maxEvidence ?? MAX_EVIDENCE, input.reader);
  }

  job(job: ReduceJob): void {
    const answer = job.status === 'accepted' ? readAnswer(job) : undefined;
    if (answer !== undefined && 'answer' in answer) {
      this.#jobs.accepted += 1;
      this.#recordReading(job, 'read');
      this.#answer(job, answer.answer);
    } else if (job.status === 'never_sent') {
      this.#jobs.never_sent += 1;
      this.#recordReading(job, 'never_sent');
    } else {
      this.#jobs.failed += 1;
      this.#recordReading(job, 'failed');
      this.#gaps.add(
        'failed_job',
        `A job failed: ${answer?.problem ?? job.failure ?? 'no reason given'}`,
        job.job_id,
      );
    }
  }

  async finish(describe: ReduceInput['describe']): Promise<EvidenceFile> {
    const items = await withLocations(this.#items.finish(), describe);
    const { conflicts, dropped } = possibleConflicts(items);
    return {
      schema_version: SCHEMA_VERSION,
      counts: this.#counts(items.length, dropped),
      items,
      conflicts,
      gaps: this.#gaps.finish(),
    };
  }

  #recordReading(job: ReduceJob, result: 'read' | 'failed' | 'never_sent'): void {
    for (const { chunk_id } of job.chunks) {
      this.coverage.recordReading(chunk_id, job.unread?.includes(chunk_id) ? 'failed' : result);
    }
  }

  #answer(job: ReduceJob, answer: WorkerAnswer | PassageAnswer): void {
    if ('passages' in answer) {
      this.#passages(job, answer);
      return;
    }
    for (const error of answer.errors) this.#gaps.add('worker_error', error, job.job_id);
    if (!answer.relevant) {
      // That a chunk is about something else leaves nothing open.
      this.#irrelevant += 1;
      return;
    }
    for (const gap of answer.gaps) this.#gaps.add('worker_gap', gap, job.job_id);
    const material = new JobMaterial(job.chunks, this.#reader);
    for (const claim of answer.evidence) this.#quote(job, answer, claim, material);
  }

  #passages(job: ReduceJob, { relevant, passages }: PassageAnswer): void {
    if (!relevant) this.#irrelevant += 1;
    const read = job.chunks.filter(({ chunk_id }) => job.unread?.includes(chunk_id) !== true);
    const material = new JobMaterial(read, this.#reader);
    for (const { part, start, end, context, share } of passages) {
      const found = material.span(part, start, end);
      if ('reason' in found) this.#refuse(job, found.reason, 'in its chunk', '');
      else this.#add(job, found, { note: context, confidence: share, whole: true });
    }
  }

  #quote(
    job: ReduceJob,
    answer: WorkerAnswer,
    claim: WorkerAnswer['evidence'][number],
    material: JobMaterial,
  ): void {
    const found = material.locate(claim.quote, claim.loc);
    if ('reason' in found) {
      this.#refuse(job, found.reason, saidPlace(claim.loc, job.chunks), oneLine(claim.quote, 320));
      return;
    }
    const confidence = Math.round(answer.confidence * MATCH_WEIGHT[found.match] * 1000) / 1000;
    this.#add(job, found, { note: claim.note, confidence });
  }

  #add(
    job: ReduceJob,
    found: Extract<MaterialMatch, { spans: unknown }>,
    said: Pick<FoundEvidence, 'note' | 'confidence' | 'whole'>,
  ): void {
    const { chunk, match, edits, spans } = found;
    const { job_id } = job;
    this.#quotes[match] += 1;
    const origin = { job_id, chunk_id: chunk.chunk_id, question: oneLine(job.question, 500) };
    const note = oneLine(said.note, 400);
    for (const span of spans) {
      this.#items.add({ ...span, ...said, note, source: chunk.source, match, edits, origin });
    }
  }

  #refuse(job: ReduceJob, reason: RejectionReason, place: string, words: string): void {
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
    const text = `A quote was refused (${reason.replace('_', ' ')}); it was said to be ${place}`;
    this.#gaps.add('rejected_quote', text, job.job_id, words);
  }

  #counts(items: number, conflictsDropped: number): EvidenceCounts {
    const rejected = [...this.#rejected.values()].reduce((sum, count) => sum + count, 0);
    const { exact, normalised, fuzzy } = this.#quotes;
    return {
      jobs: this.#jobs.accepted + this.#jobs.failed + this.#jobs.never_sent,
      jobs_accepted: this.#jobs.accepted,
      jobs_failed: this.#jobs.failed,
      jobs_never_sent: this.#jobs.never_sent,
      answers_irrelevant: this.#irrelevant,
      quotes: exact + normalised + fuzzy + rejected,
      quotes_exact: exact,
      quotes_normalised: normalised,
      quotes_fuzzy: fuzzy,
      quotes_rejected: rejected,
      rejected_by_reason: Object.fromEntries(this.#rejected),
      quotes_merged: this.#items.merged,
      items,
      items_dropped: this.#items.dropped,
      gaps_dropped: this.#gaps.dropped,
      conflicts_dropped: conflictsDropped,
    };
  }
}

/** The items with their ids, each in one page or cell, and with the place where a person finds it. */
async function withLocations(
  items: readonly Item[],
  describe: ReduceInput['describe'],
): Promise<VerifiedEvidence[]> {
  const located: VerifiedEvidence[] = [];
  let source: string | undefined;
  let locations = new DocumentLocations(TEXT);
  for (const item of items) {
    if (item.source !== source) locations = new DocumentLocations((await describe?.(item.source)) ?? TEXT);
    source = item.source;
    for (const part of locations.split(item)) {
      const id = `e-${String(located.length + 1).padStart(4, '0')}`;
      located.push({ evidence_id: id, ...part, ...locations.locate(part) });
    }
  }
  return located;
}

/** Where a refused quote was said to be. `loc` is its inventor's word too: it is repeated only for a document of the job. */
function saidPlace(loc: string, chunks: readonly ReduceChunk[]): string {
  const path = /^(.+):\d{1,9}-\d{1,9}$/.exec(loc)?.[1];
  if (chunks.some(({ source }) => source === path)) return `at ${oneLine(loc, 300)}`;
  const [first] = chunks;
  if (first === undefined) return 'in its chunk';
  const among = chunks.length === 1 ? 'in' : `in one of ${chunks.length} chunks from`;
  return `${among} ${oneLine(first.source, 300)}:${first.line_start}-${first.line_end}`;
}

const AcceptedAnswer = z.union([WorkerAnswer, PassageAnswer]);

function readAnswer(job: ReduceJob): { answer: WorkerAnswer | PassageAnswer } | { problem: string } {
  if (job.answer_path === null) return { problem: 'it has no answer file' };
  try {
    const parsed = AcceptedAnswer.safeParse(JSON.parse(readTextFile(job.answer_path)));
    return parsed.success ? { answer: parsed.data } : { problem: 'its answer does not have the agreed form' };
  } catch (error) {
    return { problem: `its answer cannot be read: ${messageOf(error)}` };
  }
}

/** Distinct gaps of each kind that are kept, and jobs that are named for each. */
const MAX_OF_A_KIND = 500;
const MAX_JOBS = 5;

/** Collects gaps; what says the same is one gap with a count. */
class GapList {
  readonly #gaps = new Map<string, EvidenceGap>();
  readonly #kinds = new Map<string, number>();
  /** Distinct gaps that were not kept. */
  dropped = 0;

  add(kind: EvidenceGap['kind'], text: string, jobId: string, refused: string | null = null): void {
    const plain = oneLine(text, 500);
    if (plain === '') return;
    const key = `${kind} ${plain
      .toLowerCase()
      .replace(/[\p{P}\s]+/gu, ' ')
      .trim()}`;
    const known = this.#gaps.get(key);
    if (known !== undefined) {
      known.count += 1;
      if (known.job_ids.length < MAX_JOBS && !known.job_ids.includes(jobId)) known.job_ids.push(jobId);
      return;
    }
    const ofKind = this.#kinds.get(kind) ?? 0;
    if (ofKind >= MAX_OF_A_KIND) {
      this.dropped += 1;
      return;
    }
    this.#kinds.set(kind, ofKind + 1);
    this.#gaps.set(key, { kind, text: plain, refused, count: 1, job_ids: [jobId] });
  }

  /** Those said most often first. */
  finish(): EvidenceGap[] {
    return [...this.#gaps.values()].sort((a, b) => b.count - a.count);
  }
}
