import { readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type IngestReport, RUN_FILES, type SkippedSource, type SkipReason } from '../../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../../errors.ts';
import { sha256 } from '../../text/index.ts';
import { yieldRegularly } from '../event-loop.ts';
import { Extractor } from '../extract/extractor.ts';
import type { ExtractorLimits } from '../extract/protocol.ts';
import { Skipped } from '../skipped.ts';
import { cutChunks } from './chunker.ts';
import { CorpusWriter } from './corpus-writer.ts';
import { type Candidate, discover } from './discover.ts';
import { PriorCorpus, type PriorSource } from './prior.ts';
import { type DocumentText, type Inspection, inspect, rateOf, textOf } from './read-document.ts';
import { withFile } from './window.ts';

const DEFAULT_TARGET_TOKENS = 1500;
const DEFAULT_OVERLAP_LINES = 2;

export interface IngestOptions {
  /** Where relative inputs start; sources inside it are cited relative to it. Default: the working directory. */
  base?: string;
  /** When given (over MCP), nothing outside these directories is read. */
  allowedRoots?: readonly string[];
  /** Size that no chunk passes, in estimated tokens. */
  targetTokens?: number;
  /** Lines that a chunk repeats from the one before it, unless a new section starts. */
  overlapLines?: number;
  /** Another run directory whose unchanged documents need not be read again; its own is always looked at. */
  reuse?: string;
  /** What one PDF, DOCX, HTML page or notebook may take. */
  extraction?: Partial<ExtractorLimits>;
  signal?: AbortSignal;
  onProgress?: (done: { documents: number; total: number; bytes: number }) => void;
}

/**
 * Documents to text, text to chunks: `chunks/manifest.jsonl` and `chunks/sources.jsonl` of a run.
 *
 * Chunk ids count through the manifest, whose sources are sorted by path: the same documents give the same ids,
 * and after a change ids may shift, while the `sha256` of a chunk stays as long as its text does. That hash, not
 * the id, is what results are cached by. A document whose size, times and inode (else its hash) are as they
 * were keeps its chunks without being cut again. The old corpus stays in place until the new one is whole.
 *
 * @param inputs files, directories and globs
 * @throws RlmError `usage` when an input names nothing, `forbidden` when it lies outside `allowedRoots`
 */
export async function ingest(
  runDir: string,
  inputs: readonly string[],
  options: IngestOptions = {},
): Promise<IngestReport> {
  const started = performance.now();
  const yieldIfDue = yieldRegularly(options.signal);
  const base = resolve(options.base ?? process.cwd());
  const settings = {
    base,
    target_tokens: options.targetTokens ?? DEFAULT_TARGET_TOKENS,
    overlap_lines: options.overlapLines ?? DEFAULT_OVERLAP_LINES,
  };
  const found = await discover(inputs, {
    base,
    allowedRoots: options.allowedRoots,
    yieldIfDue,
  });
  const prior = await PriorCorpus.open([runDir, options.reuse], settings);
  const writer = new CorpusWriter(runDir);
  const extractor = new Extractor(runDir, options.extraction, options.signal);
  const report = new ReportBuilder();
  const kept = new Set<string | null>();
  try {
    for (const skipped of found.skipped) {
      writer.skip(skipped);
      report.skipped(skipped);
    }
    let bytes = 0;
    for (const [index, candidate] of found.candidates.entries()) {
      await yieldIfDue();
      const outcome = await addDocument(candidate, {
        runDir,
        writer,
        extractor,
        prior,
        settings,
        yieldIfDue,
      });
      if (outcome.status === 'skipped') {
        writer.skip(outcome);
        report.skipped(outcome);
      } else {
        report.read(candidate, outcome);
        for (const path of outcome.files) kept.add(path);
      }
      bytes += candidate.stats.size;
      options.onProgress?.({ documents: index + 1, total: found.candidates.length, bytes });
    }
  } catch (error) {
    writer.abandon();
    throw error;
  } finally {
    await extractor.close();
  }
  const record = writer.commit(settings);
  removeStaleTexts(runDir, kept);
  return report.build({
    sources_skipped: record.sources_skipped,
    ignored: found.ignored,
    chunks: record.chunks,
    tokens: record.tokens,
    duration_ms: Math.round(performance.now() - started),
  });
}

/** A document that is in the corpus. */
interface ReadOutcome {
  status: 'read';
  kind: string;
  reused: boolean;
  note: string | undefined;
  /** Files of the run that it needs: its text and the positions in it, null where it has none. */
  files: (string | null)[];
}

interface Surroundings {
  runDir: string;
  writer: CorpusWriter;
  extractor: Extractor;
  prior: PriorCorpus;
  settings: { target_tokens: number; overlap_lines: number };
  yieldIfDue: () => Promise<void> | undefined;
}

/** Adds one document to the corpus; whatever is wrong with it becomes the reason why it is skipped. */
async function addDocument(
  candidate: Candidate,
  surroundings: Surroundings,
): Promise<ReadOutcome | SkippedSource> {
  const { writer } = surroundings;
  const mark = writer.mark();
  try {
    return await readDocument(candidate, surroundings);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    writer.backTo(mark);
    return {
      status: 'skipped',
      path: candidate.path,
      file: candidate.file,
      bytes: candidate.stats.size,
      reason,
      detail: messageOf(error),
    };
  }
}

/** Takes a document over from an earlier ingest if it holds the same bytes, else cuts it. */
async function readDocument(candidate: Candidate, surroundings: Surroundings): Promise<ReadOutcome> {
  const { prior, yieldIfDue } = surroundings;
  const untouched = prior.unchanged(candidate);
  if (untouched !== undefined) return reuse(untouched, candidate, surroundings);
  const inspection = await inspect(candidate, yieldIfDue);
  const equal = prior.withHash(candidate, inspection.sha256);
  if (equal !== undefined) return reuse(equal, candidate, surroundings);
  const text = await textOf(candidate, inspection, surroundings);
  refuseChanged(candidate);
  await writeChunks(candidate, inspection, text, surroundings);
  return {
    status: 'read',
    kind: inspection.kind,
    reused: false,
    note: text.bytes === 0 ? 'empty' : inspection.note,
    files: [text.textPath, text.positionsPath],
  };
}

async function reuse(
  source: PriorSource,
  candidate: Candidate,
  { prior, runDir, writer }: Surroundings,
): Promise<ReadOutcome> {
  await prior.copy(source, candidate, runDir, writer);
  const { kind, note, text_path, positions_path } = source.source;
  return { status: 'read', kind, reused: true, note, files: [text_path, positions_path] };
}

async function writeChunks(
  candidate: Candidate,
  inspection: Inspection,
  text: DocumentText,
  { writer, settings, yieldIfDue }: Surroundings,
): Promise<void> {
  const { kind, encoding, note } = inspection;
  const perByte = text.textPath === null ? inspection.tokensPerByte : await rateOf(text);
  const writing = writer.source({
    status: 'read',
    path: candidate.path,
    file: candidate.file,
    kind,
    encoding,
    bytes: candidate.stats.size,
    sha256: inspection.sha256,
    mtime_ms: candidate.stats.mtimeMs,
    inode: candidate.stats.ino,
    text_path: text.textPath,
    text_bytes: text.bytes,
    positions_path: text.positionsPath,
    ...(note === undefined ? {} : { note }),
  });
  const targetBytes = Math.floor(settings.target_tokens / perByte);
  await withFile(text.file, text.bytes, async (source) => {
    for (const chunk of cutChunks(source, { kind, targetBytes, overlapLines: settings.overlap_lines })) {
      writing.add({
        byte_start: chunk.start,
        byte_end: chunk.end,
        line_start: chunk.lineStart,
        line_end: chunk.lineEnd,
        sha256: sha256(chunk.bytes),
        tokens: Math.ceil((chunk.end - chunk.start) * perByte),
      });
      await yieldIfDue();
    }
  });
  writing.finish();
}

/** Undefined for what is not the document's fault. */
function reasonOf(error: unknown): SkipReason | undefined {
  if (error instanceof Skipped) return error.reason;
  if (error instanceof RlmError) return undefined;
  const code = systemCode(error);
  if (code === undefined || code.startsWith('ERR_')) return undefined;
  return code === 'ENOENT' ? 'missing' : READ_ERRORS.has(code) ? 'unreadable' : undefined;
}

/** What reading a file can meet; a full disk or too many open files is ours to report. */
const READ_ERRORS = new Set([
  'EACCES',
  'EPERM',
  'EIO',
  'EISDIR',
  'ELOOP',
  'ENOTDIR',
  'ENXIO',
  'ESTALE',
  'EINVAL',
]);

/** A document that was written to between its inspection and now has no one content to cite. */
function refuseChanged(candidate: Candidate): void {
  const now = statSync(candidate.file);
  if (now.mtimeMs === candidate.stats.mtimeMs && now.size === candidate.stats.size) return;
  // A growing log is read as far as it was when it was found; what was rewritten is skipped.
  if (now.size > candidate.stats.size && now.ino === candidate.stats.ino) return;
  throw new Skipped('changed', 'it changed while it was read; ingest again');
}

const TEXT_NAME = /^[0-9a-f]{16}\.(?:txt|positions\.jsonl)$/;

/** Removes extracted texts of documents that are no longer in the corpus. */
function removeStaleTexts(runDir: string, kept: ReadonlySet<string | null>): void {
  const directory = join(runDir, RUN_FILES.inputs);
  for (const name of readdirSync(directory)) {
    if (TEXT_NAME.test(name) && !kept.has(`${RUN_FILES.inputs}/${name}`)) rmSync(join(directory, name));
  }
}

/** How many skipped documents, and notes, a report names; all of them are in `sources.jsonl`. */
const REPORTED = 50;

/** Counts what becomes of the documents of an ingest. */
class ReportBuilder {
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
