import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from './corpus.ts';
import { CORPUS_FILES } from './layout.ts';

/** Corpora kept open in a process at most, and bytes of their files at most. */
const MAX_CORPORA = 4;
const MAX_BYTES = 32 * 1024 * 1024;
const FILES = [CORPUS_FILES.corpus, CORPUS_FILES.manifest, CORPUS_FILES.sources, CORPUS_FILES.spans];

/** By run directory, the one used last at the end. A server answers many calls about few corpora. */
const opened = new Map<string, { stamp: string; bytes: number; corpus: Corpus }>();

/** The corpus that was opened before, when none of its files changed since; else it is loaded, and kept if it is small enough. */
export async function recall(runDir: string, load: () => Promise<Corpus>): Promise<Corpus> {
  // Stamped before it is loaded: what changes meanwhile is loaded again the next time.
  const stamp = stampOf(runDir);
  const known = opened.get(runDir);
  opened.delete(runDir);
  if (known !== undefined && known.stamp === stamp) {
    opened.set(runDir, known);
    return known.corpus;
  }
  const corpus = await load();
  // A record of a source takes some three times its line.
  const bytes = corpus.spans.bytes + corpus.record.sources_bytes * 3;
  if (bytes <= MAX_BYTES) opened.set(runDir, { stamp, bytes, corpus });
  for (const oldest of opened.keys()) {
    const all = [...opened.values()].reduce((sum, one) => sum + one.bytes, 0);
    if (opened.size <= MAX_CORPORA && all <= MAX_BYTES) break;
    opened.delete(oldest);
  }
  return corpus;
}

/** Which files they are, and when they were last written; nothing of it is the same after an ingest. */
function stampOf(runDir: string): string {
  return FILES.map((name) => {
    const stats = statSync(join(runDir, name), { throwIfNoEntry: false, bigint: true });
    return stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
  }).join();
}
