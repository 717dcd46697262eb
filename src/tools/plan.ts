import { z } from 'zod';
import { PlanInput, RunId, VerifyInput } from '../contracts/index.ts';
import { NextSteps } from '../resources/index.ts';
import { fileInput, takeOverInput } from './inputs.ts';
import { defineTool } from './tool.ts';

const ids = z.array(z.string()).describe('worker_ids, the first 50');

/** Creates a run for a goal, or revises its plan. */
export const plan = defineTool({
  name: 'rlm_plan',
  title: 'Plan a map-reduce run',
  description:
    'Plans a map-reduce run: splits a goal (code, research, debugging, documents) into tasks with dependencies for many parallel agents, and writes the run contract they all follow. With the run_id of a plan it revises that: tasks are added or replaced by worker_id, tasks that are not named stay. The result says what the contract still lacks: ask the user. Starts nothing; rlm_run_ready does.',
  input: z.object({
    run_id: RunId.optional().describe(
      'The run to revise, or the id of a new one (3 to 64 of a-z 0-9 . _ -); generated when absent',
    ),
    ...PlanInput.shape,
    verify: VerifyInput.optional().describe(
      'Adds verify tasks, verify-0001 and on, to a plan whose map tasks have reported',
    ),
    file: fileInput('these fields'),
    take_over: takeOverInput,
  }),
  example: {
    goal_summary: 'Find every use of the old API',
    tasks: [{ worker_id: 'map-0001', goal: 'List the uses in src/.' }],
  },
  output: z.object({
    run_id: RunId,
    run_dir: z.string(),
    plan_path: z.string(),
    contract_path: z.string(),
    uri: z.string(),
    iteration: z.int().describe('Grows with each revision; the plan before is kept in artifacts/'),
    round: z.int().describe('Rounds of new map work so far'),
    changed: z.boolean(),
    tasks: z.object({ total: z.int(), map: z.int(), verify: z.int() }),
    added: ids,
    replaced: ids,
    removed: ids,
    missing: z
      .array(z.object({ field: z.string(), ask: z.string() }))
      .describe('Missing parts of the run contract, each with the question for the user'),
    took_over_from: z
      .object({ host: z.string(), pid: z.int(), acquired_at: z.string() })
      .nullable()
      .describe('Whoever held the orchestrator lock before'),
    next: NextSteps,
  }),
  // (Archives that are past their own ttl go at the start of a run: that was decided when they were made.)
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
});
