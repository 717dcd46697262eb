import { accessSync, constants, lstatSync, statfsSync } from 'node:fs';
import { stateDirectory } from '../contracts/index.ts';
import { messageOf } from '../errors.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding } from './report.ts';

/** `engines` of package.json. */
const NODE_MINIMUM = [20, 19] as const;
/** A run of ten thousand jobs keeps a few hundred megabytes of prompts and logs. */
const DISK_WARN_BYTES = 2e9;
const DISK_FAIL_BYTES = 1e8;

/** What the machine gives: Node, disk, a place for `.rlm/`. */
export function checkMachine(root: string): Finding[] {
  return [checkNode(process.versions.node), checkState(root), checkDisk(root)];
}

/** @param version such as `20.19.0` */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needMajor, needMinor] = NODE_MINIMUM;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return ok('node', version);
  return fail('node', `${version} is too old`, `Install Node ${needMajor}.${needMinor} or later.`);
}

function checkState(root: string): Finding {
  const check = 'state';
  const directory = stateDirectory(root);
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink())
    return fail(check, `${directory} is a symlink`, 'Put a directory in its place.');
  if (stat !== undefined && !stat.isDirectory()) {
    return fail(check, `${directory} is not a directory`, 'Move it away: all state is kept there.');
  }
  try {
    accessSync(stat === undefined ? root : directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    return fail(
      check,
      `${directory} cannot be written: ${messageOf(error)}`,
      'Fix its mode, or choose another root.',
    );
  }
  return ok(check, stat === undefined ? `${directory} will be made` : `${directory} is writable`);
}

function checkDisk(root: string): Finding {
  const { bavail, bsize } = statfsSync(root);
  const free = bavail * bsize;
  const detail = `${(free / 1e9).toFixed(1)} GB free`;
  const fix = 'Free some, or move the root: rlm cleanup shows which archives may go.';
  if (free < DISK_FAIL_BYTES) return fail('disk', detail, fix);
  return free < DISK_WARN_BYTES ? warn('disk', detail, fix) : ok('disk', detail);
}
