import { z } from 'zod';
import { DeferredItem } from './deferred.ts';
import { WorkerId } from './plan.ts';
import { ReportState } from './reduce-state.ts';
import { RunId, SCHEMA_VERSION } from './run.ts';

/** A file of state that a decision was read from, and what it held. */
const RehydratedFile = z.object({ path: z.string(), sha256: z.string() });

/** `final.json` of a map-reduce run. Paths are relative to the root. */
export const FinalReport = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  created_at: z.iso.datetime(),
  goal_summary: z.string().min(1),
  termination_decision: z.object({
    should_finish: z.boolean(),
    reason: z.string().min(1),
    budget_used: z.object({
      iterations: z.int().nonnegative(),
      workers: z.int().nonnegative(),
      minutes: z.number().nonnegative(),
    }),
  }),
  conclusions: z.array(z.object({ text: z.string().min(1), evidence_paths: z.array(z.string()) })),
  /** Reports that were accepted, and every file a conclusion rests on; each `path`, `path:line` or `path:first-last`. */
  evidence_paths: z.array(z.string()),
  open_questions: z.array(z.string()),
  verify: z.object({
    completed: z.boolean(),
    tasks: z.array(WorkerId),
    /** Why there was none, when it was waived. */
    waived_because: z.string().nullable(),
  }),
  /** Tasks that ended without an accepted report: what this result does not rest on. */
  unfinished_tasks: z.array(z.object({ worker_id: WorkerId, state: ReportState })),
  deferred_opportunities: z.array(DeferredItem),
  /** Parts of the run contract nobody gave: an environment baseline among them weakens the Verify results. */
  missing_contract_parts: z.array(z.string()),
  rehydrated_from: z.array(RehydratedFile),
});
export type FinalReport = z.infer<typeof FinalReport>;
