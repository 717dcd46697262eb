import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { draftOf, readTaskStates } from '../../src/mapreduce/index.ts';
import { inflightLog, plannedRun, temporaryRoot, writeReport } from './fixture.ts';

/** A run of one task, with the directory that its worker is given. */
function drafting() {
  const root = temporaryRoot();
  const planned = plannedRun(root, { tasks: [{ worker_id: 'a', goal: 'g' }] });
  const [task] = planned.plan.tasks;
  if (task === undefined) throw new Error('no task');
  const left = draftOf(planned.run, task);
  left.prepare();
  return { root, planned, left, draft: left.path, report: join(root, task.report_path) };
}

describe('a draft', () => {
  it('is published as a file of its own, with its time, over what stood there', () => {
    const { root, planned, left, draft, report } = drafting();
    writeReport(root, planned.plan, 'a', 'before');
    writeFileSync(draft, '# so it is');
    utimesSync(draft, 1e9, 1e9);
    // A second name for it, by which it could be changed afterwards.
    linkSync(draft, join(root, 'other-name'));
    left.publish();
    writeFileSync(join(root, 'other-name'), 'changed');
    expect(readFileSync(report, 'utf8')).toBe('# so it is');
    expect(statSync(report).mtimeMs).toBe(1e12);
    expect(existsSync(dirname(draft))).toBe(false);
    left.publish();
    expect(readFileSync(report, 'utf8')).toBe('# so it is');
  });

  it('is where a running worker is looked at; nobody else reads it before it has ended', () => {
    const { planned, draft, report } = drafting();
    inflightLog(planned).started('a', 1, 'log');
    const look = (now: Date) => readTaskStates(planned.run.record.root, planned.run, { now }).state.tasks[0];
    const later = new Date(Date.now() + 1_300_000);
    expect(look(later)).toMatchObject({ state: 'stale', size_bytes: null });
    writeFileSync(draft, 'so far');
    utimesSync(draft, later, later);
    expect(look(later)).toMatchObject({ state: 'inflight', size_bytes: 6, age_sec: 0 });
    expect(existsSync(report)).toBe(false);
  });

  it.each<[string, (at: ReturnType<typeof drafting>) => void, RegExp]>([
    ['a symlink', ({ root, draft }) => symlinkSync(join(root, 'secret'), draft), /symlink/],
    ['a pipe', ({ draft }) => execFileSync('mkfifo', [draft]), /not a file/],
    ['a directory', ({ draft }) => mkdirSync(draft), /not a file/],
    [
      'too large',
      ({ draft }) => {
        writeFileSync(draft, '');
        truncateSync(draft, 17 * 1024 * 1024);
      },
      /17825792 bytes, more than 16777216/,
    ],
    [
      'somewhere else',
      ({ root, draft }) => {
        renameSync(dirname(draft), join(root, 'elsewhere'));
        symlinkSync(join(root, 'elsewhere'), dirname(draft));
        writeFileSync(draft, 'x');
      },
      /leads through a symlink/,
    ],
  ])('that is %s is refused', (_name, make, message) => {
    const at = drafting();
    writeFileSync(join(at.root, 'secret'), 'not for others');
    make(at);
    expect(() => at.left.publish()).toThrow(message);
    expect(lstatSync(at.report, { throwIfNoEntry: false })).toBeUndefined();
  });
});
