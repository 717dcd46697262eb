import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { isolatedCodex } from '../support/codex-home.ts';
import { startModelServer } from '../support/model-server.ts';
import { BUNDLE, exitOf } from '../support/rlm.ts';
import { finishedBatch, jobId, temporaryDirectory } from '../support/runs.ts';
import type { ScriptedReply } from '../support/script.ts';

const BINARIES = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

/** A model that asks for a run's status, then reads the run as a resource, then is done. */
async function curiousModel(calls: { status: ScriptedReply; read: ScriptedReply; done: string }) {
  const steps = [calls.status, calls.read];
  const server = await startModelServer({
    keyOf: () => 'session',
    reply({ body }) {
      // Clients also ask for titles and the like: only a call that offers MCP is a turn of the session.
      if (!/read_?mcp_?resource/i.test(JSON.stringify(body.tools ?? [])))
        return { kind: 'answer', text: 'ok' };
      const answered =
        JSON.stringify(body).match(/"type":"(function_call_output|tool_result)"/g)?.length ?? 0;
      return steps[answered] ?? { kind: 'answer', text: calls.done };
    },
  });
  onTestFinished(() => server.close());
  return server;
}

/** What the model had read by its last call. */
function lastBody(server: { calls: { body: Record<string, unknown> }[] }): string {
  const bodies = server.calls.map(({ body }) => JSON.stringify(body));
  return bodies.findLast((body) => body.includes('rlm_status')) ?? '';
}

test('Codex as the client calls a tool and reads a resource', { timeout: 60_000 }, async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 3, failed: [jobId(2)] });
  const server = await curiousModel({
    status: { kind: 'tool', namespace: 'mcp__rlm', name: 'rlm_status', arguments: { run_id: run.id } },
    read: {
      kind: 'tool',
      name: 'read_mcp_resource',
      arguments: { server: 'rlm', uri: `rlm://runs/${run.id}/jobs/${jobId(2)}` },
    },
    done: 'one job failed',
  });
  const codex = isolatedCodex(temporaryDirectory(), server.url, {
    // A model without code mode, which would want its tool calls written as a program.
    configuration: `model = "gpt-5.1-codex-mini"
[mcp_servers.rlm]
command = ${JSON.stringify(process.execPath)}
args = [${JSON.stringify(BUNDLE)}, "mcp"]
required = true
`,
  });
  const child = spawn(
    join(BINARIES, 'codex'),
    ['exec', '--json', '--skip-git-repo-check', '-s', 'read-only', '-'],
    {
      cwd: root,
      env: codex.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  child.stdin.end('How did my batch go?');
  const { code, stdout } = await exitOf(child);
  expect(code, stdout).toBe(0);
  expect(stdout).toContain('one job failed');
  const seen = lastBody(server);
  expect(seen).toContain(`\\"run_id\\":\\"${run.id}\\"`);
  expect(seen).toContain('invalid_output');
});

test('Claude as the client calls a tool and reads a resource', { timeout: 60_000 }, async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 3, failed: [jobId(2)] });
  const server = await curiousModel({
    status: { kind: 'tool', name: 'mcp__rlm__rlm_status', arguments: { run_id: run.id } },
    read: {
      kind: 'tool',
      name: 'ReadMcpResourceTool',
      arguments: { server: 'rlm', uri: `rlm://runs/${run.id}/jobs/${jobId(2)}` },
    },
    done: 'one job failed',
  });
  const home = join(temporaryDirectory(), 'home');
  mkdirSync(home);
  const config = join(home, 'mcp.json');
  const mcpServers = { rlm: { command: process.execPath, args: [BUNDLE, 'mcp', '--root', root] } };
  writeFileSync(config, JSON.stringify({ mcpServers }));
  const child = spawn(
    join(BINARIES, 'claude'),
    [
      '-p',
      '--output-format',
      'json',
      '--strict-mcp-config',
      `--mcp-config=${config}`,
      '--allowedTools=mcp__rlm,ReadMcpResourceTool',
    ],
    {
      cwd: root,
      env: {
        HOME: home,
        PATH: BINARIES + delimiter + (process.env.PATH ?? ''),
        ANTHROPIC_BASE_URL: server.url,
        ANTHROPIC_API_KEY: 'sk-test',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        ENABLE_TOOL_SEARCH: 'false',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  child.stdin.end('How did my batch go?');
  const { code, stdout, stderr } = await exitOf(child);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('one job failed');
  const seen = lastBody(server);
  expect(seen).toContain(`\\"run_id\\":\\"${run.id}\\"`);
  expect(seen).toContain('invalid_output');
});
