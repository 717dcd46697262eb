import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import { type Finding, ok, type Surroundings, warn } from './report.ts';

/** A larger configuration of a client is none that somebody wrote. */
const MAX_BYTES = 8 * 1024 * 1024;

const Server = z.looseObject({
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  default_tools_approval_mode: z.string().optional(),
});
const Servers = z.record(z.string(), Server.catch({}));
const CodexConfig = z.looseObject({ mcp_servers: Servers.catch({}) });
const ClaudeConfig = z.looseObject({
  mcpServers: Servers.catch({}),
  projects: z.record(z.string(), z.looseObject({ mcpServers: Servers.catch({}) })).catch({}),
});

/**
 * Whether the clients that have this server may call its tools when nobody is there to approve: `codex exec` refuses
 * tools that work outside of this machine or may destroy something, and still exits 0; `claude -p` refuses all of them.
 */
export function checkClients({ root, env }: Surroundings): Finding[] {
  const home = env.HOME || homedir();
  return [
    ...checkCodexApproval(join(env.CODEX_HOME || join(home, '.codex'), 'config.toml')),
    ...checkClaudeApproval(root, env, home),
  ];
}

function checkCodexApproval(path: string): Finding[] {
  const servers = CodexConfig.safeParse(read(path, parseToml)).data?.mcp_servers ?? {};
  return ownServers(servers).map(([name, server]) => {
    const mode = server.default_tools_approval_mode;
    return mode === 'approve'
      ? ok('codex approval', `${path} approves the tools of ${name}`)
      : warn(
          'codex approval',
          `codex exec refuses the tools of ${name} that start work, and exits 0: nobody is there to approve`,
          `Add default_tools_approval_mode = "approve" under [mcp_servers.${name}] in ${path}: Codex then calls every tool of this server without asking.`,
        );
  });
}

function checkClaudeApproval(root: string, env: NodeJS.ProcessEnv, home: string): Finding[] {
  const rule = claudeRule(root, env, home);
  return rule === undefined
    ? []
    : [ok('claude approval', `claude -p calls the tools only with --allowedTools ${rule}`)];
}

/** What `--allowedTools` takes to allow all of this server's tools; undefined when Claude does not have it. */
function claudeRule(root: string, env: NodeJS.ProcessEnv, home: string): string | undefined {
  if (env.CLAUDE_PLUGIN_ROOT) {
    const manifest = read(join(env.CLAUDE_PLUGIN_ROOT, '.claude-plugin', 'plugin.json'), JSON.parse);
    const plugin = z.looseObject({ name: z.string() }).safeParse(manifest).data?.name ?? 'rlm';
    return `mcp__plugin_${plugin}_rlm`;
  }
  const user = env.CLAUDE_CONFIG_DIR
    ? join(env.CLAUDE_CONFIG_DIR, '.claude.json')
    : join(home, '.claude.json');
  for (const path of [join(root, '.mcp.json'), user]) {
    const config = ClaudeConfig.safeParse(read(path, JSON.parse)).data;
    const [own] = ownServers({ ...config?.mcpServers, ...config?.projects[root]?.mcpServers });
    if (own !== undefined) return `mcp__${own[0]}`;
  }
  return undefined;
}

/** The servers that start `rlm mcp`, by whatever name they have. */
function ownServers(servers: z.infer<typeof Servers>): [string, z.infer<typeof Server>][] {
  return Object.entries(servers).filter(([, { command = '', args = [] }]) => {
    const words = [command, ...args];
    return words.includes('mcp') && words.some((word) => /(?:^|[/\\])rlm(?:\.js|-mcp)?$/.test(word));
  });
}

/** A client's file, parsed; undefined when it is not there or cannot be read: that is for the client to say. */
function read(path: string, parse: (text: string) => unknown): unknown {
  try {
    if (!existsSync(path)) return undefined;
    const text = readFileSync(path, 'utf8');
    return text.length > MAX_BYTES ? undefined : parse(text);
  } catch {
    return undefined;
  }
}
