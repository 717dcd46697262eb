import type { Corpus } from '../corpus/index.ts';
import { RlmError } from '../errors.ts';
import { currentDepth } from '../processes/index.ts';
import type { ToolContext } from './tool.ts';

/**
 * Starts the making of an index in the background when a large corpus that has none is asked for the second time.
 *
 * @param asked 1 when the caller's own question is not counted yet
 * @returns what became of it, in a few words; undefined when none is wanted
 */
export async function offerIndex(
  context: ToolContext,
  corpus: Corpus,
  asked: 0 | 1 = 0,
): Promise<string | undefined> {
  const [{ prepareIndexing, wantsIndex }, { readActivity, readStatus, startActivity }] = await Promise.all([
    import('../ask/index.ts'),
    import('../activities/index.ts'),
  ]);
  if (!wantsIndex(context.root, corpus, asked)) return undefined;
  // A worker has no business of its own in the background.
  if (currentDepth() > 0) return undefined;
  try {
    const { run, params } = prepareIndexing(context.root, corpus);
    if (readActivity(run) !== undefined) {
      const { state, reason, record } = readStatus(run);
      if (state === 'working') return `no index yet: it is being built in the background, run ${run.id}`;
      // Its maker died, or the index was removed: once more. What failed or was cancelled stays so.
      const again = state === 'completed' || (state === 'failed' && record.state === 'working');
      if (!again) return `no index: its run ${run.id} ended as ${state}: ${reason ?? 'no reason given'}`;
    }
    await startActivity(run, 'index', params);
    return `no index yet: it is now being built in the background, run ${run.id}`;
  } catch (error) {
    // A search has its result; somebody else may just have started the same, or the disk may be full.
    if (!(error instanceof RlmError)) throw error;
    return error.code === 'conflict'
      ? 'no index yet: it is being built in the background'
      : `no index: it could not be built: ${error.message}`;
  }
}
