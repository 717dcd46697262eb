/*
 * Seconds for the inventory of 5,000 reports, and bytes of its result, against the floor of reading the same
 * files and against `grep -L` over them, which answers only one of its questions.
 * Run: npx esbuild bench/inventory.ts --bundle --platform=node --format=cjs | node
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownIdentity } from '../src/files/index.ts';
import {
  collectDeferred,
  createPlan,
  InflightLog,
  readyTasks,
  summarizeDeferred,
  summarizeInventory,
  takeInventory,
} from '../src/mapreduce/index.ts';

const REPORTS = 5000;
const ROUNDS = 5;

const report = (n: number) => `# map-${n}: part ${n}

## Contract Compliance
Contract read: yes. Constraints applied: scope, invariants. No deviations.

## Findings
${Array.from({ length: 25 }, (_, line) => `- finding ${line} of ${n}, in \`src/part-${n}.ts:${line}-${line + 3}\`, rather sure of it`).join('\n')}

## Deferred opportunities
- What: cache part ${n}. Why deferred: scope. How to validate: p95 below 5 ms.

## Progress
- done
`;

async function main(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
  try {
    const { plan, run } = createPlan(
      root,
      {
        goal_summary: 'bench',
        tasks: Array.from({ length: REPORTS }, (_, n) => ({
          worker_id: `map-${n}`,
          goal: 'g',
          depends_on: n === 0 ? [] : [`map-${Math.floor((n - 1) / 4)}`],
        })),
      },
      { inputRoots: [], runId: 'bench' },
    );
    let bytes = 0;
    for (const [n, task] of plan.tasks.entries()) {
      writeFileSync(join(root, task.report_path), report(n));
      bytes += report(n).length;
    }
    const log = new InflightLog(run, ownIdentity());
    log.started('map-1', 1, 'log');
    const paths = plan.tasks.map((task) => join(root, task.report_path));
    const rows: [string, number][] = [];
    const read = await median(() => {
      for (const path of paths) readFileSync(path);
    });
    rows.push(['read the 5,000 files (floor)', read]);
    rows.push([
      'grep -rL "Contract Compliance"',
      await median(() => {
        execFileSync('sh', ['-c', 'grep -rL "Contract Compliance" . || true'], {
          cwd: join(run.dir, 'artifacts/reports'),
        });
      }),
    ]);
    rows.push(['inventory, reduce_state.json written', await median(() => takeInventory(root, run))]);
    const { state } = takeInventory(root, run);
    rows.push([
      'ready tasks, from an inventory',
      await median(() => readyTasks(plan, state, { stage: 'map' })),
    ]);
    rows.push(['deferred items, deferred.json written', await median(() => collectDeferred(root, run))]);
    const summary = JSON.stringify(summarizeInventory(root, run, state));
    const deferred = JSON.stringify(summarizeDeferred(root, run, await collectDeferred(root, run)));
    console.log(
      `${REPORTS} reports, ${(bytes / 1e6).toFixed(1)} MB; ${cpus().length} cores, node ${process.version}\n`,
    );
    console.log('| what | s (median of 5) | × reading |\n|---|---:|---:|');
    for (const [what, seconds] of rows)
      console.log(`| ${what} | ${seconds.toFixed(3)} | ${(seconds / read).toFixed(2)} |`);
    console.log(
      `\nresult of the inventory: ${summary.length} bytes; of the deferred items: ${deferred.length} bytes`,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function median(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await work();
    times.push((performance.now() - start) / 1000);
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

void main();
