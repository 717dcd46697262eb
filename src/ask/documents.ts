import { dirname, join } from 'node:path';
import { z } from 'zod';
import { cacheDirectory, DocumentOptions, IngestReport, RUN_FILES } from '../contracts/index.ts';
import { checkInputs, ingest } from '../corpus/index.ts';
import type { Caller, FlowContext, FlowEnd } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory, readTextFile, writeJsonAtomic } from '../files/index.ts';
import { createRun, type RunHandle, requireNoDriver } from '../runs/index.ts';
import { sha256 } from '../text/index.ts';

/** Which documents a run is about. Relative inputs start at `base_dir`, and sources inside it are cited relative to it. */
export const DocumentParams = DocumentOptions.extend({
  base_dir: z.string(),
  /** Directories that documents must lie in; null for a person, who may name any path. */
  allowed_roots: z.array(z.string()).nullable(),
});
export type DocumentParams = z.infer<typeof DocumentParams>;

type Documents = Pick<DocumentParams, 'input' | 'base_dir' | 'chunk_tokens'>;

const Remembered = z.object({ run_dir: z.string() });

/**
 * Ingests a run's documents, notes in the journal what became of them and writes `ask/ingest.json`. Documents
 * that did not change since the last run over the same inputs are not read again.
 */
export async function ingestDocuments(
  { run, journal, signal, config }: FlowContext,
  { input, base_dir, allowed_roots, chunk_tokens }: DocumentParams,
): Promise<IngestReport> {
  const memory = memoryOf(run.record.root, { input, base_dir, chunk_tokens });
  const earlier = lastRun(memory);
  const { extract_sec, extract_mb } = config.values.limits;
  const report = await ingest(run.dir, input, {
    extraction: { timeoutMs: extract_sec * 1000, memoryBytes: extract_mb * 2 ** 20 },
    base: base_dir,
    targetTokens: chunk_tokens,
    signal,
    ...(earlier === undefined ? {} : { reuse: earlier }),
    ...(allowed_roots === null ? {} : { allowedRoots: allowed_roots }),
  });
  for (const path of [join(run.dir, RUN_FILES.ingestReport), memory]) ensureDirectory(dirname(path));
  writeJsonAtomic(join(run.dir, RUN_FILES.ingestReport), IngestReport.parse(report));
  writeJsonAtomic(memory, { run_dir: run.dir });
  const { sources_read, sources_reused, sources_skipped, chunks, tokens } = report;
  const known = sources_reused === 0 ? '' : ` (${sources_reused} known and unchanged)`;
  const left = sources_skipped === 0 ? '' : `, ${sources_skipped} skipped (chunks/sources.jsonl says why)`;
  journal.append({
    type: 'note',
    message: `ingested ${sources_read} documents${known}, ${chunks} chunks, about ${tokens} tokens${left}`,
  });
  if (sources_read === 0) {
    const reasons = Object.entries(report.by_reason).map(([reason, count]) => `${count} ${reason}`);
    const why = reasons.length === 0 ? 'there is no file' : `skipped: ${reasons.join(', ')}`;
    throw new RlmError('usage', `no document can be read (${why})`, {
      hint: 'Name files, directories or globs that hold text.',
    });
  }
  return report;
}

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

/** `.rlm/cache/corpora/<hash>.json` names the run that ingested the same inputs last; it may be gone. */
function memoryOf(root: string, { input, base_dir, chunk_tokens }: Documents): string {
  const parts = [base_dir, String(chunk_tokens), ...input];
  const name = sha256(JSON.stringify(parts)).slice(0, 32);
  return join(cacheDirectory(root, 'corpora'), `${name}.json`);
}

function lastRun(memory: string): string | undefined {
  try {
    return Remembered.parse(JSON.parse(readTextFile(memory))).run_dir;
  } catch {
    return undefined;
  }
}
