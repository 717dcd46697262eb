import { z } from 'zod';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Collects what workers put off. */
export const collectDeferred = defineTool({
  name: 'rlm_collect_deferred',
  title: 'Collect deferred opportunities',
  description:
    'Collects the deferred opportunities (good ideas out of scope, follow-up work) from the worker reports of a map-reduce run into deferred.json: what, why deferred, how to validate, with path and line. Returns where they stand, or "none identified". rlm_finalize does this too: call it to see them before.',
  input: z.object({ run_id: runIdInput }),
  example: { run_id: 'my-plan' },
  output: z.object({
    run_id: z.string(),
    path: z.string().describe('deferred.json, relative to the root'),
    summary: z.string(),
    total: z.int(),
    reports_scanned: z.int(),
    reports_with_section: z.int(),
    unreadable: z.array(z.object({ path: z.string(), reason: z.string() })),
    // What an item says is a report's text: it is read from the file.
    items: z
      .array(z.object({ worker_id: z.string(), path: z.string(), line: z.int() }))
      .describe('Where the first items stand'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
});
