import type { DocumentOptions } from '../contracts/index.ts';
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
 * @param known the run that the documents go into, when there is one
 * @throws RlmError `usage` or `forbidden` for an input, `conflict` when a driver works on the run
 */
export async function prepareIngest(
  options: DocumentOptions & { run_id?: string | undefined },
  known: RunHandle | undefined,
  caller: Pick<Caller, 'root' | 'cwd' | 'allowedRoots'>,
): Promise<{ run: RunHandle; params: DocumentParams }> {
  const { input, run_id: runId } = options;
  await checkInputs(input, { base: caller.cwd, allowedRoots: caller.allowedRoots ?? undefined });
  const run =
    known ?? createRun(caller.root, { kind: 'ask', title: `documents: ${input.join(', ')}`, runId });
  requireNoDriver(run.dir);
  const place = { base_dir: caller.cwd, allowed_roots: caller.allowedRoots };
  return { run, params: DocumentParams.parse({ ...options, ...place }) };
}
