import { z } from 'zod';
import { FinalAnswer, FinalInput, RunId } from '../contracts/index.ts';
import { NextSteps } from '../resources/index.ts';
import { fileInput, runIdInput, takeOverInput } from './inputs.ts';
import { defineTool } from './tool.ts';

const Output = z.object({
  run_id: RunId,
  path: z.string(),
  uri: z.string(),
  citations: z.int().optional(),
  gaps: z.int().optional(),
  moved_to_gaps: z
    .int()
    .optional()
    .describe('Sentences that claimed an absence although not everything was read'),
  uncited_total: z
    .int()
    .optional()
    .describe('Statements of the content without a citation: each is named in the gaps now'),
  uncited: z.array(z.string()).optional().describe('The first 10 of them'),
  conclusions: z.int().optional(),
  evidence_paths: z.int().optional(),
  verified: z.boolean().optional().describe('False: waived, with the reason in final.json'),
  verdicts: z
    .object({ confirmed: z.int(), refuted: z.int(), undecided: z.int() })
    .optional()
    .describe('Of the verify tasks'),
  unfinished_tasks: z.int().optional(),
  deferred_opportunities: z.int().optional(),
  missing_contract_parts: z.array(z.string()).optional(),
  rehydrated_from: z.array(z.string()).optional().describe('State files read for it'),
  next: NextSteps,
});

/** The gate before a final result is written. */
export const finalize = defineTool({
  name: 'rlm_finalize',
  title: 'Finalize an answer or a plan',
  description:
    'Passes a final result through the gate. A question: answer → out/answer.json; every source must be the location of a verified span in reduce/evidence.json (such as path:3-5 or path#page=2) whose bytes are still there; [n] is the n-th citation; statements without one are returned and named in the gaps. A map-reduce plan: final → final.json; refused without a completed verify stage unless waived, or when evidence paths do not exist. Names every problem.',
  input: z.object({
    run_id: runIdInput,
    answer: FinalAnswer.optional().describe(
      'For a question: content 1 to 20000 characters with [n] marks; confidence 0 to 1; citations [{claim_id, sources: ["path:1-3"]}]; gaps; artifacts',
    ),
    final: FinalInput.optional().describe('For a plan: conclusions and the decision'),
    file: fileInput('the answer or the final'),
    take_over: takeOverInput,
  }),
  example: { run_id: 'my-plan', file: 'final.json' },
  output: Output,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
});
