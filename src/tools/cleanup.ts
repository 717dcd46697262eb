import { z } from 'zod';
import { defineTool } from './tool.ts';

/** Deletes archives past their ttl. */
export const cleanup = defineTool({
  name: 'rlm_cleanup',
  title: 'Clean up old archives',
  description:
    'Cleans up: deletes archives that are older than their ttl, not kept for ever, and in use by no run. A dry run by default: it only says what would go. Every deletion is a line of .rlm/cleanup.log.',
  input: z.object({
    dry_run: z.boolean().default(true).describe('Only say what would be deleted; default true'),
  }),
  example: { dry_run: true },
  output: z.object({
    dry_run: z.boolean(),
    deleted: z.array(z.string()).describe('Archive ids, the first 50; in a dry run those that would go'),
    deleted_total: z.int(),
    freed_bytes: z.int(),
    kept: z.object({ in_use: z.int(), keep_forever: z.int(), young: z.int(), unreadable: z.int() }),
    skipped: z.string().nullable().describe('Another cleanup is at work: nothing was done'),
    replaced_dead_holder: z
      .object({ host: z.string(), pid: z.int(), acquired_at: z.string() })
      .nullable()
      .describe('A cleanup that had died with the lock in its hands'),
    log: z.string(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
});
