import { z } from 'zod';
import { ASK_DEFAULTS } from '../contracts/index.ts';
import { checkInputs } from '../corpus/index.ts';
import { type Caller, requirePrice, resolveWork, WorkParams, type WorkRequest } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { createRun, type RunHandle } from '../runs/index.ts';
import { DocumentParams } from './documents.ts';

/** What an ask was asked to do. */
export const AskParams = WorkParams.extend({
  ...DocumentParams.shape,
  question: z.string(),
  /** Chunks read in each pass, at most. */
  top_k: z.int().positive(),
  /** Size up to which short chunks of one document go into one job, tokens. */
  pack_tokens: z.int().positive(),
  follow_ups: z.int().nonnegative().max(ASK_DEFAULTS.followUps),
  /** Let a model add words to the question before it is searched. */
  expand: z.boolean(),
  /** Only say what it would cost, with so many jobs run as a sample. */
  dry_run: z.boolean(),
  sample: z.int().nonnegative(),
});
export type AskParams = z.infer<typeof AskParams>;

/** What the caller of an ask says; all but question and inputs has a default. */
export interface AskRequest {
  question: string;
  inputs: string[];
  runId?: string | undefined;
  topK?: number | undefined;
  chunkTokens?: number | undefined;
  packTokens?: number | undefined;
  followUps?: number | undefined;
  expand?: boolean | undefined;
  dryRun?: boolean | undefined;
  sample?: number | undefined;
  work: WorkRequest;
}

/**
 * Checks what is asked, and then makes the run: nothing is left behind when something is wrong. The documents
 * are read by the driver.
 *
 * @throws RlmError `usage` for a blank question, for no inputs or one that names nothing, `forbidden` for one
 *   that lies where this caller may not read
 */
export async function prepareAsk(
  request: AskRequest,
  caller: Caller,
): Promise<{ run: RunHandle; params: AskParams }> {
  const question = request.question.trim();
  if (question === '') throw new RlmError('usage', 'the question is blank');
  if (request.inputs.length === 0) {
    throw new RlmError('usage', 'must name files, directories or globs to look in', {
      field: 'input',
      hint: {
        text: 'For example:',
        action: { tool: 'rlm_ask', args: { question: 'What is the default time limit?', input: ['docs'] } },
      },
    });
  }
  await checkInputs(request.inputs, { base: caller.cwd, allowedRoots: caller.allowedRoots ?? undefined });
  const work = resolveWork(request.work, caller);
  requirePrice(work, caller.config);
  const run = createRun(caller.root, { kind: 'ask', title: question, runId: request.runId });
  return {
    run,
    params: {
      ...work,
      question,
      inputs: request.inputs,
      base_dir: caller.cwd,
      allowed_roots: caller.allowedRoots,
      chunk_tokens: request.chunkTokens ?? ASK_DEFAULTS.chunkTokens,
      top_k: request.topK ?? ASK_DEFAULTS.topK,
      pack_tokens: request.packTokens ?? ASK_DEFAULTS.packTokens,
      follow_ups: Math.min(ASK_DEFAULTS.followUps, request.followUps ?? ASK_DEFAULTS.followUps),
      expand: request.expand ?? true,
      dry_run: request.dryRun ?? false,
      sample: request.sample ?? 0,
    },
  };
}
