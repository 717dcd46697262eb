import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../files/index.ts';
import { RUN_FILES } from '../runs/index.ts';

/** Name of the jobs file of a pass, relative to the run directory. */
export function passFile(pass: number): string {
  return `ask/jobs-p${pass}.jsonl`;
}

/** Makes the run's `jobs.jsonl` from the jobs of the passes so far, whatever an earlier driver left there. */
export function joinPasses(runDir: string, passes: number): void {
  const files = Array.from({ length: passes }, (_, index) => readFileSync(join(runDir, passFile(index + 1))));
  writeFileAtomic(join(runDir, RUN_FILES.jobs), Buffer.concat(files));
}
