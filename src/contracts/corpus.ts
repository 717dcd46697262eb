import { z } from 'zod';
import { SCHEMA_VERSION } from './run.ts';

export const SourceKind = z.enum([
  'text',
  'markdown',
  'code',
  'json',
  'jsonl',
  'csv',
  'html',
  'pdf',
  'docx',
  'notebook',
]);
export type SourceKind = z.infer<typeof SourceKind>;

/** How the bytes of a document become text. All but the first two are kept as UTF-8 under `inputs/`. */
export const SourceEncoding = z.enum([
  'utf-8',
  /** Text that a library extracted. */
  'extracted',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'windows-1251',
  'koi8-r',
  'gb18030',
  'big5',
  'shift_jis',
  'euc-jp',
  'euc-kr',
  /** UTF-8 with invalid bytes, each of which became U+FFFD. */
  'utf-8-repaired',
]);
export type SourceEncoding = z.infer<typeof SourceEncoding>;

/** Why a document was skipped. */
export const SkipReason = z.enum([
  'missing',
  'unreadable',
  'not_a_file',
  'binary',
  'too_large',
  'extraction_failed',
  'broken_symlink',
  'outside_roots',
  'duplicate',
  'changed',
]);
export type SkipReason = z.infer<typeof SkipReason>;

export const ReadSource = z.object({
  status: z.literal('read'),
  /** As it is cited: the `source` of its chunks. */
  path: z.string().min(1),
  /** Absolute path of the document. */
  file: z.string().min(1),
  kind: SourceKind,
  encoding: SourceEncoding,
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  mtime_ms: z.number(),
  inode: z.number(),
  /** Null for an empty document. */
  first_chunk: z.string().nullable(),
  last_chunk: z.string().nullable(),
  chunks: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  /** Relative to the run directory; null when the document itself is the text. */
  text_path: z.string().nullable(),
  text_bytes: z.int().nonnegative(),
  /** JSONL of {line, page|cell|heading}: the first line of each page, cell or section of the extracted text. */
  positions_path: z.string().nullable(),
  /** What a reader of the result should know, such as repaired bytes. */
  note: z.string().optional(),
  /** Where this source's lines lie in `chunks/manifest.jsonl`, bytes, end exclusive. */
  manifest_start: z.int().nonnegative(),
  manifest_end: z.int().nonnegative(),
});
export type ReadSource = z.infer<typeof ReadSource>;

export const SkippedSource = z.object({
  status: z.literal('skipped'),
  path: z.string().min(1),
  file: z.string().min(1),
  bytes: z.int().nonnegative().nullable(),
  reason: SkipReason,
  detail: z.string(),
});
export type SkippedSource = z.infer<typeof SkippedSource>;

/** One line of `chunks/sources.jsonl`. */
export const SourceRecord = z.discriminatedUnion('status', [ReadSource, SkippedSource]);
export type SourceRecord = z.infer<typeof SourceRecord>;

/** Place in an extracted text: one line of a positions file. */
export const TextPosition = z.object({
  line: z.int().positive(),
  page: z.int().positive().optional(),
  cell: z.int().positive().optional(),
  /** The words of a heading, which stand in this line. */
  heading: z.string().optional(),
});
export type TextPosition = z.infer<typeof TextPosition>;

/** `chunks/corpus.json`, written last: what the other files of the corpus must agree with. */
export const CorpusRecord = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  created_at: z.iso.datetime(),
  /** Sources inside this directory are cited by their path relative to it. */
  base: z.string(),
  target_tokens: z.int().positive(),
  overlap_lines: z.int().nonnegative(),
  sources_read: z.int().nonnegative(),
  sources_skipped: z.int().nonnegative(),
  chunks: z.int().nonnegative(),
  /** Of text: what a full scan reads. */
  bytes: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  manifest_bytes: z.int().nonnegative(),
  sources_bytes: z.int().nonnegative(),
});
export type CorpusRecord = z.infer<typeof CorpusRecord>;

/** What an ingest did: counts, and the first of what was skipped. All of it is in `chunks/sources.jsonl`. */
export const IngestReport = z.object({
  sources_read: z.int(),
  /** Of those read, how many were unchanged since the ingest before: not chunked again. */
  sources_reused: z.int(),
  sources_skipped: z.int(),
  /** Paths that a .gitignore hides. */
  ignored: z.int(),
  chunks: z.int(),
  /** Of documents. */
  bytes: z.int(),
  tokens: z.int(),
  by_kind: z.record(z.string(), z.int()),
  by_reason: z.record(z.string(), z.int()),
  skipped: z.array(z.object({ path: z.string(), reason: SkipReason, detail: z.string() })),
  notes: z.array(z.object({ path: z.string(), note: z.string() })),
  manifest_path: z.string(),
  sources_path: z.string(),
  duration_ms: z.int(),
});
export type IngestReport = z.infer<typeof IngestReport>;

export const SearchMode = z.enum(['regex', 'bm25', 'vector', 'hybrid']);
export type SearchMode = z.infer<typeof SearchMode>;

/** One chunk found. */
export const SearchHit = z.object({
  chunk_id: z.string(),
  source: z.string(),
  line_start: z.int(),
  line_end: z.int(),
  /** Comparable within one question and mode only. */
  score: z.number(),
  tokens: z.int(),
  /** Terms of the question, or of its expansion, that the chunk holds; for a regex, its first matches. */
  matched: z.array(z.string()),
  /** The best place in the chunk with context on both sides, and the lines it spans. */
  preview: z.string(),
  preview_line_start: z.int(),
  preview_line_end: z.int(),
});
export type SearchHit = z.infer<typeof SearchHit>;

export const SearchResult = z.object({
  query: z.string(),
  mode: SearchMode,
  /** Chunks that matched at all. */
  matching_chunks: z.int(),
  hits: z.array(SearchHit),
  /** Terms searched for besides the question's own. */
  expanded: z.array(z.string()),
  /** What the reader should know: a part that was not searched, a document that changed. */
  notes: z.array(z.string()),
});
export type SearchResult = z.infer<typeof SearchResult>;

/** A bounded piece of a document. */
export const ReadResult = z.object({
  source: z.string(),
  chunk_id: z.string().nullable(),
  text: z.string(),
  byte_start: z.int(),
  byte_end: z.int(),
  line_start: z.int(),
  line_end: z.int(),
  /** Page or cell at `line_start`, of an extracted text. */
  page: z.int().optional(),
  cell: z.int().optional(),
  /** `changed`: the document is no longer the one that was ingested; line numbers may be off. */
  state: z.enum(['unchanged', 'changed']),
  /** Read on from here; null at the end of what was asked for. */
  next: z.object({ source: z.string(), byte_start: z.int(), byte_end: z.int() }).nullable(),
});
export type ReadResult = z.infer<typeof ReadResult>;

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** `c-000001`…: the number is the chunk's place in the manifest, from 1. */
export const CHUNK_ID_PATTERN = /^c-(\d{6,})$/;

/** One line of `chunks/manifest.jsonl`. */
export const ChunkRecord = z.strictObject({
  chunk_id: z.string().regex(CHUNK_ID_PATTERN),
  /** The document, as it is cited: relative to the corpus's base when it lies in it, else absolute. */
  source: z.string().min(1),
  /** Of the document itself, also where the offsets refer to text extracted from it. */
  source_sha256: Sha256,
  /** Bytes of the text (the document, or its extracted text), end exclusive. */
  byte_start: z.int().nonnegative(),
  byte_end: z.int().nonnegative(),
  /** Lines of the same text, from 1, end inclusive. */
  line_start: z.int().positive(),
  line_end: z.int().positive(),
  /** Of the chunk's bytes. */
  sha256: Sha256,
  /** Estimated. */
  tokens: z.int().nonnegative(),
});
export type ChunkRecord = z.infer<typeof ChunkRecord>;
