import type { IngestReport, SkippedSource } from '../../contracts/index.ts';
import { RUN_FILES } from '../../contracts/index.ts';
import type { Candidate } from './discover.ts';

/** How many documents left out, and notes, a report names; all of them are in `sources.jsonl`. */
const REPORTED = 50;

/** Counts what becomes of the documents of an ingest. */
export class ReportBuilder {
  #read = 0;
  #reused = 0;
  #bytes = 0;
  readonly #byKind: Record<string, number> = {};
  readonly #byReason: Record<string, number> = {};
  readonly #skipped: IngestReport['skipped'] = [];
  readonly #notes: IngestReport['notes'] = [];

  read(candidate: Candidate, outcome: { kind: string; reused: boolean; note: string | undefined }): void {
    this.#read += 1;
    this.#reused += outcome.reused ? 1 : 0;
    this.#bytes += candidate.stats.size;
    this.#byKind[outcome.kind] = (this.#byKind[outcome.kind] ?? 0) + 1;
    if (outcome.note !== undefined && this.#notes.length < REPORTED) {
      this.#notes.push({ path: candidate.path, note: outcome.note });
    }
  }

  skipped(source: SkippedSource): void {
    this.#byReason[source.reason] = (this.#byReason[source.reason] ?? 0) + 1;
    if (this.#skipped.length < REPORTED) {
      this.#skipped.push({ path: source.path, reason: source.reason, detail: source.detail.slice(0, 300) });
    }
  }

  build(
    counted: Pick<IngestReport, 'sources_skipped' | 'ignored' | 'chunks' | 'tokens' | 'duration_ms'>,
  ): IngestReport {
    return {
      sources_read: this.#read,
      sources_reused: this.#reused,
      bytes: this.#bytes,
      by_kind: this.#byKind,
      by_reason: this.#byReason,
      skipped: this.#skipped,
      notes: this.#notes,
      manifest_path: RUN_FILES.manifest,
      sources_path: RUN_FILES.sources,
      ...counted,
    };
  }
}
