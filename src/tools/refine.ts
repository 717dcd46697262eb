import { RefineOptions } from '../contracts/index.ts';
import { RunReport } from '../resources/index.ts';
import { waitSecInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Turns of an agent, each judged by a validator, until it passes or a limit is reached. */
export const refine = defineTool({
  name: 'rlm_refine',
  title: 'Improve a repository until its tests pass',
  description:
    'Improves a repository until a validator passes: an agent (Codex, Claude or a command) takes a turn, the tests run, the failure goes into the next turn, within limits of iterations, minutes, tokens and dollars. Fixes failing tests, builds or linters. Tests and their configuration are protected. Goes on in the background: then rlm_wait.',
  input: RefineOptions.extend({ wait_sec: waitSecInput }),
  example: { goal: 'Fix the failing tests' },
  output: RunReport,
  // The agent changes files of the repository, and the validator is a program.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  startsWork: true,
  command: {
    positional: ['goal'],
    examples: [
      'refine "Fix the failing tests"',
      'refine "Make the linter pass" --validator "npm run lint" --max-iterations 10',
      'refine "Fix the build" --isolate worktree --candidates 3 --setup "npm ci" --max-cost-usd 5',
    ],
  },
});
