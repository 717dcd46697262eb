import { readdirSync } from 'node:fs';
import { RlmError } from '../errors.ts';
import { resolveInside } from '../files/index.ts';
import { type Completion, complete, completionOf } from './complete.ts';

/** A way through the tools that a person chooses by name: a slash command in most clients. */
interface Prompt {
  name: string;
  title: string;
  description: string;
  arguments: Argument[];
  /** The text for the model; an argument that was not given is undefined. */
  text(given: Record<string, string | undefined>): string;
}

interface Argument {
  name: string;
  description: string;
  required: boolean;
  /** What completes it, where anything does. */
  completes?: 'path' | 'run_id';
}

/**
 * Claude Code gives each argument one word of the line that was typed, and drops the rest; the model sees the whole
 * line. So a path comes before a text, no call repeats a text, and the line counts.
 */
const TYPED =
  'Where the command that I typed says more than this, that counts: only a word of it may have come through.';
const FOLLOW = 'Call rlm_wait with its run_id until the state is no longer working.';
const PAUSED =
  'If it ends as input_required or failed, tell me the reason and what rlm_resume would need; do not start it again.';

const ACCOUNT =
  'Tell me how many succeeded and failed, by failure class, the tokens and cost, and where the results are. rlm_read rlm://runs/{run_id}/jobs?state=failed says which jobs failed and why; rlm_resume runs those again, and no other: propose it where it would help.';

const PROMPTS: readonly Prompt[] = [
  {
    name: 'ask',
    title: 'Ask documents',
    description:
      'Answer a question over documents too large for one context, with citations that were checked',
    arguments: [
      {
        name: 'documents',
        description: 'File, directory or glob; . for all',
        required: true,
        completes: 'path',
      },
      { name: 'question', description: 'The question', required: true },
    ],
    text: ({ documents, question }) => `Answer a question from documents, with rlm.

Documents: ${documents}
Question: ${question}
${TYPED}

1. Call rlm_ask with the question, the documents as input (a list), and dry_run: true. ${FOLLOW} Its reason says how many jobs and tokens the question takes. If that is more than I would expect, ask me before you go on.
2. Call rlm_ask again without dry_run. ${FOLLOW} ${PAUSED}
3. The result carries the answer; where it is cut, call rlm_read with its uri. Give me the answer with its citations by their source, and only what they carry; then the gaps, and how much was read (coverage).`,
  },
  {
    name: 'plan',
    title: 'Plan a goal for many agents',
    description:
      'Split a goal into tasks with dependencies, run them on parallel agents, verify and conclude',
    arguments: [{ name: 'goal', description: 'What is to be reached', required: true }],
    text: ({ goal }) => `Reach a goal with many agents in parallel, through rlm.

Goal: ${goal}
${TYPED}

1. Look around only as far as you need to split the goal. Call rlm_plan with goal_summary, success_criteria and tasks: each {worker_id: "map-0001", goal, depends_on, context_paths, owned_paths}; owned_paths only for tasks that write. What the result lists as missing from the contract, ask me, then call rlm_plan again with its run_id and the contract.
2. Show me the tasks, what they may write, and that they cost worker calls; put a budget I name into rlm_plan. When I agree, call rlm_run_ready with run_id and auto_refill: true. ${FOLLOW} ${PAUSED}
3. Call rlm_reduce_inventory. Do what it suggests for tasks that failed: rlm_spawn_worker with retry_of, smaller or with a stronger compute_tier. Read reports by path, never logs.
4. Call rlm_plan with run_id and verify: {key_claims, contradictions, topics}, then rlm_run_ready with stage: "verify" and auto_refill: true, and wait again.
5. Call rlm_collect_deferred, then rlm_finalize with final: conclusions, each with its evidence. Tell me those, what stays open, and what was put off.`,
  },
  {
    name: 'batch',
    title: 'Run a batch',
    description: 'Put a question to many chunks of documents, or run a jobs file, and account for every job',
    arguments: [
      {
        name: 'input',
        description: 'A jobs.jsonl, or the documents to ask',
        required: true,
        completes: 'path',
      },
      { name: 'question', description: 'What to ask each chunk; not with a jobs.jsonl', required: false },
    ],
    text: ({ input, question }) =>
      question === undefined
        ? `Run the jobs of ${input} with rlm.

1. Call rlm_run_batch with jobs: ${JSON.stringify(input)}. ${FOLLOW} ${PAUSED}
2. ${ACCOUNT}`
        : `Put a question to many chunks of documents, with rlm.

Documents: ${input}
Question: ${question}
${TYPED}

1. Call rlm_ingest with the documents as input (a list). ${FOLLOW}
2. Call rlm_build_jobs with its run_id and the question in questions. Tell me how many jobs and tokens that is, and ask me if it is more than I would expect.
3. Call rlm_run_batch with the run_id. ${FOLLOW} ${PAUSED}
4. ${ACCOUNT}
5. Call rlm_reduce_evidence and tell me what the verified evidence says, with its sources.`,
  },
  {
    name: 'run',
    title: 'Look after a run',
    description: 'Say what state a run is in, why, and what to do next',
    arguments: [
      { name: 'run_id', description: 'The run; default: the newest', required: false, completes: 'run_id' },
    ],
    text: ({ run_id }) => `${
      run_id === undefined
        ? 'Call rlm_status without run_id, take the newest run, and call rlm_status with its run_id.'
        : `Call rlm_status with run_id: ${JSON.stringify(run_id)}.`
    }

Tell me in a few lines what it is, its state and the reason, how much is done and failed, tokens and cost. If it is working, ask whether to wait (rlm_wait) or cancel (rlm_cancel). If it failed or was interrupted, find out why with rlm_read: rlm://runs/{run_id}/jobs?state=failed for the jobs, rlm://runs/{run_id}/events?cursor=tail for the last events, rlm_doctor when no worker could be started. Then propose what its "next" says, and do it when I agree.`,
  },
];

/** The prompt list of the protocol. */
export function listPrompts() {
  return PROMPTS.map(({ text: _text, ...prompt }) => ({
    ...prompt,
    arguments: prompt.arguments.map(({ completes: _completes, ...argument }) => argument),
  }));
}

/**
 * One prompt with its arguments put in.
 *
 * @throws RlmError `usage` for a prompt that is not there, and for arguments that are missing or unknown
 */
export function getPrompt(name: string, given: Record<string, string>) {
  const prompt = PROMPTS.find((candidate) => candidate.name === name);
  if (prompt === undefined) {
    throw new RlmError('usage', `no prompt '${name}'`, {
      hint: `The prompts are ${PROMPTS.map((candidate) => candidate.name).join(', ')}.`,
    });
  }
  const takes = prompt.arguments.map((argument) => argument.name).join(', ');
  const unknown = Object.keys(given).filter((key) =>
    prompt.arguments.every((argument) => argument.name !== key),
  );
  if (unknown.length > 0)
    throw new RlmError('usage', `unknown argument ${unknown.join(', ')}`, {
      hint: `${name} takes: ${takes}.`,
    });
  // A form sends what was left empty as an empty text.
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value.trim() !== ''));
  const missing = prompt.arguments.filter(
    (argument) => argument.required && filled[argument.name] === undefined,
  );
  if (missing.length > 0)
    throw new RlmError('usage', `${missing.map((argument) => argument.name).join(', ')} is required`);
  return {
    description: prompt.description,
    messages: [{ role: 'user' as const, content: { type: 'text' as const, text: prompt.text(filled) } }],
  };
}

/** Completes an argument of a prompt: runs by their id, files and directories by their path below the root. */
export async function completePrompt(
  root: string,
  name: string,
  argument: string,
  prefix: string,
): Promise<Completion> {
  const prompt = PROMPTS.find((candidate) => candidate.name === name);
  const completes = prompt?.arguments.find((candidate) => candidate.name === argument)?.completes;
  if (completes === 'run_id') return complete(root, 'run_id', prefix, {});
  return completionOf(completes === 'path' ? pathsAt(root, prefix) : []);
}

/** What lies in the directory that a path has come to; a directory ends in `/`. What is hidden must be asked for. */
function pathsAt(root: string, prefix: string): string[] {
  const above = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const begun = prefix.slice(above.length);
  try {
    return readdirSync(resolveInside(root, above || '.', 'path'), { withFileTypes: true })
      .filter((entry) => entry.name.startsWith(begun) && (begun !== '' || !entry.name.startsWith('.')))
      .map((entry) => `${above}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort();
  } catch {
    // Not a directory, or not ours to look into: there is nothing to propose.
    return [];
  }
}
