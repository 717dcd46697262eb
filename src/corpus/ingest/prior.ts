import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChunkRecord, type CorpusRecord, type ReadSource, RUN_FILES } from '../../contracts/index.ts';
import { RlmError } from '../../errors.ts';
import { parseLine, readLineBatches } from '../../files/index.ts';
import { type Corpus, openCorpus } from '../corpus.ts';
import type { CorpusWriter } from './corpus-writer.ts';
import type { Candidate } from './discover.ts';

/** A document as an earlier ingest read it, and the run that has its text. */
export interface PriorSource {
  runDir: string;
  source: ReadSource;
}

/** What earlier ingests know about documents, by their file. */
export class PriorCorpus {
  readonly #byFile: Map<string, PriorSource>;

  private constructor(byFile: Map<string, PriorSource>) {
    this.#byFile = byFile;
  }

  /** Opens the corpora of these runs where there are any that were cut in the same way; the first one counts. */
  static async open(
    runDirs: readonly (string | undefined)[],
    settings: Pick<CorpusRecord, 'target_tokens' | 'overlap_lines'>,
  ): Promise<PriorCorpus> {
    const byFile = new Map<string, PriorSource>();
    for (const runDir of runDirs) {
      const corpus = runDir === undefined ? undefined : await openIfWhole(runDir);
      if (corpus === undefined || runDir === undefined) continue;
      const { target_tokens, overlap_lines } = corpus.record;
      if (target_tokens !== settings.target_tokens || overlap_lines !== settings.overlap_lines) continue;
      for (const source of corpus.sources) {
        if (source.status !== 'read' || byFile.has(source.file)) continue;
        const files = [source.text_path, source.positions_path];
        if (!files.every((path) => path === null || existsSync(join(runDir, path)))) continue;
        byFile.set(source.file, { runDir, source });
      }
    }
    return new PriorCorpus(byFile);
  }

  /** The source of a document that by size, time and inode was not touched. */
  unchanged(candidate: Candidate): PriorSource | undefined {
    const prior = this.#byFile.get(candidate.file);
    const { size, mtimeMs, ino } = candidate.stats;
    if (prior?.source.bytes !== size || prior.source.mtime_ms !== mtimeMs || prior.source.inode !== ino) {
      return undefined;
    }
    return prior;
  }

  /** The source of a document that was touched, and holds the same bytes. */
  withHash(candidate: Candidate, sha256: string): PriorSource | undefined {
    const prior = this.#byFile.get(candidate.file);
    return prior?.source.sha256 === sha256 ? prior : undefined;
  }

  /** Copies the chunks of an earlier ingest under new ids, and its text where that lies in another run. */
  async copy(prior: PriorSource, candidate: Candidate, runDir: string, writer: CorpusWriter): Promise<void> {
    const { source } = prior;
    for (const path of [source.text_path, source.positions_path]) {
      if (path !== null && prior.runDir !== runDir)
        await copyFile(join(prior.runDir, path), join(runDir, path));
    }
    const { first_chunk, last_chunk, chunks, tokens, manifest_start, manifest_end, ...facts } = source;
    const writing = writer.source({
      ...facts,
      path: candidate.path,
      bytes: candidate.stats.size,
      mtime_ms: candidate.stats.mtimeMs,
      inode: candidate.stats.ino,
    });
    const manifest = join(prior.runDir, RUN_FILES.manifest);
    for await (const batch of readLineBatches(manifest, { start: manifest_start, end: manifest_end })) {
      for (const line of batch) writing.add(ChunkRecord.parse(parseLine(line)));
    }
    writing.finish();
  }
}

async function openIfWhole(runDir: string): Promise<Corpus | undefined> {
  try {
    return await openCorpus(runDir);
  } catch (error) {
    // Nothing there yet, or an ingest that was cut off: everything is read anew.
    if (error instanceof RlmError && (error.code === 'not_found' || error.code === 'corrupt'))
      return undefined;
    throw error;
  }
}
