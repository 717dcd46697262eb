import type { Tool } from '../tools/index.ts';

/** Ways through the tools, the most frequent first. A step is a tool, with what to know about it there. */
const WAYS: readonly { goal: string; steps: readonly [tool: string, note?: string][] }[] = [
  {
    goal: 'A question over documents (long files, folders, PDF, logs)',
    steps: [['rlm_ask', 'one call; the result carries the cited answer']],
  },
  {
    goal: 'The same by hand',
    steps: [
      ['rlm_ingest'],
      ['rlm_search'],
      ['rlm_read'],
      ['rlm_build_jobs'],
      ['rlm_run_batch'],
      ['rlm_reduce_evidence'],
      ['rlm_finalize'],
    ],
  },
  { goal: 'A batch of prompts', steps: [['rlm_run_batch', 'a jobs.jsonl; then read …/results']] },
  { goal: 'One prompt over rows or files', steps: [['rlm_run_queue']] },
  {
    goal: 'A goal for many agents',
    steps: [
      ['rlm_plan', 'map tasks, and verify tasks that depend on them'],
      ['rlm_run_ready', 'auto_refill: the whole stage; then stage verify'],
      ['rlm_reduce_inventory'],
      ['rlm_spawn_worker', 'retries'],
      ['rlm_finalize', 'collects deferred work too'],
      ['rlm_collect_deferred', 'to see it before'],
      ['rlm_archive'],
    ],
  },
  { goal: 'Repair until a check passes', steps: [['rlm_refine']] },
  {
    goal: 'A run that exists',
    steps: [['rlm_status', 'without run_id lists all'], ['rlm_wait'], ['rlm_resume'], ['rlm_cancel']],
  },
  {
    goal: 'Upkeep',
    steps: [['rlm_doctor', 'what is installed and would fail'], ['rlm_report'], ['rlm_cleanup']],
  },
];

/**
 * What the server says about itself to a client that connects: at most 2 kB. Codex and Claude search tools by these
 * words, so they are those in which a task would be put.
 */
export function instructionsFor(tools: readonly Tool[]): string {
  const offered = new Set<string>(tools.map(({ name }) => name));
  const ways = WAYS.map(({ goal, steps }) => ({ goal, steps: steps.filter(([name]) => offered.has(name)) }));
  const named = new Set(ways.flatMap(({ steps }) => steps.map(([name]) => name)));
  const others = tools.filter(({ name }) => !named.has(name)).map(({ name }): [string] => [name]);
  if (others.length > 0) ways.push({ goal: 'Others', steps: others });
  const lines = ways
    .filter(({ steps }) => steps.length > 0)
    .map(({ goal, steps }) => {
      const words = steps.map(([name, note]) => (note === undefined ? name : `${name} (${note})`));
      return `- ${goal}: ${words.join(', ')}.`;
    });
  return `rlm runs many small worker calls (Codex, Claude, a command, or a built-in extractive reader) over inputs too big for one context: long documents, repositories, logs, many files. Map-reduce, batch prompts, subagents in parallel, evidence with checked citations. Work is durable: it survives a crash, a closed client and a restart.

Ways:
${lines.join('\n')}

Rules:
- A tool that starts work returns the result, or a run_id: then call rlm_wait until the state is not working. Ending a call, or this session, does not end the run.
- Each result names what to do next: {tool, args, why}, best first.
- Results hold heads, counts, paths and rlm:// URIs; rlm_read reads any URI a page at a time.
- States: working, input_required (paused; the reason says for what), completed, failed, cancelled. Accepted results are never run again.
- Give a budget (max_attempts, max_minutes, max_tokens, max_cost_usd) when cost matters: it is checked before each launch.`;
}
