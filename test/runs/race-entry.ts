import { createInterface } from 'node:readline';
import { messageOf } from '../../src/errors.ts';
import { archiveRun, cleanArchives, holdOrchestratorLock } from '../../src/runs/index.ts';

/*
 * One of many processes that race. It says "ready", waits for a line on stdin, does its part, and prints one
 * line of JSON; it lives on, with what it holds, until stdin ends.
 */
const [what = '', root = '', runId = ''] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin });
process.stdout.write('ready\n');
lines.once('line', async () => {
  try {
    process.stdout.write(`${JSON.stringify({ ok: await part() })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: messageOf(error) })}\n`);
  }
});
lines.once('close', () => process.exit(0));

async function part(): Promise<unknown> {
  if (what === 'lock') return holdOrchestratorLock(root, runId).holder.pid;
  if (what === 'archive')
    return (await archiveRun(root, runId, { terminationReason: 'race', ttlDays: 14 })).archive_id;
  const year = { now: () => new Date(Date.now() + 365 * 86_400_000), uptime: () => null };
  return cleanArchives(root, { dryRun: false, clock: year });
}
