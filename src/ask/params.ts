import { z } from 'zod';
import { ASK_DEFAULTS } from '../contracts/index.ts';
import { WorkParams } from '../dispatch/index.ts';
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
