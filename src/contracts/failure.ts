import { z } from 'zod';

/**
 * Why an attempt failed. The class alone decides what happens next (see `dispatch/policy.ts`):
 *
 * - `quota`: the account's allowance is used up; nothing more is launched until it resets
 * - `auth`, `config`: no attempt can succeed; the activity stops with the reason
 * - `throttled`, `server`, `network`: transient errors; back off, with fewer at once
 * - `timeout`: the wall or idle limit ended it
 * - `overflow`: the prompt does not fit the model's context
 * - `invalid_output`: it answered, but not what was asked for
 * - `crashed`: the worker ended without an answer and without a reason
 * - `budget`: a limit of the run was reached before the launch
 * - `cancelled`: somebody cancelled the run
 */
export const FailureClass = z.enum([
  'quota',
  'auth',
  'config',
  'throttled',
  'server',
  'network',
  'timeout',
  'overflow',
  'invalid_output',
  'crashed',
  'budget',
  'cancelled',
]);
export type FailureClass = z.infer<typeof FailureClass>;

export const Failure = z.object({
  class: FailureClass,
  message: z.string(),
  /** The other side said when to come back: milliseconds from now. */
  retry_after_ms: z.number().nonnegative().optional(),
  /** For `quota`: when the allowance is there again, if known. */
  resets_at: z.iso.datetime().optional(),
});
export type Failure = z.infer<typeof Failure>;
