import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inputFor, TOOLS } from '../../src/tools/index.ts';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { connectClient, rlm, textOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const TAKING_A_PROGRAM = TOOLS.filter((tool) => 'command' in inputFor(tool, 'mcp').shape);

test.each(TAKING_A_PROGRAM.map((tool) => [tool.name, tool] as const))(
  '%s starts no program over MCP that the configuration does not name',
  async (name, { example }) => {
    const root = temporaryDirectory();
    const outside = join(temporaryDirectory(), 'touched');
    place(join(root, 'docs', 'a.md'), 'Some text.\n');
    place(join(root, 'jobs.jsonl'), '');
    place(join(root, '.rlm', 'config.json'), JSON.stringify({ commands: { known: ['cat'] } }));
    const client = await connectClient(root);
    if ('run_id' in example) {
      const tasks = [{ worker_id: 'map-0001', goal: 'Look.' }];
      await client.callTool({
        name: 'rlm_plan',
        arguments: { run_id: example.run_id, goal_summary: 'Find out', tasks },
      });
    }
    const more: Partial<Record<string, object>> = {
      rlm_spawn_worker: { worker_id: 'map-0001', retry_of: undefined },
      rlm_refine: { validator: 'none', max_iterations: 1 },
    };
    const given = { ...example, ...more[name] };
    for (const command of ['sh', ['sh', '-c', `touch ${outside}`], `touch ${outside}`, ['known', '-n']]) {
      const result = await client.callTool({ name, arguments: { ...given, command } });
      expect(result.isError, JSON.stringify(command)).toBe(true);
      expect(JSON.parse(textOf(result))).toMatchObject({
        code: expect.stringMatching(/^(forbidden|usage)$/),
        message: expect.stringContaining('command'),
        hint: { text: expect.any(String) },
      });
    }
    expect(existsSync(outside)).toBe(false);
  },
);

test('a run goes on over MCP with the program that a person gave it at the command line', async () => {
  const fixture = new BatchFixture(['a', 'b'], undefined, '.rlm/runs/of-a-person');
  const worker = fixture.script('worker.sh', `[ -f open ] || exit 3\n${ANSWER_LINE}`);
  const jobs = ['batch', '--jobs', 'jobs.jsonl', '--run-id', 'of-a-person', '--retries', '0'];
  expect((await rlm([...jobs, '--command', worker, '{chunk_id}'], { cwd: fixture.root })).code).toBe(3);
  writeFileSync(join(fixture.root, 'open'), '');
  const client = await connectClient(fixture.root);
  const { structuredContent } = await client.callTool({
    name: 'rlm_resume',
    arguments: { run_id: 'of-a-person', wait_sec: 1000 },
  });
  expect(structuredContent).toMatchObject({
    state: 'completed',
    outcome: 'all',
    wait_reduced_to_sec: 45,
  });
});
