import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockDriver } from '../../src/runs/index.ts';
import { BUNDLE, exitOf, rlm } from '../support/rlm.ts';
import { finishedBatch, jobId, place, temporaryDirectory, writeActivity } from '../support/runs.ts';

/** Runs a printed line as a person's shell would. */
function paste(line: string, cwd: string) {
  const script = `rlm() { "${process.execPath}" "${BUNDLE}" "$@"; }\n${line}\n`;
  return exitOf(spawn('/bin/sh', ['-c', script], { cwd }));
}

/** The commands that an output prints, each on a line of its own. */
function printedCommands(output: string): string[] {
  return output.split('\n').flatMap((line) => /^ +(rlm .*)$/.exec(line)?.[1] ?? []);
}

test('a printed next step can be pasted, whatever the root is called and wherever the run is', async () => {
  const root = join(temporaryDirectory(), `it's "here" $HOME`);
  mkdirSync(root);
  const run = finishedBatch(root, { jobs: 3, failed: [jobId(2)] });
  const elsewhere = temporaryDirectory();
  for (const args of [
    ['status', run.id, '--root', root],
    ['status', '--run-dir', run.dir],
  ]) {
    const { stdout } = await rlm(args, { cwd: elsewhere });
    const reads = printedCommands(stdout).filter((line) => line.startsWith('rlm read'));
    expect(reads, stdout).not.toEqual([]);
    for (const line of reads) {
      const { code, stderr } = await paste(line, elsewhere);
      expect(stderr, line).toBe('');
      expect(code, line).toBe(0);
    }
  }
});

test('a hint prints the command that helps, with its arguments quoted', async () => {
  const cwd = temporaryDirectory();
  const { stderr } = await rlm(['ask', 'Why?'], { cwd });
  expect(stderr).toContain('error: --input is required');
  expect(printedCommands(stderr)).toEqual([
    "rlm ask --question 'What is the default time limit?' --input docs",
  ]);
  place(join(cwd, 'docs/a.md'), 'The default time limit is 600 s.\n');
  const [line = ''] = printedCommands(stderr);
  const pasted = await paste(`${line} --worker extractive`, cwd);
  expect(pasted.stdout).toContain('600 s');
  expect(pasted.code).toBe(0);
});

test('words of the user that look like flags or tools stay as they were written', async () => {
  const cwd = temporaryDirectory();
  const input = 'docs --worker-cwd rlm_wait {"run_id": "x"}';
  const args = ['ask', 'Why?', '--input', input];
  const text = await rlm(args, { cwd });
  expect(text.stderr).toContain(`input '${input}' does not exist`);
  const { error } = JSON.parse((await rlm([...args, '--json'], { cwd })).stdout);
  expect(error).toMatchObject({
    code: 'usage',
    message: expect.stringContaining(`'${input}'`),
    hint: { text: expect.any(String) },
    retryable: false,
  });
});

test('--json shows next steps and hints as objects, with the call in them', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 2 });
  const { run: report } = JSON.parse((await rlm(['status', run.id, '--json'], { cwd: root })).stdout);
  expect(report.next.length).toBeGreaterThan(0);
  expect(report.next.length).toBeLessThanOrEqual(3);
  for (const step of report.next)
    expect(step).toEqual({
      tool: expect.stringMatching(/^rlm_/),
      args: expect.any(Object),
      why: expect.any(String),
    });
  lockDriver(run.dir, 'test');
  writeActivity(run, { state: 'working', heartbeat_at: new Date().toISOString() });
  const refused = JSON.parse((await rlm(['resume', run.id, '--json', '--detach'], { cwd: root })).stdout);
  expect(refused.error).toMatchObject({
    code: 'conflict',
    hint: { action: { tool: 'rlm_wait', args: { run_id: run.id } } },
    retryable: true,
  });
});
