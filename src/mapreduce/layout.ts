import { join, relative, sep } from 'node:path';
import { RUN_FILES } from '../contracts/index.ts';

/** A path as records and prompts give it: relative to the root, with forward slashes. */
export function fromRoot(root: string, path: string): string {
  const shown = relative(root, path);
  return sep === '/' ? shown : shown.replaceAll(sep, '/');
}

/** Where the report of a task lies unless the plan says otherwise, relative to the root. */
export function defaultReportPath(root: string, runDir: string, workerId: string): string {
  return fromRoot(root, join(runDir, RUN_FILES.reports, `${workerId}.md`));
}
