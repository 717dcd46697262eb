/*
 * Seconds for the inventory of 5,000 reports, and bytes of its result, against the floor of reading the same
 * files and against `grep -L` over them, which answers only one of its questions.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  collectDeferred,
  createPlan,
  readyTasks,
  summarizeDeferred,
  summarizeInventory,
  takeInventory,
} from '../src/mapreduce/index.ts';
import { median, report, times } from './report.ts';

const REPORTS = 5000;
const ROUNDS = 9;

const reportOf = (n: number) => `# map-${n}: part ${n}

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
      writeFileSync(join(root, task.report_path), reportOf(n));
      bytes += reportOf(n).length;
    }
    const paths = plan.tasks.map((task) => join(root, task.report_path));
    // Rounds alternate: what else the machine does then slows all of them alike.
    const { state } = takeInventory(root, run);
    const ways: [string, () => unknown][] = [
      [
        'read the 5,000 files',
        () => {
          for (const path of paths) readFileSync(path);
        },
      ],
      [
        '`grep -rL "Contract Compliance"`',
        () => {
          const cwd = join(run.dir, 'artifacts/reports');
          execFileSync('sh', ['-c', 'grep -rL "Contract Compliance" . || true'], { cwd });
        },
      ],
      ['inventory, reduce_state.json written', () => takeInventory(root, run)],
      ['ready tasks, from an inventory', () => readyTasks(plan, state, { stage: 'map' })],
      ['deferred items, deferred.json written', () => collectDeferred(root, run)],
    ];
    const taken = ways.map((): { wall: number[]; cpu: number[] } => ({ wall: [], cpu: [] }));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [at, [, work]] of ways.entries()) {
        const cpu = process.cpuUsage();
        const start = performance.now();
        await work();
        taken[at]?.wall.push((performance.now() - start) / 1000);
        const { user, system } = process.cpuUsage(cpu);
        taken[at]?.cpu.push((user + system) / 1e6);
      }
    }
    const floor = median(taken[0]?.wall ?? []);
    const inventory = JSON.stringify(summarizeInventory(root, run, state));
    const deferred = JSON.stringify(summarizeDeferred(root, run, await collectDeferred(root, run)));
    report({
      title: 'Inventory of 5,000 reports (bench/inventory.ts)',
      columns: ['what', 's', '÷ reading', 'CPU s', 'target'],
      rows: ways.map(([what], at) => {
        const wall = median(taken[at]?.wall ?? []);
        const cpu = what.startsWith('`') ? '' : median(taken[at]?.cpu ?? []).toFixed(3);
        return [what, wall.toFixed(3), times(wall / floor), cpu, what.startsWith('inventory') ? '0.3 s' : ''];
      }),
      notes: [
        `${(bytes / 1e6).toFixed(1)} MB in ${REPORTS} files; medians of ${ROUNDS} alternating rounds. The result of the inventory has ${inventory.length} bytes, that of the deferred items ${deferred.length}; 8,192 are allowed.`,
      ],
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

void main();
