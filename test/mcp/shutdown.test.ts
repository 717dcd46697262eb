import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { driverAlive, lockDriver, openRun } from '../../src/runs/index.ts';
import { connectClient, exitOf, startRlm } from '../support/rlm.ts';
import { finishedBatch, place, temporaryDirectory, writeActivity } from '../support/runs.ts';

/** The promise: whatever ends the session, the server is gone within a second. */
const LIMIT_MS = 1000;

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

function send(server: ChildProcess, ...messages: object[]): void {
  server.stdin?.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
}

/** A server that has answered `initialize` and is waiting in a long call. */
async function busyServer() {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 2 });
  lockDriver(run.dir, 'test');
  writeActivity(run, { state: 'working', heartbeat_at: new Date().toISOString() });
  const server = startRlm(['mcp', '--root', root]);
  const exit = exitOf(server);
  send(server, INITIALIZE);
  await once(server.stdout ?? server, 'data');
  send(
    server,
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    {
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'rlm_wait', arguments: { run_id: run.id, wait_sec: 45 } },
    },
    { jsonrpc: '2.0', id: 3, method: 'ping' },
  );
  await once(server.stdout ?? server, 'data');
  return { server, exit };
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends the server within a second, in the middle of a call`, async () => {
    const { server, exit } = await busyServer();
    const sent = performance.now();
    server.kill(signal);
    const { code, stderr } = await exit;
    expect(performance.now() - sent).toBeLessThan(LIMIT_MS);
    expect(code).toBe(0);
    expect(stderr).toBe('');
  });
}

test('the end of stdin ends the server within a second, in the middle of a call', async () => {
  const { server, exit } = await busyServer();
  const sent = performance.now();
  server.stdin?.end();
  expect((await exit).code).toBe(0);
  expect(performance.now() - sent).toBeLessThan(LIMIT_MS);
});

test('a client that reads no more ends the server', async () => {
  const { server, exit } = await busyServer();
  server.stdout?.destroy();
  send(server, { jsonrpc: '2.0', id: 4, method: 'ping' });
  expect((await exit).code).toBe(0);
});

test('requests that came with the end of stdin are answered', async () => {
  const server = startRlm(['mcp', '--root', temporaryDirectory()]);
  const exit = exitOf(server);
  send(server, INITIALIZE, {
    jsonrpc: '2.0',
    id: 2,
    method: 'tools/call',
    params: { name: 'rlm_status', arguments: {} },
  });
  server.stdin?.end();
  const { stdout } = await exit;
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers.map(({ id }) => id)).toEqual([1, 2]);
  expect(answers[1].result.structuredContent).toEqual({ runs: [], total: 0, next_cursor: null });
});

test('stdout carries the protocol and nothing else, also for nonsense on stdin', async () => {
  const server = startRlm(['mcp', '--root', temporaryDirectory()]);
  const exit = exitOf(server);
  server.stdin?.write('this is not JSON\n{"jsonrpc":"2.0"}\n');
  send(server, INITIALIZE);
  server.stdin?.end();
  const { stdout, stderr, code } = await exit;
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id),
  ).toEqual([1]);
  expect(stderr).toContain('protocol error');
  expect(code).toBe(0);
});

test('a line too long for a message is left out and told, and the server goes on', async () => {
  const server = startRlm(['mcp', '--root', temporaryDirectory()]);
  const exit = exitOf(server);
  send(server, INITIALIZE);
  server.stdin?.write(
    `{"jsonrpc":"2.0","id":2,"method":"ping","params":{"filler":"${'x'.repeat(17 << 20)}"}}\n\n`,
  );
  send(server, { jsonrpc: '2.0', id: 3, method: 'ping', params: { filler: 'x'.repeat(12 << 20) } });
  server.stdin?.end();
  const { stdout, stderr, code } = await exit;
  const answers = stdout.trim().split('\n');
  expect(answers.map((line) => JSON.parse(line).id)).toEqual([1, 3]);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/a line of the stream is longer than \d+ bytes/),
  ]);
  expect(code).toBe(0);
});

test('answers that wait for a slow reader all arrive, and are no leak', async () => {
  const server = startRlm(['mcp', '--root', temporaryDirectory()]);
  send(server, INITIALIZE);
  for (let id = 2; id <= 40; id += 1) send(server, { jsonrpc: '2.0', id, method: 'tools/list', params: {} });
  server.stdin?.end();
  const { stdout, stderr } = await exitOf(server);
  expect(stdout.trim().split('\n')).toHaveLength(40);
  expect(stderr).toBe('');
});

test('a root that is not there is told on stderr', async () => {
  const exit = await exitOf(startRlm(['mcp', '--root', '/no/such/directory']));
  expect(exit).toMatchObject({ code: 1, stdout: '' });
  expect(exit.stderr).toContain('/no/such/directory is not a directory');
});

test('a run that the server started goes on when the server ends', async () => {
  const root = temporaryDirectory();
  place(join(root, 'c.txt'), 'text\n');
  place(join(root, 'schema.json'), '{"type":"object"}');
  const job = {
    job_id: 'j',
    chunk_id: 'c',
    chunk_path: 'c.txt',
    question: 'What is it?',
    output_path: 'subresults/j.json',
    schema_path: 'schema.json',
    sandbox: 'read-only',
  };
  place(join(root, 'jobs.jsonl'), `${JSON.stringify(job)}\n`);
  const sleeper = [process.execPath, '-e', 'setTimeout(() => {}, 60_000)'];
  place(join(root, '.rlm', 'config.json'), JSON.stringify({ commands: { sleeper } }));
  const client = await connectClient(root);
  const { structuredContent } = await client.callTool({
    name: 'rlm_run_batch',
    arguments: { jobs: 'jobs.jsonl', run_id: 'long-run', command: 'sleeper', wait_sec: 0 },
  });
  expect(structuredContent).toMatchObject({ run_id: 'long-run', state: 'working', driver: 'alive' });
  await client.close();

  const run = openRun(root, 'long-run');
  expect(driverAlive(run.dir)).toBe(true);
  const next = await connectClient(root);
  const cancelled = await next.callTool({ name: 'rlm_cancel', arguments: { run_id: 'long-run' } });
  expect(cancelled.structuredContent).toMatchObject({ state: 'cancelled', driver: 'ended' });
  expect(driverAlive(run.dir)).toBe(false);
});
