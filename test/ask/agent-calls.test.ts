import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { connectClient, textOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const Step = z.object({ tool: z.string(), args: z.record(z.string(), z.unknown()) });
const Result = z.looseObject({ next: z.array(Step).default([]) });

/** An agent that has the tool list and what earlier results told it. */
async function agent(root: string) {
  const client = await connectClient(root);
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    async call(name: string, args: Record<string, unknown>) {
      calls += 1;
      const result = await client.callTool({ name, arguments: args });
      expect(result.isError, textOf(result)).not.toBe(true);
      return Result.parse(result.structuredContent);
    },
  };
}

/** The arguments that a result gives for the next call of a tool. */
function argsFor(tool: string, { next }: z.infer<typeof Result>): Record<string, unknown> {
  const step = next.find((one) => one.tool === tool);
  if (step === undefined) throw new Error(`no ${tool} in ${JSON.stringify(next)}`);
  return step.args;
}

test('one call answers a question about one huge log', async () => {
  const root = temporaryDirectory();
  const log = join(root, 'service.log');
  const lines = Array.from(
    { length: 20_000 },
    (_, n) => `2026-11-20T10:00:00Z info request ${n} was served in ${n % 90} ms by worker ${n % 7}\n`,
  ).join('');
  place(log, '');
  for (let part = 0; part < 16; part += 1) appendFileSync(log, lines);
  appendFileSync(log, '2026-11-20T11:00:00Z error the flywheel stopped at noon\n');
  for (let part = 0; part < 16; part += 1) appendFileSync(log, lines);
  const asked = await agent(root);
  const args = { question: 'When did the flywheel stop?', input: ['service.log'], worker: 'extractive' };
  expect(await asked.call('rlm_ask', args)).toMatchObject({
    state: 'completed',
    answer: { content: expect.stringContaining('the flywheel stopped at noon') },
  });
  expect(asked.calls).toBe(1);
}, 60_000);

test('four calls put one question to 200 files and collect what each says', async () => {
  const root = temporaryDirectory();
  for (let n = 1; n <= 200; n += 1) {
    place(join(root, `contracts/${n}.txt`), `Contract ${n}.\n\nThe contract partner is company C-${n}.\n`);
  }
  const collects = await agent(root);
  const ingested = await collects.call('rlm_ingest', { input: ['contracts'] });
  const questions = ['Who is the contract partner?'];
  const named = argsFor('rlm_build_jobs', ingested);
  const built = await collects.call('rlm_build_jobs', { ...named, questions, top_k: 'all' });
  expect(built).toMatchObject({ jobs: 200, documents_not_taken: 0 });
  const run = { ...argsFor('rlm_run_batch', built), worker: 'extractive' };
  const ran = await collects.call('rlm_run_batch', run);
  expect(ran).toMatchObject({ state: 'completed', outcome: 'all' });
  const results = ran.next.find(({ args }) => String(args.uri).endsWith('/results'));
  const read = await collects.call('rlm_read', results?.args ?? {});
  expect(collects.calls).toBe(4);
  // The page says where all of it lies.
  const { path } = z.object({ data: z.object({ path: z.string() }) }).parse(read).data;
  const rows = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(rows).toHaveLength(200);
  for (const row of rows) expect(row).toMatch(/The contract partner is company C-\d+\./);
}, 60_000);
