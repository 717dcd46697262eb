import { setPriority } from 'node:os';
import { z } from 'zod';
import {
  buildIndex,
  type Corpus,
  hasIndex,
  indexDirectory,
  isWorthAnIndex,
  scansOf,
} from '../corpus/index.ts';
import type { FlowContext, FlowEnd } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { createRun, openRun, type RunHandle } from '../runs/index.ts';

/** Below what people and workers wait for. */
const BACKGROUND_PRIORITY = 10;

const IndexParams = z.object({ corpus_run_dir: z.string() });
type IndexParams = z.infer<typeof IndexParams>;

/** An index of the words of a corpus, made while other work goes on. */
export async function indexFlow({ run, params, signal }: FlowContext): Promise<FlowEnd> {
  const { corpus_run_dir } = IndexParams.parse(params);
  setPriority(BACKGROUND_PRIORITY);
  try {
    await buildIndex(corpus_run_dir, indexDirectory(run.record.root), { signal });
    return { state: 'completed', reason: 'the index is in place' };
  } catch (error) {
    if (signal.aborted) return { state: 'cancelled', reason: 'cancelled' };
    throw error;
  }
}

/**
 * Whether the background should now make an index of a corpus that has none: it is large, and was asked before.
 *
 * @param asked how often the caller asks it now, if that is not counted yet
 */
export function wantsIndex(root: string, corpus: Corpus, asked: number): boolean {
  const directory = indexDirectory(root);
  return isWorthAnIndex(corpus) && scansOf(directory, corpus) + asked >= 2 && !hasIndex(directory, corpus);
}

/** The run in which the index of a corpus is made: one for all who want it, so that it is made once. */
export function prepareIndexing(root: string, corpus: Corpus): { run: RunHandle; params: IndexParams } {
  const runId = `index-${corpus.record.fingerprint.slice(0, 16)}`;
  const params = { corpus_run_dir: corpus.runDir };
  try {
    return { run: openRun(root, runId), params };
  } catch (error) {
    if (!(error instanceof RlmError) || error.code !== 'not_found') throw error;
  }
  const title = `index of ${corpus.record.sources_read} documents (${Math.round(corpus.record.bytes / 1e6)} MB)`;
  return { run: createRun(root, { kind: 'index', title, runId }), params };
}
