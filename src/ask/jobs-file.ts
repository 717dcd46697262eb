import { appendFileSync, createReadStream, createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type JobPaths, readJobs } from '../batch/index.ts';
import type { History } from '../dispatch/index.ts';
import { FILE_MODE } from '../files/index.ts';
import { RUN_FILES } from '../runs/index.ts';

/** The run's `jobs.jsonl` of an ask: the jobs of its passes, one after the other. */
export class AskJobs {
  readonly #runDir: string;
  readonly #path: string;

  /** Starts anew: the passes are built again, and the same. */
  constructor(runDir: string, _paths: JobPaths) {
    this.#runDir = runDir;
    this.#path = join(runDir, RUN_FILES.jobs);
    rmSync(this.#path, { force: true });
    appendFileSync(this.#path, '', { mode: FILE_MODE });
  }

  /** Name of the jobs file of a pass, in the run directory. */
  file(pass: number): string {
    return `ask/jobs-p${pass}.jsonl`;
  }

  async add(file: string): Promise<void> {
    await pipeline(createReadStream(join(this.#runDir, file)), createWriteStream(this.#path, { flags: 'a' }));
  }

  /** How many jobs of a file were accepted under earlier drivers. */
  static async carried(path: string, paths: JobPaths, history: History): Promise<number> {
    let carried = 0;
    for await (const { record } of readJobs(path, paths))
      if (history.accepted.get(record.job_id)) carried += 1;
    return carried;
  }
}
