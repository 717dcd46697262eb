/*
 * How long a task waits once its dependency has ended: chains of tasks carried out by a trivial program that notes
 * when it begins and when it is about to end. The same program in the same chains under `make` and under a shell
 * loop, which know of no journal, no report and no check, is the peer. Rounds alternate.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { median, report, times } from './report.ts';

const RLM = resolve('dist/rlm.js');
const LENGTH = 20;
const ROUNDS = 3;
const base = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
const program = join(base, 'worker.sh');
const clock = join(base, 'times');

/** Reads a task's prompt, writes its report, and notes its own beginning and end in microseconds. */
const PROGRAM = `#!/bin/bash
began=$EPOCHREALTIME
prompt=$(</dev/stdin)
[[ $prompt =~ \\"worker_id\\":\\ \\"([^\\"]+)\\" ]] && id=\${BASH_REMATCH[1]}
[[ $prompt =~ \\"report_path\\":\\ \\"([^\\"]+)\\" ]] && printf '# %s\\n\\n## Contract Compliance\\nread\\n' "$id" > "\${BASH_REMATCH[1]}"
printf '%s %s %s\\n' "$id" "$began" "$EPOCHREALTIME" >> ${clock}
`;

const Result = z.record(z.string(), z.unknown());
const id = (n: number) => `map-${String(n).padStart(4, '0')}`;

async function main(): Promise<void> {
  writeFileSync(program, PROGRAM, { mode: 0o755 });
  const ways: [string, () => Promise<void> | void][] = [
    ['a shell: one after the other', shell],
    ['`make -j4`', make],
    ['rlm, one `rlm_run_ready` with auto_refill', () => overMcp({ auto_refill: true })],
    ['rlm, `rlm_wait` and `rlm_run_ready` for each', () => overMcp({})],
  ];
  const gaps = new Map<string, number[]>(ways.map(([way]) => [way, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [way, run] of ways) {
      rmSync(clock, { force: true });
      await run();
      gaps.get(way)?.push(...waits());
    }
  }
  const peer = median(gaps.get('`make -j4`') ?? []);
  report({
    title: 'From a finished dependency to its dependant (bench/launch.ts)',
    columns: ['way', 'median, ms', 'p95, ms', 'most, ms', 'median ÷ make'],
    rows: ways.map(([way]) => {
      const taken = (gaps.get(way) ?? []).sort((a, b) => a - b);
      const at = (part: number) =>
        (taken[Math.min(taken.length - 1, Math.floor(taken.length * part))] ?? 0).toFixed(1);
      return [way, at(0.5), at(0.95), at(1), times(median(taken) / peer)];
    }),
    notes: [
      `${ROUNDS} rounds of a chain of ${LENGTH} tasks. From the last act of the program to the first of the next one, so the end and the start of a process are in each.`,
    ],
  });
}

/** From the end of each task of the chain to the beginning of the next, milliseconds. */
function waits(): number[] {
  const lines = readFileSync(clock, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  if (lines.length !== LENGTH) throw new Error(`${lines.length} tasks ran instead of ${LENGTH}`);
  return lines.slice(1).map((line, n) => (Number(line[1]) - Number(lines[n]?.[2])) * 1000);
}

function prompts(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (let n = 0; n < LENGTH; n += 1) {
    const path = join(directory, id(n));
    writeFileSync(`${path}.txt`, JSON.stringify({ worker_id: id(n), report_path: `${path}.md` }, null, 2));
  }
}

function shell(): void {
  const directory = join(base, 'shell');
  prompts(directory);
  execFileSync('bash', ['-c', `for prompt in ${directory}/*.txt; do ${program} < $prompt; done`]);
  rmSync(directory, { recursive: true });
}

function make(): void {
  const directory = join(base, 'make');
  prompts(directory);
  const rules = Array.from(
    { length: LENGTH },
    (_, n) => `${id(n)}.md: ${n === 0 ? '' : `${id(n - 1)}.md`}\n\t${program} < ${id(n)}.txt\n`,
  );
  writeFileSync(join(directory, 'Makefile'), rules.join(''));
  execFileSync('make', ['-s', '-j4', `${id(LENGTH - 1)}.md`], { cwd: directory });
  rmSync(directory, { recursive: true });
}

/** As an agent does it whose model needs no time at all. */
async function overMcp(how: { auto_refill?: boolean }): Promise<void> {
  const root = mkdtempSync(join(base, 'root-'));
  mkdirSync(join(root, '.rlm'));
  writeFileSync(join(root, '.rlm/config.json'), JSON.stringify({ commands: { tasks: [program] } }));
  const client = new Client({ name: 'rlm-bench', version: '1' });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [RLM, 'mcp', '--root', root] }),
  );
  const call = async (name: string, args: Record<string, unknown>) => {
    const { isError, structuredContent, content } = await client.callTool({ name, arguments: args });
    if (isError) throw new Error(JSON.stringify(content));
    return Result.parse(structuredContent);
  };
  const run_id = 'chain';
  await call('rlm_plan', {
    run_id,
    goal_summary: 'A chain',
    tasks: Array.from({ length: LENGTH }, (_, n) => ({
      worker_id: id(n),
      goal: 'Write your report.',
      depends_on: n === 0 ? [] : [id(n - 1)],
    })),
  });
  for (;;) {
    const started = await call('rlm_run_ready', { run_id, command: 'tasks', ...how });
    if (started.started_total === 0) break;
    while ((await call('rlm_wait', { run_id })).state === 'working');
  }
  await client.close();
  rmSync(root, { recursive: true });
}

try {
  await main();
} finally {
  rmSync(base, { recursive: true, force: true });
}
