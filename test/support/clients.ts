import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isolatedCodex } from './codex-home.ts';
import { BUNDLE, type Exit, exitOf } from './rlm.ts';
import { temporaryDirectory } from './runs.ts';
import type { ScriptedReply } from './script.ts';

const BINARIES = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

/** A real MCP client with our server, and the ways its model asks for things. */
export interface RealClient {
  name: string;
  /** The model's call of one of our tools. */
  call(tool: string, input: Record<string, unknown>): ScriptedReply;
  /** The model's call that reads a resource. */
  read(uri: string): ScriptedReply;
  /**
   * One session without a person, in a home of its own, whose model is the server at `url`.
   *
   * @param options.approve whether every tool of ours is allowed beforehand, and not those alone that only read
   */
  run(root: string, url: string, prompt: string, options?: { approve?: boolean }): Promise<Exit>;
}

export const CODEX_CLIENT: RealClient = {
  name: 'Codex',
  call: (name, input) => ({ kind: 'tool', namespace: 'mcp__rlm', name, arguments: input }),
  read: (uri) => ({ kind: 'tool', name: 'read_mcp_resource', arguments: { server: 'rlm', uri } }),
  run(root, url, prompt, { approve = true } = {}) {
    const { env } = isolatedCodex(temporaryDirectory(), url, {
      // A model without code mode, which would want its tool calls written as a program.
      configuration: `model = "gpt-5.1-codex-mini"
[mcp_servers.rlm]
command = ${JSON.stringify(process.execPath)}
args = [${JSON.stringify(BUNDLE)}, "mcp"]
required = true
${approve ? 'default_tools_approval_mode = "approve"' : ''}
`,
    });
    const args = ['exec', '--json', '--skip-git-repo-check', '-s', 'read-only', '-'];
    return runClient('codex', args, { cwd: root, env, prompt });
  },
};

export const CLAUDE_CLIENT: RealClient = {
  name: 'Claude',
  call: (name, input) => ({ kind: 'tool', name: `mcp__rlm__${name}`, arguments: input }),
  read: (uri) => ({ kind: 'tool', name: 'ReadMcpResourceTool', arguments: { server: 'rlm', uri } }),
  run(root, url, prompt) {
    const home = join(temporaryDirectory(), 'home');
    mkdirSync(home);
    const config = join(home, 'mcp.json');
    const mcpServers = { rlm: { command: process.execPath, args: [BUNDLE, 'mcp', '--root', root] } };
    writeFileSync(config, JSON.stringify({ mcpServers }));
    const args = [
      ...['-p', '--output-format', 'json', '--strict-mcp-config', `--mcp-config=${config}`],
      '--allowedTools=mcp__rlm,ReadMcpResourceTool',
    ];
    const env = {
      HOME: home,
      PATH: BINARIES + delimiter + (process.env.PATH ?? ''),
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: 'sk-test',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      ENABLE_TOOL_SEARCH: 'false',
    };
    return runClient('claude', args, { cwd: root, env, prompt });
  },
};

export const CLIENTS: readonly RealClient[] = [CODEX_CLIENT, CLAUDE_CLIENT];

function runClient(
  program: string,
  args: string[],
  { prompt, ...options }: { cwd: string; env: NodeJS.ProcessEnv; prompt: string },
): Promise<Exit> {
  const child = spawn(join(BINARIES, program), args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(prompt);
  return exitOf(child);
}

/** The environment of a user of Claude whose provider is the model server at `url`; `claude` on its PATH is the real one. */
export function claudeEnvironment(directory: string, url: string): Record<string, string> {
  const home = join(directory, 'home');
  mkdirSync(home, { recursive: true });
  return {
    HOME: home,
    CLAUDE_CONFIG_DIR: join(home, '.claude'),
    PATH: BINARIES + delimiter + (process.env.PATH ?? ''),
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'dummy',
  };
}
