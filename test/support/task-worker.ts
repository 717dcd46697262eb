import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * A worker of tasks that needs no model: a program that reads the prompt on stdin, finds the envelope and writes
 * the report. What the goal says in `MODE=` it does instead.
 */
const PROGRAM = `
import { appendFileSync, existsSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
const prompt = readFileSync(0, 'utf8');
const task = JSON.parse(prompt.slice(prompt.indexOf('\\n{'), prompt.indexOf('\\n}\\n') + 2));
const again = prompt.includes('was not accepted');
appendFileSync('spawned.log', task.worker_id + '\\n');
const mode = /MODE=(\\w+)/.exec(task.goal)?.[1];
const pause = /PAUSE=(\\d+)/.exec(task.goal)?.[1];
if (pause) await sleep(Number(pause));
if (mode === 'hang') await sleep(600_000);
if (mode === 'once' && !task.worker_id.includes('-r')) await sleep(600_000);
if (mode === 'gate') while (!existsSync('open')) await sleep(20);
if (mode === 'die') process.kill(process.pid, 'SIGKILL');
if (mode === 'exit') process.exit(7);
if (mode === 'print') {
  console.log('# Printed\\n\\n## Contract Compliance\\nContract read: yes.');
  process.exit(0);
}
const bare = mode === 'bare' || (mode === 'late' && !again);
const text = bare ? '# ' + task.worker_id + ': ACCEPT' : mode === 'empty' ? '' : '# ' + task.worker_id + '\\n\\n## Contract Compliance\\nContract read: yes.\\n\\n'
  + (task.mode === 'verify' ? 'Verdict: confirmed\\n\\n' : '')
  + '## Findings\\nSECRET-REPORT-TEXT\\n\\n## Deferred opportunities\\n- What: tidy ' + task.worker_id
  + '. Why deferred: scope. How to validate: npm test.\\n';
writeFileSync(task.report_path + '.tmp', text);
renameSync(task.report_path + '.tmp', task.report_path);
if (mode === 'stale') utimesSync(task.report_path, new Date('2020-01-01'), new Date('2020-01-01'));
`;

/** Puts the program into a root and says how it is called: the `command` of a stage. */
export function taskWorker(root: string): string[] {
  const path = join(root, 'task-worker.mjs');
  writeFileSync(path, PROGRAM);
  return [process.execPath, path];
}

/** The ids of all tasks that were really started, in order, as the workers themselves say. */
export function spawnedTasks(root: string): string[] {
  try {
    return readFileSync(join(root, 'spawned.log'), 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
