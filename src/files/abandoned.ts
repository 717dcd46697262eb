import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from './process-start.ts';

/** Removes what processes that are gone were still writing in a directory (see `temporaryName`). */
export function removeAbandoned(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = Number(/^\.tmp-(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && processStart(pid) === undefined) rmSync(join(directory, name), { force: true });
  }
}
