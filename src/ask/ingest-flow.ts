import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ASK_DEFAULTS, IngestReport } from '../contracts/index.ts';
import { ingest } from '../corpus/index.ts';
import type { Caller, FlowContext, FlowEnd } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory, writeJsonAtomic } from '../files/index.ts';
import { createRun, openRun, type RunHandle, requireNoDriver } from '../runs/index.ts';
import { ASK_FILES } from './files.ts';

/** What an ingest was asked to do. Paths are absolute. */
export const IngestParams = z.object({
  inputs: z.array(z.string()).min(1),
  base_dir: z.string(),
  allowed_roots: z.array(z.string()).nullable(),
  chunk_tokens: z.int().positive(),
});
export type IngestParams = z.infer<typeof IngestParams>;

/** Documents into a run: the flow behind `rlm_ingest`. */
export async function ingestFlow({ run, params, signal, journal }: FlowContext): Promise<FlowEnd> {
  const { inputs, base_dir, allowed_roots, chunk_tokens } = IngestParams.parse(params);
  try {
    const report = await ingest(run.dir, inputs, {
      base: base_dir,
      targetTokens: chunk_tokens,
      signal,
      ...(allowed_roots === null ? {} : { allowedRoots: allowed_roots }),
    });
    const path = join(run.dir, ASK_FILES.ingest);
    ensureDirectory(dirname(path));
    writeJsonAtomic(path, IngestReport.parse(report));
    journal.append({
      type: 'note',
      message: `ingested ${report.sources_read} documents, ${report.chunks} chunks`,
    });
    return { state: 'completed' };
  } catch (error) {
    if (signal.aborted) return { state: 'cancelled', reason: 'cancelled' };
    throw error;
  }
}

/**
 * Checks what is to be ingested and makes the run, or opens the one that `runId` names.
 *
 * @throws RlmError `usage` without inputs, `conflict` when a driver works on the run
 */
export function prepareIngest(
  request: { inputs: string[]; runId?: string | undefined; chunkTokens?: number | undefined; isNew: boolean },
  caller: Pick<Caller, 'root' | 'cwd' | 'allowedRoots'>,
): { run: RunHandle; params: IngestParams } {
  if (request.inputs.length === 0) throw new RlmError('usage', 'no inputs: name files, directories or globs');
  const { runId } = request;
  const run =
    runId === undefined || request.isNew
      ? createRun(caller.root, {
          kind: 'ask',
          title: `documents: ${request.inputs.join(', ')}`,
          ...(runId === undefined ? {} : { runId }),
        })
      : openRun(caller.root, runId);
  requireNoDriver(run.dir);
  return {
    run,
    params: {
      inputs: request.inputs.map((input) => resolve(caller.cwd, input)),
      base_dir: caller.cwd,
      allowed_roots: caller.allowedRoots,
      chunk_tokens: request.chunkTokens ?? ASK_DEFAULTS.chunkTokens,
    },
  };
}
