import { basename, extname } from 'node:path';
import type { SourceKind } from '../../contracts/index.ts';

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
export const EXTRACTED_KINDS: Partial<Record<SourceKind, number>> = {
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
