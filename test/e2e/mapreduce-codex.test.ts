import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CODEX_CLIENT } from '../support/clients.ts';
import { startModelServer } from '../support/model-server.ts';
import { CODEX, expectArchivedRun, HOSTILE_GOAL, orchestration } from '../support/orchestrator.ts';
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
  const { code, stdout, stderr } = await CODEX_CLIENT.run(root, server.url, 'Find the word.');
  expect(code, stdout + stderr).toBe(0);
  expect(stdout.slice(-4000)).toContain('the run is archived');
  expect(server.strays).toEqual([]);
  expectArchivedRun(root, server.calls);
  const written = (directory: string) =>
    readdirSync(join(root, directory)).filter((name) => /^(stray|owned)-/.test(name));
  // Its report and nothing else, unless it owns something: a directory, or a file, and with it new ones beside it.
  expect(written('src').sort()).toEqual(['owned-map-0002.txt']);
  expect(written('.')).toEqual(['stray-map-0003.txt']);
  expect(written('.rlm')).toEqual([]);
  // Every worker tried to write over the reports of the others, and over what lies beside its own files.
  const reports = join(root, '.rlm', 'runs', 'e2e-run', 'artifacts', 'reports');
  expect(readdirSync(reports).sort()).toEqual([
    'map-0001.md',
    'map-0002.md',
    'map-0003.md',
    'verify-0001.md',
  ]);
  for (const name of readdirSync(reports)) {
    expect(readFileSync(join(reports, name), 'utf8'), name).toContain('## Contract Compliance');
  }
  expect(readFileSync(join(root, 'notes.txt'), 'utf8')).toBe('The word is xylophone.\n');
});
