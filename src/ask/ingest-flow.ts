import { ASK_DEFAULTS } from '../contracts/index.ts';
import { checkInputs } from '../corpus/index.ts';
import type { Caller, FlowContext, FlowEnd } from '../dispatch/index.ts';
import { createRun, type RunHandle, requireNoDriver } from '../runs/index.ts';
import { DocumentParams, ingestDocuments } from './documents.ts';

/** Documents into a run: the flow behind `rlm_ingest`. */
export async function ingestFlow(context: FlowContext): Promise<FlowEnd> {
  try {
    const params = DocumentParams.parse(context.params);
    await ingestDocuments(context, params);
    return { state: 'completed' };
  } catch (error) {
    if (context.signal.aborted) return { state: 'cancelled', reason: 'cancelled' };
    throw error;
  }
}

/**
 * Checks what is to be ingested, and makes the run unless there is one already.
 *
 * @throws RlmError `usage` or `forbidden` for an input, `conflict` when a driver works on the run
 */
export async function prepareIngest(
  request: {
    inputs: string[];
    run?: RunHandle | undefined;
    runId?: string | undefined;
    chunkTokens?: number | undefined;
  },
  caller: Pick<Caller, 'root' | 'cwd' | 'allowedRoots'>,
): Promise<{ run: RunHandle; params: DocumentParams }> {
  const { inputs, runId } = request;
  await checkInputs(inputs, { base: caller.cwd, allowedRoots: caller.allowedRoots ?? undefined });
  const run =
    request.run ?? createRun(caller.root, { kind: 'ask', title: `documents: ${inputs.join(', ')}`, runId });
  requireNoDriver(run.dir);
  return {
    run,
    params: {
      inputs,
      base_dir: caller.cwd,
      allowed_roots: caller.allowedRoots,
      chunk_tokens: request.chunkTokens ?? ASK_DEFAULTS.chunkTokens,
    },
  };
}
