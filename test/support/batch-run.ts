import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { type BatchSummary, JournalEvent } from '../../src/contracts/index.ts';

/** The built program, as a user runs it. */
export const RLM = fileURLToPath(new URL('../../dist/rlm.js', import.meta.url));

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

/** A directory of its own with a chunk, a schema and jobs, as a user of `rlm batch` has it; gone after the tests. */
export class BatchFixture {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'rlm-batch-')));
  readonly runDir: string;

  /**
   * @param jobs ids; job `x` is about chunk `c-x`, a file of its own
   * @param runDir where the run will lie, from the root
   */
  constructor(jobs: string[], change: (id: string) => Record<string, unknown> = () => ({}), runDir = 'run') {
    roots.push(this.root);
    this.runDir = join(this.root, runDir);
    mkdirSync(join(this.root, 'chunks'));
    this.write('schema.json', '{}');
    const lines = jobs.map((id) => {
      this.write(`chunks/${id}.txt`, `This is the chunk of ${id}.\nThe code word of ${id} is w-${id}.\n`);
      return JSON.stringify({
        job_id: id,
        chunk_id: `c-${id}`,
        chunk_path: `chunks/${id}.txt`,
        question: `What is the code word of ${id}?`,
        output_path: `subresults/${id}.json`,
        schema_path: 'schema.json',
        sandbox: 'read-only',
        ...change(id),
      });
    });
    this.write('jobs.jsonl', `${lines.join('\n')}\n`);
  }

  write(name: string, text: string): string {
    const path = join(this.root, name);
    writeFileSync(path, text);
    return path;
  }

  /** An executable shell script; `$1` is the chunk id when it is given as `{chunk_id}`. */
  script(name: string, body: string): string {
    const path = this.write(name, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  events(): JournalEvent[] {
    const path = join(this.runDir, 'events.jsonl');
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line) => {
        try {
          return [JournalEvent.parse(JSON.parse(line))];
        } catch {
          return [];
        }
      });
  }

  summary(): BatchSummary {
    return JSON.parse(readFileSync(join(this.runDir, 'summary.json'), 'utf8'));
  }

  /** Pids of processes that carry this run's mark: workers that outlived what they should not. */
  workers(): number[] {
    const mark = `RLM_WORKER_OF=${this.runDir}`;
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => {
        if (!Number.isInteger(pid)) return false;
        try {
          return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
        } catch {
          return false;
        }
      });
  }
}

/** A shell line that prints an acceptable answer about `$1`, the chunk id. */
export const ANSWER_LINE = `printf '{"chunk_id":"%s","relevant":true,"summary":"ok","confidence":0.5,"evidence":[]}' "$1"`;
