import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { isolatedCodex } from '../support/codex-home.ts';
import { startModelServer } from '../support/model-server.ts';
import { CODEX, expectArchivedRun, HOSTILE_GOAL, orchestration } from '../support/orchestrator.ts';
import { BUNDLE, exitOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

test('Codex orchestrates Codex workers from a plan to its archive', { timeout: 60_000 }, async () => {
  const root = temporaryDirectory();
  place(join(root, 'notes.txt'), 'The word is xylophone.\n');
  mkdirSync(join(root, 'src'));
  const goal = `${HOSTILE_GOAL}\n${'Lines and lines of it. '.repeat(9_000)}`;
  expect(goal.length).toBeGreaterThan(200_000);
  const server = await startModelServer(
    orchestration(root, CODEX, { worker: 'codex', workerDialect: CODEX, goal }),
  );
  onTestFinished(() => server.close());
  const codex = isolatedCodex(temporaryDirectory(), server.url, {
    // A model without code mode, which would want its tool calls written as a program.
    configuration: `model = "gpt-5.1-codex-mini"
[mcp_servers.rlm]
command = ${JSON.stringify(process.execPath)}
args = [${JSON.stringify(BUNDLE)}, "mcp"]
required = true
default_tools_approval_mode = "approve"
`,
  });
  const binary = fileURLToPath(new URL('../../node_modules/.bin/codex', import.meta.url));
  const child = spawn(binary, ['exec', '--json', '--skip-git-repo-check', '-s', 'read-only', '-'], {
    cwd: root,
    env: codex.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end('Find the word.');
  const { code, stdout, stderr } = await exitOf(child);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout.slice(-4000)).toContain('the run is archived');
  expect(server.strays).toEqual([]);
  expectArchivedRun(root, server.calls);
  const written = (directory: string) =>
    readdirSync(join(root, directory)).filter((name) => /^(stray|owned)-/.test(name));
  // Its report and nothing else, unless it owns something: a directory, or a file and with it its directory.
  expect(written('src').sort()).toEqual(['owned-map-0002.txt', 'owned-map-0003.txt']);
  expect(written('.')).toEqual(['stray-map-0003.txt']);
  expect(written('.rlm')).toEqual([]);
});
