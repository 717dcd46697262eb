import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startModelServer } from '../support/model-server.ts';
import { CLAUDE, expectArchivedRun, HOSTILE_GOAL, orchestration } from '../support/orchestrator.ts';
import { BUNDLE, exitOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const BINARIES = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

test('Claude orchestrates Claude workers from a plan to its archive', { timeout: 60_000 }, async () => {
  const root = temporaryDirectory();
  place(join(root, 'notes.txt'), 'The word is xylophone.\n');
  const server = await startModelServer(
    orchestration(root, CLAUDE, { worker: 'claude', workerDialect: CLAUDE, goal: HOSTILE_GOAL }),
  );
  onTestFinished(() => server.close());
  const home = join(temporaryDirectory(), 'home');
  mkdirSync(home);
  const config = join(home, 'mcp.json');
  const mcpServers = { rlm: { command: process.execPath, args: [BUNDLE, 'mcp', '--root', root] } };
  place(config, JSON.stringify({ mcpServers }));
  const child = spawn(
    join(BINARIES, 'claude'),
    [
      '-p',
      '--output-format',
      'json',
      '--strict-mcp-config',
      `--mcp-config=${config}`,
      '--allowedTools=mcp__rlm',
    ],
    {
      cwd: root,
      env: {
        HOME: home,
        PATH: BINARIES + delimiter + (process.env.PATH ?? ''),
        ANTHROPIC_BASE_URL: server.url,
        ANTHROPIC_API_KEY: 'sk-test',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        ENABLE_TOOL_SEARCH: 'false',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  child.stdin.end('Find the word.');
  const { code, stdout, stderr } = await exitOf(child);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('the run is archived');
  expectArchivedRun(root, server.calls);
  // A shell of Claude Code is not confined: a task that owns no path has none.
  const toolsOf = (task: string) =>
    server.calls
      .filter(({ prompt, body }) => prompt.includes(`"worker_id": "${task}"`) && !asksForPlan(body))
      .map(({ body }) => JSON.stringify(body.tools));
  for (const task of ['map-0001', 'verify-0001']) {
    expect(toolsOf(task).length, task).toBeGreaterThan(1);
    for (const tools of toolsOf(task)) expect(tools).toMatch(/"Skill".*"Write"|"Write".*"Skill"/);
    for (const tools of toolsOf(task)) expect(tools).not.toMatch(/"(?:Bash|WebFetch)"/);
  }
  expect(toolsOf('map-0002').at(0)).toContain('"Bash"');
});

function asksForPlan(body: Record<string, unknown>): boolean {
  return JSON.stringify(body.tools ?? []).includes('rlm_plan');
}
