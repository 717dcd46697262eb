import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from '../../src/processes/spawn.ts';
import type { WorkRequest } from '../../src/workers/worker.ts';

/** A directory of a test's own. */
export function temporaryDirectory(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'rlm-test-')));
}

/** A request with its prompt on disk, as dispatch makes it; `changes` says what matters to the test. */
export function workRequest(directory: string, changes: Partial<WorkRequest> = {}): WorkRequest {
  const id = changes.id ?? 'j-1';
  const attempt = changes.attempt ?? 1;
  const instructions = changes.instructions ?? 'Answer from the material.';
  const input = changes.input ?? 'What is it?';
  for (const name of ['prompts', 'logs']) mkdirSync(join(directory, name), { recursive: true });
  const promptPath = join(directory, 'prompts', `${id}.attempt${attempt}.txt`);
  writeFileSync(promptPath, `${instructions}\n\n${input}`);
  return {
    id,
    attempt,
    instructions,
    input,
    model: 'model-x',
    effort: null,
    sandbox: { mode: 'read-only' },
    tools: false,
    cwd: directory,
    timeoutMs: 20_000,
    idleTimeoutMs: 20_000,
    promptPath,
    logPath: join(directory, 'logs', `${id}.attempt${attempt}.jsonl`),
    marks: { RLM_DEPTH: '1' },
    signal: new AbortController().signal,
    ...changes,
  };
}

/** Resolves once `look` returns something; the wait is for a state, the limit only ends a broken test. */
export async function until<T>(look: () => T | undefined, limitMs = 15_000): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    if (Date.now() > end) throw new Error('the awaited state never came');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A program of bash that runs in a directory of a test's own and prints to `out` and `err` there. */
export function bashProgram(directory: string, body: string): Program {
  return {
    file: 'bash',
    args: ['-c', body],
    cwd: directory,
    env: { PATH: process.env.PATH ?? '' },
    stdoutPath: join(directory, 'out'),
    stderrPath: join(directory, 'err'),
  };
}
