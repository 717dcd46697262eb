import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectClient } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

test('a question that is answered soon takes one call; one that is not is waited for no longer than asked', async () => {
  const root = temporaryDirectory();
  place(join(root, 'docs', 'a.md'), 'The ferry to the island leaves at noon.\n');
  place(join(root, '.rlm', 'config.json'), JSON.stringify({ commands: { slow: ['sleep', '60'] } }));
  const client = await connectClient(root);
  const question = { question: 'When does the ferry leave?', input: ['docs'] };
  const { structuredContent: answered } = await client.callTool({
    name: 'rlm_ask',
    arguments: { ...question, worker: 'extractive' },
  });
  expect(answered).toMatchObject({
    state: 'completed',
    outcome: 'all',
    answer: { citations: [{ quote: expect.stringContaining('leaves at noon') }] },
  });
  const began = performance.now();
  const { structuredContent: working } = await client.callTool({
    name: 'rlm_ask',
    arguments: { ...question, command: 'slow', wait_sec: 1, run_id: 'slow-one' },
  });
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(working).toMatchObject({ state: 'working', outcome: null, next: [{ tool: 'rlm_wait' }] });
  const { structuredContent: ended } = await client.callTool({
    name: 'rlm_cancel',
    arguments: { run_id: 'slow-one' },
  });
  expect(ended).toMatchObject({ state: 'cancelled', outcome: 'none' });
});
