/*
 * Archiving a run against `cp -a` (which hashes nothing) and against `cp -a` followed by `sha256sum`; then
 * listing and cleaning 10,000 archives against `ls` and `find -delete` of the same directories.
 * Run: npx esbuild bench/archive.ts --bundle --platform=node --format=cjs | node - [megabytes] [archives]
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveRun, cleanArchives, createRun, listArchives } from '../src/runs/index.ts';

const MEGABYTES = Number(process.argv[2] ?? 1000);
const ARCHIVES = Number(process.argv[3] ?? 10_000);
const ROUNDS = 3;
/** 1 January 2026. */
const OLD_SEC = 1_767_225_600;
const OPTIONS = { terminationReason: 'bench', ttlDays: 14 };

async function main(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
  try {
    console.log(`${cpus().length} cores, node ${process.version}\n`);
    await archiving(root);
    rmSync(join(root, '.rlm'), { recursive: true, force: true });
    await listing(root);
  } finally {
    execFileSync('rm', ['-rf', root]);
  }
}

/** One run of a few large and many small files, copied in each way in turn; the source is restored in between. */
async function archiving(root: string): Promise<void> {
  const source = join(root, 'source');
  mkdirSync(join(source, 'small'), { recursive: true });
  const block = randomBytes(1_000_000);
  const small = Math.min(2000, MEGABYTES * 2);
  for (let n = 0; n < small; n += 1)
    writeFileSync(join(source, 'small', `${n}.json`), block.subarray(0, 10_000));
  const large = Math.max(1, Math.round((MEGABYTES - small / 100) / 100));
  for (let n = 0; n < large; n += 1) {
    for (let mb = 0; mb < 100; mb += 1) writeFileSync(join(source, `large-${n}`), block, { flag: 'a' });
  }
  const times: Record<'cp' | 'cpSum' | 'archive', number[]> = { cp: [], cpSum: [], archive: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const copy = join(root, `copy-${round}`);
    const started = performance.now();
    execFileSync('cp', ['-a', source, copy]);
    const copied = performance.now();
    execFileSync('sh', ['-c', `find . -type f -print0 | xargs -0 sha256sum > ../sums-${round}`], {
      cwd: copy,
    });
    times.cp.push(copied - started);
    times.cpSum.push(performance.now() - started);
    execFileSync('rm', ['-rf', copy]);

    const run = createRun(root, { kind: 'batch', title: 'bench', runId: `bench-${round}` });
    execFileSync('cp', ['-a', `${source}/.`, run.dir]);
    execFileSync('sync');
    const begun = performance.now();
    const result = await archiveRun(root, run.id, OPTIONS);
    times.archive.push(performance.now() - begun);
    if (round === 0) console.log(`${result.files} files, ${(result.size_bytes / 1e6).toFixed(0)} MB\n`);
    execFileSync('rm', ['-rf', result.path]);
  }
  const cp = median(times.cp);
  console.log(`| copy of one run | s (median of ${ROUNDS}) | × cp -a |\n|---|---:|---:|`);
  for (const [name, key] of [
    ['`cp -a`', 'cp'],
    ['`cp -a`, then `sha256sum`', 'cpSum'],
    ['archive: copy, sha256, meta.json, trim', 'archive'],
  ] as const) {
    console.log(
      `| ${name} | ${(median(times[key]) / 1000).toFixed(2)} | ${(median(times[key]) / cp).toFixed(2)} |`,
    );
  }
  rmSync(source, { recursive: true, force: true });
}

/** Archives made from one real one; half of them old. */
async function listing(root: string): Promise<void> {
  const run = createRun(root, { kind: 'batch', title: 'bench', runId: 'seed' });
  for (let n = 0; n < 5; n += 1) writeFileSync(join(run.dir, `file-${n}`), 'x');
  const seed = await archiveRun(root, 'seed', OPTIONS);
  const meta: Record<string, unknown> = JSON.parse(readFileSync(join(seed.path, 'meta.json'), 'utf8'));
  const archives = join(root, '.rlm/archive');
  const fill = (directory: string) => {
    for (let n = 0; n < ARCHIVES; n += 1) {
      const id = `run-${String(n).padStart(6, '0')}-20260101T000000000Z`;
      const target = join(directory, id);
      cpSync(join(seed.path, 'run'), join(target, 'run'), { recursive: true, preserveTimestamps: true });
      mkdirSync(join(target, 'in_use_by'));
      const end_timestamp = n % 2 === 0 ? '2026-01-01T00:00:00.000Z' : new Date().toISOString();
      writeFileSync(
        join(target, 'meta.json'),
        JSON.stringify({ ...meta, archive_id: id, run_id: `run-${n}x`, uptime: null, end_timestamp }),
      );
      if (n % 2 === 0) utimesSync(join(target, 'run'), OLD_SEC, OLD_SEC);
    }
  };
  fill(archives);
  const peer = join(root, 'peer');
  mkdirSync(peer);
  const rows: [string, number][] = [];
  rows.push(['`ls` of the archives', time(() => execFileSync('ls', [archives], { maxBuffer: 1 << 28 }))]);
  rows.push(['first page of 50', time(() => listArchives(root, { limit: 50 }))]);
  rows.push(['all in one page', time(() => listArchives(root, { limit: ARCHIVES }))]);
  rows.push(['cleanup, dry run', time(() => cleanArchives(root))]);
  execFileSync('cp', ['-a', `${archives}/.`, peer]);
  let deleted = 0;
  rows.push([
    'cleanup, half deleted',
    time(() => {
      deleted = cleanArchives(root, { dryRun: false }).deleted.length;
    }),
  ]);
  rows.push([
    '`rm -rf` of the same half',
    time(() =>
      execFileSync('sh', ['-c', "find . -maxdepth 1 -name '*[02468]-2026*' -print0 | xargs -0 rm -rf"], {
        cwd: peer,
      }),
    ),
  ]);
  console.log(`\n| ${ARCHIVES} archives | s |\n|---|---:|`);
  for (const [name, ms] of rows) console.log(`| ${name} | ${(ms / 1000).toFixed(3)} |`);
  console.log(`\n${deleted} deleted`);
}

function time(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

void main();
