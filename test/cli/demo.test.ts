import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { BatchSummary, WorkerAnswer } from '../../src/contracts/index.ts';
import { rlm } from '../support/rlm.ts';
import { temporaryDirectory } from '../support/runs.ts';

test('the demo answers a real question with quotes that stand in the documents at the lines named', async () => {
  const cwd = temporaryDirectory();
  const { code, stdout, stderr } = await rlm(['demo'], { cwd, env: { PATH: '/nowhere' } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/(\d+)\/\1 done, 0 failed/) });
  expect(stdout).toContain('Question: What does mergePages do');
  const shown = [...stdout.matchAll(/^ {4}(\S+\.md):(\d+)-(\d+)\n {6}“(.+)”$/gm)];
  expect(shown.length).toBeGreaterThanOrEqual(2);
  for (const [, name = '', first, last, quote = ''] of shown) {
    const lines = readFileSync(documentOf(name), 'utf8')
      .split('\n')
      .slice(Number(first) - 1, Number(last));
    expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain(quote.replaceAll(/\s+/g, ' '));
  }
  expect(stdout).toMatch(/“.*text of all pages will be merged into a single string/);
  expect(stdout).toMatch(/[1-9]\d* quotes stand word for word in their documents; 0 do not/);
  expect(stdout).toMatch(/codex mcp add rlm -- node \S+ mcp\n.*claude mcp add rlm -- node \S+ mcp/);
});

test('another question gets answers of its own; what no document says is not answered', async () => {
  const cwd = temporaryDirectory();
  const { code, stdout } = await rlm(['demo', 'Who won the chess olympiad of 1972?'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toContain('0 of ');
  expect(stdout).toContain('0 quotes stand word for word');
  const runDir = /^All of it: (.+)$/m.exec(stdout)?.[1] ?? '';
  const summary = BatchSummary.parse(JSON.parse(readFileSync(join(runDir, 'summary.json'), 'utf8')));
  expect(summary.jobs_succeeded).toBeGreaterThan(20);
  for (const { output_path } of summary.results) {
    const answer = WorkerAnswer.parse(JSON.parse(readFileSync(join(runDir, output_path), 'utf8')));
    expect(answer).toMatchObject({ relevant: false, evidence: [] });
  }
});

/** `unpdf/README.md`, where it is installed. */
function documentOf(name: string): string {
  return fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url));
}
