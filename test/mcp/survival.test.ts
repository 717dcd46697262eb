import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { lockDriver, type RunHandle } from '../../src/runs/index.ts';
import { INITIALIZE, Message, RawClient } from '../support/raw-client.ts';
import { exitOf, startRlm } from '../support/rlm.ts';
import { finishedBatch, temporaryDirectory, writeActivity } from '../support/runs.ts';

/** A run that looks as if a driver, this process, were at work on it. */
function workingRun(root: string): RunHandle {
  const run = finishedBatch(root, { jobs: 2 });
  lockDriver(run.dir, 'test');
  writeActivity(run, { state: 'working', heartbeat_at: new Date().toISOString() });
  return run;
}

const DAMAGES: [string, (run: RunHandle) => void][] = [
  ['its directory is deleted', (run) => rmSync(run.dir, { recursive: true })],
  ['its directory is moved away', (run) => renameSync(run.dir, `${run.dir}.moved`)],
  ['its activity is no JSON', (run) => writeFileSync(join(run.dir, 'activity.json'), '{"state":')],
  [
    'its activity is a directory',
    (run) => {
      rmSync(join(run.dir, 'activity.json'));
      mkdirSync(join(run.dir, 'activity.json'));
    },
  ],
];

test.each(DAMAGES)(
  'the server answers everybody else after a run that is waited for breaks: %s',
  async (_, damage) => {
    const root = temporaryDirectory();
    const run = workingRun(root);
    const server = startRlm(['mcp', '--root', root]);
    const exit = exitOf(server);
    const client = new RawClient(server);
    await client.request('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    });
    // Each wait reports every second: of so many, some are about to do so at whatever instant the run breaks.
    const waits: Promise<unknown>[] = [];
    for (let token = 1; token <= 40; token += 1) {
      waits.push(
        client.request('tools/call', {
          name: 'rlm_wait',
          arguments: { run_id: run.id, wait_sec: 3 },
          _meta: { progressToken: token },
        }),
      );
      await sleep(25);
    }
    await client.request('ping');
    damage(run);
    await Promise.all(waits);
    const { content } = z
      .object({ content: z.array(z.object({ text: z.string() })) })
      .parse(await client.request('tools/call', { name: 'rlm_doctor', arguments: { probe_cost: 'x' } }));
    expect(content[0]?.text).toContain('"code":"usage"');
    expect(server.exitCode).toBeNull();
    server.stdin?.end();
    expect((await exit).stderr).toBe('');
  },
);

test.each(DAMAGES)('a command that follows a run survives when it breaks: %s', async (_, damage) => {
  const root = temporaryDirectory();
  const run = workingRun(root);
  const command = startRlm(['status', run.id, '--watch'], { cwd: root });
  const exit = exitOf(command);
  await new Promise((resolve) => command.stderr?.once('data', resolve));
  damage(run);
  // Without its directory there is nothing to follow; a lost activity is read from the journal.
  if (existsSync(run.dir)) {
    await sleep(1500);
    expect(command.exitCode).toBeNull();
    command.kill('SIGTERM');
  }
  const { code, stderr } = await exit;
  expect(code).toBe(existsSync(run.dir) ? 143 : 1);
  expect(stderr.includes('error: ')).toBe(!existsSync(run.dir));
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('a client that sends and never reads does not fill the memory of the server', async () => {
  const server = startRlm(['mcp', '--root', temporaryDirectory()]);
  const exit = exitOf(server);
  server.stdout?.pause();
  const requests = 6000;
  const send = (id: number, method: string, params: object) =>
    server.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  send(0, 'initialize', INITIALIZE);
  // A list of tools is about 30 kB: all answers together would be more than 150 MB.
  for (let id = 1; id <= requests; id += 1) send(id, 'tools/list', {});
  await sleep(5000);
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  expect(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1])).toBeLessThan(200_000);
  // As soon as it reads, every request is answered.
  const ids = new Set<number>();
  if (server.stdout === null) throw new Error('no stdout');
  const lines = createInterface(server.stdout);
  await new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      ids.add(Message.parse(JSON.parse(line)).id ?? -1);
      if (ids.size > requests) resolve();
    });
  });
  server.stdin?.end();
  expect((await exit).code).toBe(0);
}, 90_000);
