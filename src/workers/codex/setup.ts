import { delimiter } from 'node:path';
import { z } from 'zod';
import { RlmError } from '../../errors.ts';
import { workerEnvironment } from '../../processes/index.ts';
import { oneLine } from '../../text/index.ts';
import { askProgram } from '../probe.ts';
import { leanArguments } from './arguments.ts';
import { type CodexHome, disableServers } from './home.ts';
import type { CodexBinary, CodexCapabilities } from './installation.ts';

/** What both lanes know about the installed Codex and where it lives. Made once for a worker. */
export interface CodexSetup {
  root: string;
  /** Where workers run, unless a request says otherwise. */
  cwd: string;
  binary: CodexBinary;
  capabilities: CodexCapabilities;
  home: CodexHome;
  profile: string | undefined;
  env: NodeJS.ProcessEnv;
  /** Names of further environment variables that the process may see. */
  extraEnvNames: readonly string[];
}

/** The environment of a Codex process: the allow-list, its login, its home, and the marks of the run. */
export function codexEnvironment(setup: CodexSetup, marks: Record<string, string>): Record<string, string> {
  const environment = workerEnvironment(
    {
      names: [...setup.home.loginVariables, ...setup.extraEnvNames],
      values: { CODEX_HOME: setup.home.path, ...marks },
    },
    setup.env,
  );
  const path = [...setup.binary.pathDirectories, environment.PATH ?? ''].filter((part) => part !== '');
  return { ...environment, PATH: path.join(delimiter) };
}

const isolation = new WeakMap<CodexSetup, Map<string, Promise<string[]>>>();

/**
 * Arguments that keep a home's MCP servers from workers in a directory; none in a home of ours, which has none.
 *
 * @throws RlmError as `listServers` and `disableServers`
 */
export function isolationArguments(setup: CodexSetup, cwd: string): Promise<string[]> {
  if (!setup.home.foreign) return Promise.resolve([]);
  const known = isolation.get(setup) ?? new Map<string, Promise<string[]>>();
  isolation.set(setup, known);
  const listed = known.get(cwd) ?? listServers(setup, cwd).then(disableServers);
  known.set(cwd, listed);
  return listed;
}

const ServerList = z.array(z.object({ name: z.string(), enabled: z.boolean() }));

/**
 * Names of the MCP servers that Codex would start in a home that is not ours, those of a trusted project and of
 * plugins included: nobody but Codex knows them all.
 *
 * @throws RlmError `unavailable`, retryable, when it does not say
 */
async function listServers(setup: CodexSetup, cwd: string): Promise<string[]> {
  const { binary, capabilities } = setup;
  const args = [...leanArguments(capabilities, false), 'mcp', 'list', '--json'];
  const { exitCode, stdout, stderr } = await askProgram(binary.file, args, {
    env: codexEnvironment(setup, {}),
    cwd,
  });
  const servers = ServerList.safeParse(exitCode === 0 ? parseJson(stdout) : undefined);
  if (servers.success) return servers.data.flatMap(({ name, enabled }) => (enabled ? [name] : []));
  const said = oneLine(stderr, 200);
  throw new RlmError('unavailable', `'codex mcp list' does not say which servers are set up: ${said}`, {
    hint: `Run it by hand with CODEX_HOME=${setup.home.path}: workers must not start your servers.`,
    retryable: true,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
