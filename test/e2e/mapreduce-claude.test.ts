import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canConfineShell } from '../../src/workers/claude/index.ts';
import { CLAUDE_CLIENT } from '../support/clients.ts';
import { startModelServer } from '../support/model-server.ts';
import { CLAUDE, expectArchivedRun, HOSTILE_GOAL, orchestration } from '../support/orchestrator.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

test('Claude orchestrates Claude workers from a plan to its archive', { timeout: 60_000 }, async () => {
  const root = temporaryDirectory();
  place(join(root, 'notes.txt'), 'The word is xylophone.\n');
  const server = await startModelServer(
    orchestration(root, CLAUDE, { worker: 'claude', workerDialect: CLAUDE, goal: HOSTILE_GOAL }),
  );
  onTestFinished(() => server.close());
  const { code, stdout, stderr } = await CLAUDE_CLIENT.run(root, server.url, 'Find the word.');
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('the run is archived');
  expectArchivedRun(root, server.calls);
  // A task that owns no path has no shell, nor has any where the shell could not be confined to what it owns.
  const toolsOf = (task: string) =>
    server.calls
      .filter(({ prompt, body }) => prompt.includes(`"worker_id": "${task}"`) && !asksForPlan(body))
      .map(({ body }) => JSON.stringify(body.tools));
  for (const task of ['map-0001', 'verify-0001']) {
    expect(toolsOf(task).length, task).toBeGreaterThan(1);
    for (const tools of toolsOf(task)) expect(tools).toMatch(/"Skill".*"Write"|"Write".*"Skill"/);
    for (const tools of toolsOf(task)) expect(tools).not.toMatch(/"(?:Bash|WebFetch)"/);
  }
  const flags = ['--settings', '--append-system-prompt'];
  const confinable = await canConfineShell({ version: '', flags }, process.env);
  expect(toolsOf('map-0002').at(0)?.includes('"Bash"')).toBe(confinable);
});

function asksForPlan(body: Record<string, unknown>): boolean {
  return JSON.stringify(body.tools ?? []).includes('rlm_plan');
}
