import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodexWorker } from '../../src/workers/codex/index.ts';
import type { WorkRequest } from '../../src/workers/worker.ts';
import { type IsolatedCodex, isolatedCodex } from '../support/codex-home.ts';
import { processesMarked } from '../support/marked-processes.ts';
import { type ModelServer, startModelServer } from '../support/model-server.ts';
import { modeOf, modeScript } from './codex-script.ts';
import { temporaryDirectory, until, workRequest } from './request.ts';

const directory = temporaryDirectory();
let model: ModelServer;
let codex: IsolatedCodex;
let requests = 0;
let workers = 0;

beforeAll(async () => {
  model = await startModelServer(modeScript);
  codex = isolatedCodex(directory, model.url);
});
afterAll(() => model.close());

async function startWorker(threadLimit?: number, user: IsolatedCodex = codex) {
  workers += 1;
  const mark = `${directory}/${workers}`;
  const worker = await createCodexWorker({
    root: directory,
    lane: 'app-server',
    env: user.env,
    marks: { RLM_WORKER_OF: mark },
    threadLimit,
  });
  return { worker, servers: () => processesMarked(mark, { leaders: true }) };
}

function request(mode: string, changes: Partial<WorkRequest> = {}): WorkRequest {
  requests += 1;
  return workRequest(directory, { id: `a-${requests}`, input: `MODE=${mode} ${requests}`, ...changes });
}

test('one process serves many jobs', async () => {
  const { worker, servers } = await startWorker();
  await worker.run(request('ok'));
  const first = servers();
  await Promise.all(Array.from({ length: 5 }, () => worker.run(request('ok'))));
  expect(servers()).toEqual(first);
  expect(first).toHaveLength(1);
  await worker.close();
  expect(servers()).toEqual([]);
});

test('a killed process fails its jobs as crashed, and the next job gets a new one', async () => {
  const { worker, servers } = await startWorker();
  const earlier = model.calls.length;
  const running = [worker.run(request('hang')), worker.run(request('hang'))];
  await until(() => (model.calls.length === earlier + 2 ? true : undefined));
  const [pid] = servers();
  process.kill(Number(pid), 'SIGKILL');
  for (const result of await Promise.all(running)) {
    expect(result.failure).toMatchObject({ class: 'crashed', message: expect.stringContaining('SIGKILL') });
  }
  expect((await worker.run(request('ok'))).answer).toBe('{"ok":true}');
  expect(servers()).toHaveLength(1);
  expect(servers()).not.toContain(pid);
  await worker.close();
});

test('a process that served its share is replaced while its last jobs go on', async () => {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const gated = await startModelServer({
    keyOf: modeOf,
    async reply({ prompt }) {
      if (modeOf(prompt) === 'held') await released;
      return { kind: 'answer', text: modeOf(prompt) };
    },
  });
  const root = temporaryDirectory();
  const { worker, servers } = await startWorker(3, isolatedCodex(root, gated.url));
  const held = worker.run(request('held'));
  await until(() => (gated.calls.length === 1 ? true : undefined));
  const [first = ''] = servers();
  const rest = Array.from({ length: 6 }, () => worker.run(request('ok')));
  for (const result of await Promise.all(rest)) expect(result.answer).toBe('ok');
  // Seven jobs at three a process: the first still has the one that is held.
  expect(servers()).toContain(first);
  expect(servers().length).toBeGreaterThan(1);
  release();
  expect((await held).answer).toBe('held');
  await until(() => (servers().includes(first) ? undefined : true));
  expect((await worker.run(request('ok'))).answer).toBe('ok');
  await worker.close();
  expect(servers()).toEqual([]);
  await gated.close();
});

test('no more processes are started than the jobs need', async () => {
  const { worker, servers } = await startWorker(3);
  const seen = new Set<string>();
  for (let at = 0; at < 9; at += 1) {
    await worker.run(request('ok'));
    for (const pid of servers()) seen.add(pid);
  }
  await worker.close();
  expect(servers()).toEqual([]);
  // Three processes of three jobs, and at most the successor that stands ready.
  expect(seen.size).toBeGreaterThanOrEqual(3);
  expect(seen.size).toBeLessThanOrEqual(4);
});

test('an abort before the turn has begun makes no model call', async () => {
  const { worker } = await startWorker();
  const earlier = model.calls.length;
  const result = await worker.run(request('ok', { signal: AbortSignal.abort() }));
  expect(result.failure?.class).toBe('cancelled');
  expect(model.calls).toHaveLength(earlier);
  await worker.close();
});

test('a login without an allowance has no quota to read', async () => {
  const { worker } = await startWorker();
  expect(await worker.quota?.()).toBeUndefined();
  await worker.close();
});

test('after close nothing is started', async () => {
  const { worker, servers } = await startWorker();
  await worker.close();
  expect((await worker.run(request('ok'))).failure?.class).toBe('cancelled');
  expect(servers()).toEqual([]);
});

test.each([
  [42, 10, false],
  [42, 100, true],
])('reads the allowance of a plan: windows at %d and %d percent', async (primary, secondary, exhausted) => {
  const resetAt = 1_900_000_000;
  const usage = {
    plan_type: 'plus',
    rate_limit: {
      allowed: !exhausted,
      limit_reached: exhausted,
      primary_window: {
        used_percent: primary,
        limit_window_seconds: 18_000,
        reset_after_seconds: 60,
        reset_at: resetAt,
      },
      secondary_window: {
        used_percent: secondary,
        limit_window_seconds: 604_800,
        reset_after_seconds: 120,
        reset_at: resetAt + 60,
      },
    },
  };
  const account = createServer((incoming, response) => {
    const found = incoming.url?.startsWith('/backend-api/wham/usage');
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ? usage : {}));
  });
  await new Promise<void>((resolve) => account.listen(0, '127.0.0.1', resolve));
  const address = account.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const root = temporaryDirectory();
  const { env, codexHome } = isolatedCodex(root, model.url, {
    configuration: `chatgpt_base_url = "http://127.0.0.1:${port}/backend-api"`,
    login: true,
  });
  writeFileSync(join(codexHome, 'auth.json'), JSON.stringify(planLogin()));
  const worker = await createCodexWorker({ root, lane: 'app-server', env });
  expect(await worker.quota?.()).toEqual({
    usedPercent: Math.max(primary, secondary),
    resetsAt: new Date((exhausted ? resetAt + 60 : resetAt) * 1000).toISOString(),
    exhausted,
  });
  await worker.close();
  account.closeAllConnections();
  account.close();
});

/** A login file as `codex login` leaves it for a ChatGPT plan, with a token that nobody signed. */
function planLogin(): Record<string, unknown> {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = [
    part({ alg: 'none', typ: 'JWT' }),
    part({
      email: 'somebody@example.com',
      exp: Math.floor(Date.now() / 1000) + 86_400,
      'https://api.openai.com/auth': { chatgpt_plan_type: 'plus', chatgpt_account_id: 'account-1' },
    }),
    part({}),
  ].join('.');
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: { id_token: token, access_token: token, refresh_token: 'refresh-1', account_id: 'account-1' },
    last_refresh: new Date().toISOString(),
  };
}
