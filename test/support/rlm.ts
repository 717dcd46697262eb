import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

/** The built bin. */
export const BUNDLE = fileURLToPath(new URL('../../dist/rlm.js', import.meta.url));

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs `rlm` to its end. */
export function rlm(
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Exit> {
  return exitOf(startRlm(args, options));
}

/** Starts `rlm` with pipes; it is killed when the test is over. */
export function startRlm(
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): ChildProcess {
  const child = spawn(process.execPath, [BUNDLE, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** What a process printed, and how it ended. */
export async function exitOf(child: ChildProcess): Promise<Exit> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        code,
        signal,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      });
    });
  });
}

/** A real MCP client over stdio, connected to `rlm mcp` on a root. */
export async function connectClient(
  root: string,
  env: Record<string, string> = {},
  name = 'rlm-test',
): Promise<Client> {
  const client = new Client({ name, version: '1.0.0' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BUNDLE, 'mcp', '--root', root],
    env: { PATH: process.env.PATH ?? '', ...env },
    stderr: 'inherit',
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

/** The process of the server that a client talks to. */
export function serverPid(client: Client): number | undefined {
  return client.transport instanceof StdioClientTransport ? (client.transport.pid ?? undefined) : undefined;
}

/** The text of a tool's result, which must be its only content. */
export function textOf(result: unknown): string {
  const shape = z.object({ content: z.tuple([z.object({ type: z.literal('text'), text: z.string() })]) });
  return shape.parse(result).content[0].text;
}
