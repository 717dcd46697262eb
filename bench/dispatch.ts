/*
 * Dispatch overhead: jobs of a trivial program and of a 50 ms program at 8 parallel, with journal, validation
 * and atomic results, against `xargs -P8` and GNU parallel running the same program. Rounds alternate.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeJobs } from './jobs-file.ts';
import { median, report, seconds, times } from './report.ts';

const RLM = resolve('dist/rlm.js');
const ROUNDS = Number(process.argv.find((argument) => argument.startsWith('--rounds='))?.slice(9) ?? 3);
const base = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
const ANSWER = '{"chunk_id":"c-1","relevant":true,"summary":"ok","confidence":0.5,"evidence":[]}';

try {
  writeFileSync(join(base, 'chunk.txt'), 'A line of text in a chunk.\n'.repeat(100));
  writeFileSync(join(base, 'schema.json'), '{}');
  writeFileSync(join(base, 'answer.json'), ANSWER);
  // A program of 50 ms that prints the answer, without a shell's own start in the way.
  const slow = join(base, 'slow.sh');
  writeFileSync(slow, `#!/bin/sh\nsleep 0.05\ncat ${join(base, 'answer.json')}\n`, { mode: 0o755 });
  const rows = [
    ...compare('2,000 jobs of `cat`', 2000, ['/bin/cat', join(base, 'answer.json')]),
    ...compare('500 jobs of a 50 ms program', 500, [slow]),
  ];
  report({
    title: 'Dispatch overhead (bench/dispatch.ts)',
    columns: ['jobs, 8 parallel', 'way', 'seconds (median)', 'ms a job', 'rlm ÷ this', 'its engine ÷ this'],
    rows,
    notes: [
      `${ROUNDS} rounds, alternating. \`rlm batch\` is timed from its start to its exit, the start of two Node processes included; its engine from the first launch to the last result, as its journal says.`,
    ],
  });
} finally {
  rmSync(base, { recursive: true, force: true });
}

function compare(name: string, count: number, command: string[]): Array<Array<string | number>> {
  const jobs = join(base, `jobs-${count}.jsonl`);
  writeJobs(jobs, count, 'What does the line say?');
  const numbers = Array.from({ length: count }, (_, index) => `${index}\n`).join('');
  const hasParallel = spawnSync('parallel', ['--version']).status === 0;
  const engine: number[] = [];
  const ways: Array<[string, () => number]> = [
    ['rlm batch', () => batch(jobs, command, engine)],
    ['xargs -P8', () => seconds('xargs', ['-P8', '-I{}', ...command], { cwd: base, input: numbers })],
  ];
  if (hasParallel) {
    // -N0 takes a line and appends nothing to the command.
    ways.push([
      'GNU parallel -j8',
      () => seconds('parallel', ['-j8', '-N0', ...command], { cwd: base, input: numbers }),
    ]);
  } else console.error('GNU parallel is not installed (apt-get install parallel): left out');
  const taken = new Map<string, number[]>(ways.map(([way]) => [way, []]));
  for (let round = 0; round < ROUNDS; round += 1) for (const [way, run] of ways) taken.get(way)?.push(run());
  const own = median(taken.get('rlm batch') ?? []);
  const row = (way: string, middle: number, ...ratios: string[]) => [
    name,
    way,
    middle.toFixed(2),
    ((middle / count) * 1000).toFixed(2),
    ...ratios,
  ];
  return [
    row('rlm batch', own, '', ''),
    row('its engine', median(engine), '', ''),
    ...ways.slice(1).map(([way]) => {
      const middle = median(taken.get(way) ?? []);
      return row(way, middle, times(own / middle), times(median(engine) / middle));
    }),
  ];
}

/** @param engine where the seconds from the first launch to the last result go */
function batch(jobs: string, command: string[], engine: number[]): number {
  // Runs stay until the end: on ext4, creating files next to ones that were just removed is slow.
  const run = join(mkdtempSync(join(base, 'round-')), 'run');
  mkdirSync(run);
  const args = command.flatMap((part) => ['--command', part]);
  const taken = seconds(
    process.execPath,
    [RLM, 'batch', '--jobs', jobs, '--run-dir', run, '--parallel', '8', '--worker-cwd', base, ...args],
    { cwd: base },
  );
  const lines = readFileSync(join(run, 'events.jsonl'), 'utf8').split('\n');
  const timeOf = (line: string | undefined) => Date.parse(/"ts":"([^"]+)"/.exec(line ?? '')?.[1] ?? '');
  const first = timeOf(lines.find((line) => line.includes('"type":"attempt_started"')));
  engine.push((timeOf(lines.findLast((line) => line.includes('"type":"result"'))) - first) / 1000);
  return taken;
}
