import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ANSWER_LINE, BatchFixture, RLM } from '../support/batch-run.ts';

/** A batch of 40 jobs on a disk with so many kB left; then on the same disk with room: resumed if it can be, else begun. */
const SCRIPT = String.raw`
set -e
disk=$(mktemp -d); trap 'umount "$disk"; rmdir "$disk"' EXIT
mount -t tmpfs -o size=20m tmpfs "$disk"
cp -r . "$disk"; cd "$disk"
used=$(du -sk . | cut -f1)
mount -o remount,size=$((used + $1))k "$disk"
batch() { "$2" "$3" batch --jobs jobs.jsonl --run-id full --parallel 4 --command ./worker.sh --command '{chunk_id}'; }
batch "$@" > /dev/null 2> /dev/shm/rlm-full-$$ && first=0 || first=$?
message=$(head -c 300 /dev/shm/rlm-full-$$ | tr '"\n' "' "); rm /dev/shm/rlm-full-$$
mount -o remount,size=40m "$disk"
if test -e .rlm/runs/full/activity.json; then "$2" "$3" resume --run full > /dev/null 2>&1 && second=0 || second=$?
else batch "$@" > /dev/null 2>&1 && second=0 || second=$?; fi
accepted=$("$2" -e '
  // A line that was torn when the disk was full says nothing.
  const lines = require("node:fs").readFileSync(".rlm/runs/full/events.jsonl", "utf8").split("\n");
  const whole = lines.flatMap((line) => { try { return [JSON.parse(line)]; } catch { return []; } });
  const ids = whole.filter(({ result }) => result?.status === "accepted").map(({ result }) => result.id);
  console.log(ids.length);')
files=$(ls .rlm/runs/full/subresults | wc -l)
leftovers=$(find .rlm -name '.tmp-*' | wc -l)
printf '{"first":%s,"message":"%s","second":%s,"accepted":%s,"files":%s,"leftovers":%s}' $first "$message" $second $accepted $files $leftovers
`;
const Outcome = z.object({
  first: z.int(),
  message: z.string(),
  second: z.int(),
  accepted: z.int(),
  files: z.int(),
  leftovers: z.int(),
});

const IDS = Array.from({ length: 40 }, (_, index) => `j-${index}`);

// A disk of one's own is a mount in a namespace of one's own, which a container may forbid.
const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
if (!canMount) console.warn('skipped: no disk can be mounted here (unshare -rm)');

test.runIf(canMount || process.env.CI !== undefined).each([0, 4, 12, 20, 64, 256, 512])(
  'a batch on a disk with %s kB left ends with an error, and goes on once there is room: nothing lost, nothing twice',
  (kilobytes) => {
    const fixture = new BatchFixture(IDS);
    fixture.script('worker.sh', ANSWER_LINE);
    const args = ['-rm', 'bash', '-c', SCRIPT, 'bash', String(kilobytes), process.execPath, RLM];
    const shell = spawnSync('unshare', args, { cwd: fixture.root, encoding: 'utf8' });
    const outcome = Outcome.parse(JSON.parse(shell.stdout || `"${shell.stderr}"`));
    expect(outcome.first).not.toBe(0);
    expect(outcome.message).toContain('ENOSPC');
    expect(outcome).toMatchObject({ second: 0, accepted: 40, files: 40, leftovers: 0 });
  },
  60_000,
);
