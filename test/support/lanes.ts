import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { STRICT_ANSWER_SCHEMA } from './answer-schema.ts';
import { BatchFixture, RLM } from './batch-run.ts';
import { isolatedCodex } from './codex-home.ts';
import { startModelServer } from './model-server.ts';
import { type Exit, exitOf } from './rlm.ts';
import { place } from './runs.ts';
import type { Script, ScriptedReply } from './script.ts';

/** The real ways to a model: flags of `rlm batch`, and what a provider of that kind says of its errors. */
export interface Lane {
  name: string;
  flags: string[];
  api: 'responses' | 'messages';
}

export const LANES: readonly Lane[] = [
  { name: 'codex exec', flags: ['--worker', 'codex', '--lane', 'exec'], api: 'responses' },
  { name: 'codex app-server', flags: ['--worker', 'codex', '--lane', 'app-server'], api: 'responses' },
  { name: 'claude -p', flags: ['--worker', 'claude'], api: 'messages' },
];

/**
 * A user with jobs, the real CLIs of `node_modules`, a scripted model behind them, and a proxy through which
 * anything that leaves loopback would have to go.
 */
export async function startLane(
  lane: Lane,
  jobs: string[],
  script: Script,
  options: { job?: (id: string) => Record<string, unknown>; limits?: Record<string, number> } = {},
) {
  const fixture = new BatchFixture(jobs, options.job);
  fixture.write('schema.json', JSON.stringify(STRICT_ANSWER_SCHEMA));
  place(
    join(fixture.root, '.rlm', 'config.json'),
    JSON.stringify({ limits: { backoff_ms: 20, backoff_max_ms: 200, ...options.limits } }),
  );
  const model = await startModelServer(script);
  const proxy = await startProxy();
  const codex = isolatedCodex(join(fixture.root, 'user'), model.url);
  const claudeHome = join(fixture.root, 'user', 'claude');
  mkdirSync(claudeHome);
  const env: Record<string, string> = {
    HOME: codex.home,
    CODEX_HOME: codex.codexHome,
    PATH: codex.env.PATH ?? '',
    CLAUDE_CONFIG_DIR: claudeHome,
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'dummy',
    ...Object.fromEntries(
      ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map((name) => [name, proxy.url]),
    ),
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
  };
  const surroundings = () => ({ ...process.env, ...env });
  return {
    fixture,
    model,
    /** Hosts that somebody wanted to reach through the proxy. */
    proxied: proxy.wanted,
    env,
    /** Starts `rlm` as that user. */
    start: (args: string[]) =>
      spawn(process.execPath, [RLM, ...args], { cwd: fixture.root, env: surroundings() }),
    /** Runs `rlm` as that user. */
    rlm: (...args: string[]): Promise<Exit> =>
      exitOf(spawn(process.execPath, [RLM, ...args], { cwd: fixture.root, env: surroundings() })),
    batch: (...more: string[]) => [
      ...['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--parallel', '4', ...lane.flags, ...more],
    ],
    async close() {
      await Promise.all([model.close(), proxy.close()]);
    },
  };
}

/** An HTTP proxy that lets nothing through and remembers what was asked of it. */
async function startProxy() {
  const wanted: string[] = [];
  const server = createServer((request, response) => {
    wanted.push(request.url ?? '');
    response.writeHead(502).end();
  });
  server.on('connect', (request, socket: Socket) => {
    wanted.push(request.url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    wanted,
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The job a prompt is about. */
export function jobOf(prompt: string): string {
  return /^chunk_id: c-(\S+)$/m.exec(prompt)?.[1] ?? '';
}

/** An answer about the chunk of a job, such as a good model gives. */
export function answerAbout(id: string, change: Record<string, unknown> = {}): string {
  return JSON.stringify({
    chunk_id: `c-${id}`,
    relevant: true,
    summary: `The code word is w-${id}.`,
    confidence: 0.8,
    evidence: [{ loc: 'somewhere:1-1', quote: `The code word of ${id} is w-${id}.`, note: 'says it' }],
    gaps: [],
    errors: [],
    ...change,
  });
}

/** A provider's error, in its own shape. */
export function refusal(
  lane: Lane,
  status: number,
  error: { type: string; code?: string; message: string; [key: string]: unknown },
  headers: Record<string, string> = {},
): ScriptedReply {
  const body = lane.api === 'messages' ? { type: 'error', error } : { error };
  return { kind: 'status', status, headers, body };
}
