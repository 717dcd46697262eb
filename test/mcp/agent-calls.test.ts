import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { connectClient, rlm, textOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { taskWorker } from '../support/task-worker.ts';

const Result = z.looseObject({
  run_id: z.string().default(''),
  state: z.string().optional(),
  outcome: z.string().nullable().optional(),
  next: z.array(z.object({ tool: z.string(), args: z.record(z.string(), z.unknown()) })).default([]),
});

/**
 * An agent that knows the server's instructions, its tool list, its task and what the calls so far returned. It can
 * say nothing else: each argument of a call must stand somewhere in these.
 */
class Agent {
  calls = 0;
  readonly #client: Client;
  #known: string;

  private constructor(client: Client, known: string) {
    this.#client = client;
    this.#known = known;
  }

  static async connect(root: string, task: string): Promise<Agent> {
    const client = await connectClient(root);
    const { tools } = await client.listTools();
    return new Agent(client, [client.getInstructions(), JSON.stringify(tools), task].join('\n'));
  }

  async call(name: string, args: Record<string, unknown>) {
    this.calls += 1;
    for (const word of [name, ...wordsOf(args)]) expect(this.#known, `${name} ${word}`).toContain(word);
    const result = await this.#client.callTool({ name, arguments: args });
    const text = textOf(result);
    expect(result.isError, text).not.toBe(true);
    this.#known += text;
    return Result.parse(result.structuredContent);
  }
}

/** Names and values in an argument: what an agent has to know. */
function wordsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(wordsOf);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, inner]) => [name, ...wordsOf(inner)]);
  return typeof value === 'boolean' ? [] : [String(value)];
}

const LOG_LINE = '2026-11-20T10:00:00Z info request was served in 12 ms by the worker\n';

test('a question over a folder, or over one huge log, is answered by one call', async () => {
  const root = temporaryDirectory();
  for (let n = 0; n < 40; n += 1)
    place(join(root, 'docs', `${n}.md`), `# Pier ${n}\n\nThe ferry of pier ${n} leaves at ${n % 24}:15.\n`);
  place(join(root, 'big.log'), LOG_LINE.repeat(300_000));
  appendFileSync(join(root, 'big.log'), '2026-11-20T10:00:01Z error the flywheel stopped at noon\n');
  const folder = 'When does the ferry of pier 17 leave?';
  const log = 'When did the flywheel stop?';
  const agent = await Agent.connect(root, `"${folder}" is in docs, "${log}" in big.log. Use no model.`);
  for (const [question, input, words] of [
    [folder, 'docs', 'leaves at 17:15'],
    [log, 'big.log', 'stopped at noon'],
  ]) {
    const answered = await agent.call('rlm_ask', { question, input: [input], worker: 'extractive' });
    expect(answered).toMatchObject({ state: 'completed', outcome: 'all' });
    expect(JSON.stringify(answered.answer)).toContain(words);
  }
  expect(agent.calls).toBe(2);
}, 60_000);

test('one question to each of 200 files, and what they say, takes four calls', async () => {
  const root = temporaryDirectory();
  for (let n = 0; n < 200; n += 1)
    place(join(root, 'docs', `${n}.md`), `# Box ${n}\n\nBox ${n} is stored on shelf ${n * 7}.\n`);
  const question = 'Where is the box stored?';
  const agent = await Agent.connect(root, `Ask every file in docs: ${question} Use no model.`);
  const { run_id } = await agent.call('rlm_ingest', { input: ['docs'] });
  expect(await agent.call('rlm_build_jobs', { run_id, questions: [question], top_k: 'all' })).toMatchObject({
    chunks: 200,
  });
  const batch = await agent.call('rlm_run_batch', { run_id, worker: 'extractive' });
  expect(batch).toMatchObject({ state: 'completed', outcome: 'all' });
  const [collect] = batch.next;
  expect(collect?.tool).toBe('rlm_reduce_evidence');
  const { counts } = await agent.call('rlm_reduce_evidence', collect?.args ?? {});
  expect(counts).toMatchObject({ jobs_failed: 0, items: 200 });
  expect(agent.calls).toBe(4);
}, 60_000);

test('six tasks are planned, carried out, verified and concluded in at most eight calls', async () => {
  const root = temporaryDirectory();
  place(join(root, '.rlm', 'config.json'), JSON.stringify({ commands: { tasks: taskWorker(root) } }));
  const goals = ['core', 'web', 'docs', 'tests', 'build', 'release'].map((part) => `Review ${part}.`);
  const goal = 'Review the six parts';
  const topic = 'the reviews agree';
  const reason = 'every part is reviewed';
  const agent = await Agent.connect(
    root,
    `${goal}: ${goals.join(' ')} The command is tasks. Verify that ${topic}; conclude "${reason}". Call them map-1 to map-6: map-1 map-2 map-3 map-4 map-5 map-6.`,
  );
  const tasks = goals.map((each, n) => ({ worker_id: `map-${n + 1}`, goal: each }));
  const { run_id } = await agent.call('rlm_plan', { goal_summary: goal, tasks });
  const stage = { run_id, command: 'tasks', auto_refill: true };
  expect(await agent.call('rlm_run_ready', stage)).toMatchObject({ state: 'completed', outcome: 'all' });
  await agent.call('rlm_reduce_inventory', { run_id });
  await agent.call('rlm_plan', { run_id, verify: { topics: [{ topic }] } });
  expect(await agent.call('rlm_run_ready', { ...stage, stage: 'verify' })).toMatchObject({ outcome: 'all' });
  await agent.call('rlm_collect_deferred', { run_id });
  const final = {
    conclusions: [{ text: reason }],
    termination_decision: { should_finish: true, reason },
  };
  expect(await agent.call('rlm_finalize', { run_id, final })).toMatchObject({ verified: true });
  await agent.call('rlm_archive', { run_id });
  expect(agent.calls).toBeLessThanOrEqual(8);
}, 60_000);

test('a run that crashed earlier is found, finished and read in at most four calls', async () => {
  const fixture = new BatchFixture(['a', 'b', 'c'], undefined, '.rlm/runs/of-yesterday');
  const worker = fixture.script('worker.sh', `[ -f open ] || sleep 600\n${ANSWER_LINE}`);
  const batch = ['batch', '--jobs', 'jobs.jsonl', '--run-id', 'of-yesterday', '--parallel', '3', '--detach'];
  await rlm([...batch, '--command', worker, '{chunk_id}'], { cwd: fixture.root });
  const { driver } = await expect
    .poll(() => readActivity(fixture.runDir), { timeout: 10_000 })
    .toMatchObject({ progress: { running: 3 } })
    .then(() => readActivity(fixture.runDir));
  if (driver === undefined) throw new Error('there is no driver');
  process.kill(driver.pid, 'SIGKILL');
  fixture.write('open', '');
  const agent = await Agent.connect(fixture.root, 'Finish the run that crashed, and say what came of it.');
  const { runs, next } = await agent.call('rlm_status', {});
  expect(runs).toMatchObject([{ state: 'failed', crashed: true }]);
  expect(next).toMatchObject([{ tool: 'rlm_resume' }]);
  const ended = await agent.call('rlm_resume', next[0]?.args ?? {});
  expect(ended).toMatchObject({ state: 'completed', outcome: 'all', progress: { accepted: 3 } });
  const [read] = ended.next;
  await agent.call(read?.tool ?? '', read?.args ?? {});
  expect(agent.calls).toBeLessThanOrEqual(4);
}, 60_000);

function readActivity(runDir: string) {
  return ActivityRecord.parse(JSON.parse(readFileSync(join(runDir, 'activity.json'), 'utf8')));
}
