/*
 * Archiving a run against `cp -a` (which hashes nothing) and against `cp -a` followed by `sha256sum`; then
 * listing and cleaning 10,000 archives against `ls` and `rm -rf` of the same directories. Rounds alternate.
 * Sizes: --megabytes=1000 --archives=10000
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveRun, cleanArchives, createRun, listArchives } from '../src/runs/index.ts';
import { median, report, times } from './report.ts';

const MEGABYTES = option('megabytes', 1000);
const ARCHIVES = option('archives', 10_000);
const ROUNDS = 3;
/** 1 January 2026. */
const OLD_SEC = 1_767_225_600;
const OPTIONS = { terminationReason: 'bench', ttlDays: 14 };

async function main(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
  try {
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
  const taken: Record<'cp' | 'cpSum' | 'archive', number[]> = { cp: [], cpSum: [], archive: [] };
  let notes: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const copy = join(root, `copy-${round}`);
    const started = performance.now();
    execFileSync('cp', ['-a', source, copy]);
    const copied = performance.now();
    execFileSync('sh', ['-c', `find . -type f -print0 | xargs -0 sha256sum > ../sums-${round}`], {
      cwd: copy,
    });
    taken.cp.push(copied - started);
    taken.cpSum.push(performance.now() - started);
    execFileSync('rm', ['-rf', copy]);

    const run = createRun(root, { kind: 'batch', title: 'bench', runId: `bench-${round}` });
    execFileSync('cp', ['-a', `${source}/.`, run.dir]);
    execFileSync('sync');
    const begun = performance.now();
    const result = await archiveRun(root, run.id, OPTIONS);
    taken.archive.push(performance.now() - begun);
    notes = [`${result.files} files, ${(result.size_bytes / 1e6).toFixed(0)} MB; medians of ${ROUNDS}.`];
    execFileSync('rm', ['-rf', result.path]);
  }
  const cp = median(taken.cp);
  const row = (name: string, ms: number) => [name, (ms / 1000).toFixed(2), times(ms / cp)];
  report({
    title: 'Archive of a run (bench/archive.ts)',
    columns: ['way', 's', '÷ cp -a'],
    rows: [
      row('`cp -a`', cp),
      row('`cp -a`, then `sha256sum`', median(taken.cpSum)),
      row('archive: snapshot, sha256, meta.json, trim', median(taken.archive)),
    ],
    notes,
  });
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
    }
  };
  fill(archives);
  const peer = join(root, 'peer');
  mkdirSync(peer);
  const ms = {
    ls: await time(() => execFileSync('ls', [archives], { maxBuffer: 1 << 28 })),
    page: await time(() => listArchives(root, { limit: 50 })),
    all: await time(() => listArchives(root, { limit: ARCHIVES })),
    dry: await time(() => cleanArchives(root)),
  };
  execFileSync('cp', ['-a', `${archives}/.`, peer]);
  execFileSync('sync');
  // In pieces that alternate, because the disk is shared with whatever else the machine does.
  let deleted = 0;
  let cleaned = 0;
  let removed = 0;
  for (let piece = 0; piece < PIECES; piece += 1) {
    for (const name of readdirSync(archives)) utimesSync(join(archives, name, 'run'), ...ageOf(name, piece));
    cleaned += await time(async () => {
      deleted += (await cleanArchives(root, { dryRun: false })).deleted.length;
    });
    const names = readdirSync(peer).filter((name) => pieceOf(name) === piece);
    removed += await time(() => execFileSync('xargs', ['rm', '-rf'], { cwd: peer, input: names.join('\n') }));
  }
  const row = (name: string, taken: number, floor: string, peerMs: number) => [
    name,
    (taken / 1000).toFixed(3),
    `${floor}: ${(peerMs / 1000).toFixed(3)}`,
    times(taken / peerMs),
  ];
  report({
    title: `${ARCHIVES} archives (bench/archive.ts)`,
    columns: ['what', 's', 'peer, s', '÷ peer'],
    rows: [
      row('first page of 50', ms.page, '`ls`', ms.ls),
      row('all in one page', ms.all, '`ls`', ms.ls),
      row('cleanup, dry run', ms.dry, '`ls`', ms.ls),
      row(`cleanup, ${deleted} deleted`, cleaned, '`rm -rf` of as many', removed),
    ],
    notes: [
      `Of ${ARCHIVES} archives half were old; they were deleted in ${PIECES} pieces, in turn with the peer.`,
    ],
  });
}

const PIECES = 4;
/** Every second archive is to be deleted, in one of the pieces; -1 for the others. */
function pieceOf(name: string): number {
  const n = Number(/^run-(\d+)-/.exec(name)?.[1] ?? 1);
  return n % 2 === 0 ? (n / 2) % PIECES : -1;
}

/** The times of an archive's directory: old once its piece is due. */
function ageOf(name: string, piece: number): [number, number] {
  const sec = pieceOf(name) === piece ? OLD_SEC : Date.now() / 1000;
  return [sec, sec];
}

async function time(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function option(name: string, otherwise: number): number {
  const given = process.argv.find((argument) => argument.startsWith(`--${name}=`));
  return given === undefined ? otherwise : Number(given.slice(name.length + 3));
}

void main();
