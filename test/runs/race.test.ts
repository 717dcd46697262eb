import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { archiveRun, createRun, listArchiveIds } from '../../src/runs/index.ts';
import { temporaryDirectory } from '../support/runs.ts';
import { bundleEntry, startRacer } from './processes.ts';

const PROCESSES = 50;
/** 50 processes starting on a busy machine take their time. */
const LIMIT_MS = 300_000;
const Answer = z.union([z.object({ ok: z.unknown() }), z.object({ error: z.string() })]);
const Cleanup = z.object({ deleted: z.array(z.string()), skipped: z.string().nullable() });

/** Starts them all, lets them go at once when each is ready, and returns their answers; all live until the end. */
async function race(what: string, root: string, runId = ''): Promise<z.infer<typeof Answer>[]> {
  const entry = bundleEntry(root);
  const racers = await Promise.all(
    Array.from({ length: PROCESSES }, () => startRacer(entry, [what, root, runId])),
  );
  try {
    for (const racer of racers) racer.go();
    const answers = await Promise.all(racers.map((racer) => racer.line()));
    return answers.map((answer) => Answer.parse(JSON.parse(answer ?? 'null')));
  } finally {
    await Promise.all(racers.map((racer) => racer.end()));
  }
}

const winners = (answers: z.infer<typeof Answer>[]) => answers.flatMap((a) => ('ok' in a ? [a.ok] : []));
const errors = (answers: z.infer<typeof Answer>[]) => answers.flatMap((a) => ('error' in a ? [a.error] : []));

it(
  '50 processes race for one lock: one wins, the others name it',
  async () => {
    const root = temporaryDirectory();
    createRun(root, { kind: 'plan', title: 't', runId: 'run-1' });
    const answers = await race('lock', root, 'run-1');
    const [pid] = winners(answers);
    expect(winners(answers)).toHaveLength(1);
    expect(errors(answers)).toHaveLength(PROCESSES - 1);
    for (const error of errors(answers)) expect(error).toContain(`held by pid ${String(pid)} on `);
  },
  LIMIT_MS,
);

it(
  '50 processes archive one run: one does, the others name it or the archive',
  async () => {
    const root = temporaryDirectory();
    const run = createRun(root, { kind: 'batch', title: 't', runId: 'run-1' });
    for (let n = 0; n < 200; n += 1) writeFileSync(join(run.dir, `file-${n}`), 'x'.repeat(50_000));
    const answers = await race('archive', root, 'run-1');
    expect(winners(answers)).toEqual(listArchiveIds(root));
    expect(winners(answers)).toHaveLength(1);
    for (const error of errors(answers))
      expect(error).toMatch(/held by pid \d+ on |archived already, as run-1-/);
  },
  LIMIT_MS,
);

it(
  '50 processes clean one root: every archive is deleted once, and those who came too late name who was at it',
  async () => {
    const root = temporaryDirectory();
    const ids: string[] = [];
    for (let n = 0; n < 40; n += 1) {
      createRun(root, { kind: 'batch', title: 't', runId: `run-${n}` });
      ids.push((await archiveRun(root, `run-${n}`, { terminationReason: 'done', ttlDays: 14 })).archive_id);
    }
    const answers = await race('clean', root);
    const results = winners(answers).map((answer) => Cleanup.parse(answer));
    expect(errors(answers)).toEqual([]);
    expect(results.flatMap((result) => result.deleted).sort()).toEqual([...ids].sort());
    expect(listArchiveIds(root)).toEqual([]);
    const log = readFileSync(join(root, '.rlm/cleanup.log'), 'utf8').trim().split('\n');
    expect(log).toHaveLength(ids.length);
    for (const { deleted, skipped } of results) {
      if (skipped !== null) expect(skipped).toMatch(/held by pid \d+ on /);
      // One had it all: whoever got the lock afterwards found nothing.
      expect([0, ids.length]).toContain(deleted.length);
    }
  },
  LIMIT_MS,
);
