import { createHash } from 'node:crypto';
import { basename, extname, join } from 'node:path';
import { RUN_FILES, type SourceEncoding, type SourceKind } from '../../contracts/index.ts';
import type { Extractor } from '../extract/extractor.ts';
import { Skipped } from '../skipped.ts';
import type { Candidate } from './discover.ts';
import { HEAD_BYTES, judgeHead, transcode, Utf8Check } from './encoding.ts';
import { blocksOf, type TextSource, TokenRate, withFile } from './window.ts';

/** What the first pass over a document found out. */
export interface Inspection {
  kind: SourceKind;
  sha256: string;
  encoding: SourceEncoding;
  note?: string;
  tokensPerByte: number;
}

/** The UTF-8 text that chunks are cut from. */
export interface DocumentText {
  /** Relative to the run directory; null when it is the document. */
  textPath: string | null;
  file: string;
  bytes: number;
  positionsPath: string | null;
}

/** Reads a document once: hash, kind, encoding, tokens a byte. @throws Skipped */
export async function inspect(
  candidate: Candidate,
  yieldIfDue: () => Promise<void> | undefined,
): Promise<Inspection> {
  const size = candidate.stats.size;
  return withFile(candidate.file, size, async (source) => {
    const head = headOf(source);
    const kind = kindOf(candidate.file, head);
    const limit = EXTRACTED_KINDS[kind];
    if (limit !== undefined && size > limit) {
      throw new Skipped('too_large', `${kind} of ${size} bytes; at most ${limit} can be extracted`);
    }
    const verdict = limit === undefined ? judgeHead(head) : 'utf-8?';
    if (verdict === 'binary') throw new Skipped('binary', `no text in its first ${head.length} bytes`);
    const hash = createHash('sha256');
    const check = new Utf8Check();
    const rate = new TokenRate();
    let seen = 0;
    for (const block of blocksOf(source)) {
      hash.update(block);
      seen += block.length;
      if (limit === undefined && verdict === 'utf-8?') {
        check.push(block, seen === size);
        rate.sample(block);
      }
      await yieldIfDue();
    }
    const encoding: SourceEncoding =
      limit !== undefined ? 'extracted' : verdict === 'utf-8?' ? await check.encoding() : verdict;
    const note = noteOf(encoding, check.invalid);
    const inspection = { kind, sha256: hash.digest('hex'), encoding, tokensPerByte: rate.perByte };
    return note === undefined ? inspection : { ...inspection, note };
  });
}

function headOf(source: TextSource): Buffer {
  const head = Buffer.alloc(Math.min(HEAD_BYTES, source.size));
  let filled = 0;
  while (filled < head.length) {
    const read = source.read(head, filled, head.length - filled, filled);
    if (read === 0) break;
    filled += read;
  }
  return head.subarray(0, filled);
}

function noteOf(encoding: SourceEncoding, invalid: number): string | undefined {
  switch (encoding) {
    case 'utf-8':
    case 'extracted':
      return undefined;
    case 'utf-8-repaired':
      return `UTF-8 with ${invalid} invalid bytes, read as U+FFFD`;
    case 'windows-1252':
      return 'not UTF-8: read as Windows-1252 (Latin-1)';
    case 'utf-16le':
    case 'utf-16be':
      return `read as ${encoding.toUpperCase()}`;
    default:
      return `not UTF-8: read as ${encoding.toUpperCase()}`;
  }
}

/**
 * Makes the text that offsets refer to: the document itself when it is valid UTF-8, else a file under
 * `inputs/` that is named by the document's hash.
 *
 * @throws Skipped when the document is damaged, or changed since it was inspected
 */
export async function textOf(
  candidate: Candidate,
  inspection: Inspection,
  {
    runDir,
    extractor,
    yieldIfDue,
  }: { runDir: string; extractor: Extractor; yieldIfDue: () => Promise<void> | undefined },
): Promise<DocumentText> {
  const { file, stats } = candidate;
  if (inspection.encoding === 'utf-8') {
    return { textPath: null, file, bytes: stats.size, positionsPath: null };
  }
  const name = `${RUN_FILES.inputs}/${inspection.sha256.slice(0, 16)}`;
  const textPath = `${name}.txt`;
  const target = join(runDir, textPath);
  if (inspection.encoding !== 'extracted') {
    const bytes = await withFile(file, stats.size, async (source) =>
      transcode(blocksOf(source), inspection.encoding, target, yieldIfDue),
    );
    return { textPath, file: target, bytes, positionsPath: null };
  }
  const positionsPath = `${name}.positions.jsonl`;
  const { bytes, positions } = await extractor.extract(
    { kind: inspection.kind, file, textPath: target, positionsPath: join(runDir, positionsPath) },
    stats.size,
  );
  return { textPath, file: target, bytes, positionsPath: positions === 0 ? null : positionsPath };
}

/** Tokens a byte of a text that was made, by its first megabyte. */
export async function rateOf(text: DocumentText): Promise<number> {
  const rate = new TokenRate();
  await withFile(text.file, text.bytes, async (source) => {
    for (const block of blocksOf(source)) {
      rate.sample(block);
      break;
    }
  });
  return rate.perByte;
}

const MARKDOWN = ['.md', '.mdx', '.markdown', '.rst', '.adoc', '.org'];
const CODE =
  '.c .cc .cpp .cs .cjs .clj .css .cts .dart .el .ex .exs .go .h .hpp .hs .java .jl .js .jsx .kt .lua .m .mjs .ml .mts .php .pl .pm .py .r .rb .rs .scala .scss .sh .sql .svelte .swift .tcl .ts .tsx .vb .vue .zig'.split(
    ' ',
  );

const BY_EXTENSION = new Map<string, SourceKind>([
  ...MARKDOWN.map((extension): [string, SourceKind] => [extension, 'markdown']),
  ...CODE.map((extension): [string, SourceKind] => [extension, 'code']),
  ['.json', 'json'],
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.csv', 'csv'],
  ['.tsv', 'csv'],
  ['.html', 'html'],
  ['.htm', 'html'],
  ['.xhtml', 'html'],
  ['.pdf', 'pdf'],
  ['.docx', 'docx'],
  ['.ipynb', 'notebook'],
]);

/** Kinds whose text a library makes, and how many bytes of a document it is given at most: it holds all of it. */
const EXTRACTED_KINDS: Partial<Record<SourceKind, number>> = {
  pdf: 64 * 1024 * 1024,
  docx: 64 * 1024 * 1024,
  notebook: 64 * 1024 * 1024,
  // A parsed tree takes some twenty times the bytes of the page.
  html: 16 * 1024 * 1024,
};

/** The kind by the file's first bytes where they are a signature, else by its name; text when neither says. */
export function kindOf(path: string, head: Buffer): SourceKind {
  if (head.subarray(0, 5).toString('latin1') === '%PDF-') return 'pdf';
  const name = basename(path).toLowerCase();
  if (name === 'makefile' || name === 'dockerfile') return 'code';
  return BY_EXTENSION.get(extname(name)) ?? 'text';
}
