import type { z } from 'zod';
import { AskOptions, WorkParams } from '../contracts/index.ts';
import { checkInputs } from '../corpus/index.ts';
import { type Caller, requirePrice, resolveWork } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { createRun, type RunHandle } from '../runs/index.ts';
import { DocumentParams } from './documents.ts';

/** What the driver of an ask is started with. */
export const AskParams = AskOptions.omit({ run_id: true }).extend({
  ...WorkParams.shape,
  ...DocumentParams.shape,
});
export type AskParams = z.infer<typeof AskParams>;

/**
 * Checks what is asked, and then makes the run: nothing is left behind when something is wrong. The documents
 * are read by the driver.
 *
 * @throws RlmError `usage` for a blank question, for no inputs or one that names nothing, `forbidden` for one
 *   that lies where this caller may not read
 */
export async function prepareAsk(
  options: AskOptions,
  caller: Caller,
): Promise<{ run: RunHandle; params: AskParams }> {
  const question = options.question.trim();
  if (question === '') throw new RlmError('usage', 'the question is blank');
  await checkInputs(options.input, { base: caller.cwd, allowedRoots: caller.allowedRoots ?? undefined });
  const work = resolveWork(options, caller);
  requirePrice(work, caller.config);
  const run = createRun(caller.root, { kind: 'ask', title: question, runId: options.run_id });
  const place = { base_dir: caller.cwd, allowed_roots: caller.allowedRoots };
  return { run, params: AskParams.parse({ ...options, ...work, ...place, question }) };
}
