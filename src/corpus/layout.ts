import { join } from 'node:path';

/** Names of a corpus's files, relative to the run directory (DESIGN.md, "On disk"). */
export const CORPUS_FILES = {
  manifest: 'chunks/manifest.jsonl',
  sources: 'chunks/sources.jsonl',
  /** A fixed-width index of the manifest: see spans.ts. */
  spans: 'chunks/spans.bin',
  corpus: 'chunks/corpus.json',
  inputs: 'inputs',
} as const;

/** Where vectors of chunks are cached, under a root. */
export function embeddingsDirectory(root: string): string {
  return join(root, '.rlm', 'cache', 'embeddings');
}
