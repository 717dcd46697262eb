import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RUN_FILES } from '../contracts/index.ts';
import { isInside } from '../files/index.ts';
import type { RunHandle } from './run.ts';
import type { Tree } from './snapshot.ts';

/** Files whose strings may name evidence inside the run. */
const FINALS = [RUN_FILES.final, RUN_FILES.answer];

/**
 * Files of the run that its finals name, as `path`, `path:line` or `path:first-last` from the root or from the
 * run. They stay where they are, so that every evidence path of the finals goes on resolving as it is written,
 * also when the archive has been deleted one day.
 */
export function evidenceFiles(root: string, run: RunHandle, tree: Tree): string[] {
  const inRun = new Set(tree.files);
  const found = new Set<string>();
  for (const final of FINALS) {
    if (!inRun.has(final)) continue;
    const value: unknown = JSON.parse(readFileSync(join(run.dir, final), 'utf8'));
    for (const text of stringsIn(value)) {
      if (text.length > 4096) continue;
      const path = text.replace(/:\d+(-\d+)?$/, '');
      for (const candidate of [text, path]) {
        for (const base of [resolve(root), run.dir]) {
          const absolute = resolve(base, candidate);
          const inside = isInside(run.dir, absolute) ? absolute.slice(run.dir.length + 1) : '';
          if (inRun.has(inside)) found.add(inside);
        }
      }
    }
  }
  return [...found].sort();
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* stringsIn(part);
}
