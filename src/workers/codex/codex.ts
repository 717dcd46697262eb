import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RlmError } from '../../errors.ts';
import { probesDirectory, repairProbe } from '../probe.ts';
import type { Worker } from '../worker.ts';
import { AppServerLane } from './app-server.ts';
import { ExecLane } from './exec.ts';
import { type CodexHome, type CodexLogin, prepareHome } from './home.ts';
import { findCodex, probeCodex } from './installation.ts';
import { type CodexSetup, isolationArguments } from './setup.ts';

interface CodexWorkerOptions {
  /** The root that `.rlm/` lies in. */
  root: string;
  lane: 'auto' | 'exec' | 'app-server';
  /** The program; `RLM_CODEX`, else `codex` on PATH, when not given. */
  binary?: string | undefined;
  /** Becomes `CODEX_HOME`, created when missing; a lean one is generated when not given. */
  codex_home?: string | undefined;
  /** Where workers run, the root when not given: a trusted project there may have MCP servers of its own. */
  worker_cwd?: string | undefined;
  /** A profile of that home (`NAME.config.toml`); without `codex_home`, of the user's own. */
  profile?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Names of further environment variables that workers may see. */
  extraEnvNames?: readonly string[] | undefined;
  /** Environment of the app-server, for a later sweep; `codex exec` gets those of its request. */
  marks?: Record<string, string> | undefined;
  /** Threads an app-server serves before a fresh one takes over. */
  threadLimit?: number | undefined;
}

/**
 * The Codex worker.
 *
 * Lane `auto` is the app-server where the installed version speaks its protocol: one process for many jobs
 * runs them about 2.5 times as fast, types its failures and tells the allowance beforehand. A request with
 * tools or with paths to write goes through `codex exec` in any lane: its sandbox and its environment are then
 * those of that one job. A profile or a login by a variable means exec for all: the app-server takes neither.
 *
 * @throws RlmError `unavailable` when there is no Codex, or not one that can do what is asked; `usage` when
 *   the user's config.toml or profile cannot be used
 */
export async function createCodexWorker(options: CodexWorkerOptions): Promise<Worker> {
  const setup = await prepare(options);
  const exec = new ExecLane(setup);
  const server = useAppServer(options, setup)
    ? new AppServerLane(setup, options.marks ?? {}, options.threadLimit)
    : undefined;
  return {
    name: 'codex',
    lane: server === undefined ? 'exec' : 'app-server',
    version: setup.capabilities.version,
    cacheIdentity: `codex ${setup.home.identity}`,
    note: describeInstructions(setup.home),
    run: (request) =>
      server === undefined ||
      request.tools ||
      request.sandbox.mode !== 'read-only' ||
      (setup.home.foreign && request.cwd !== setup.cwd)
        ? exec.run(request)
        : server.run(request),
    ...(server === undefined ? {} : { quota: () => server.quota() }),
    async close() {
      await Promise.all([exec.close(), server?.close()]);
    },
  };
}

/** Codex reads the instructions of a home with every request, whatever is set (measured with 0.169). */
function describeInstructions({ foreign, path }: CodexHome): string | undefined {
  const files = ['AGENTS.override.md', 'AGENTS.md'].map((name) => join(path, name));
  const found = foreign ? files.find((file) => existsSync(file)) : undefined;
  return found === undefined
    ? undefined
    : `${found} goes with every request: Codex cannot be kept from reading it`;
}

/** What a Codex worker would be, for a report; nothing is called and the login is not read. */
interface CodexInspection {
  file: string;
  version: string;
  lane: 'exec' | 'app-server';
  home: string;
  login: CodexLogin;
}

/** @throws RlmError `unavailable` when there is no Codex that runs */
export async function requireCodex(root: string, env: NodeJS.ProcessEnv): Promise<void> {
  await probeCodex(findCodex(undefined, env), probesDirectory(root), env);
}

/**
 * @param repairRoot a root whose remembered probe is replaced by what was found now
 * @throws RlmError as `createCodexWorker` does
 */
export async function inspectCodex(
  options: CodexWorkerOptions,
  repairRoot?: string,
): Promise<CodexInspection> {
  const setup = await prepare(options);
  if (repairRoot !== undefined) {
    repairProbe(probesDirectory(repairRoot), setup.binary.file, setup.capabilities);
  }
  return {
    file: setup.binary.file,
    version: setup.capabilities.version,
    lane: useAppServer(options, setup) ? 'app-server' : 'exec',
    home: setup.home.path,
    login: setup.home.login,
  };
}

async function prepare(options: CodexWorkerOptions): Promise<CodexSetup> {
  const env = options.env ?? process.env;
  const root = resolve(options.root);
  const binary = findCodex(options.binary, env);
  const capabilities = await probeCodex(binary, probesDirectory(root), env);
  const home = prepareHome({ root, codex_home: options.codex_home, profile: options.profile, env });
  const setup: CodexSetup = {
    root,
    cwd: resolve(options.worker_cwd ?? root),
    binary,
    capabilities,
    home,
    profile: options.profile,
    env,
    extraEnvNames: options.extraEnvNames ?? [],
  };
  // Asked for now, so that what cannot be switched off is refused before the first call.
  await isolationArguments(setup, setup.cwd);
  return setup;
}

function useAppServer(options: CodexWorkerOptions, setup: CodexSetup): boolean {
  const { lane, profile } = options;
  if (lane === 'exec') return false;
  const hindrance = !setup.capabilities.appServer
    ? `codex ${setup.capabilities.version} does not speak the protocol that this lane needs`
    : profile !== undefined
      ? 'codex app-server takes no profile'
      : setup.home.login.kind === 'variable'
        ? 'codex app-server does not log in by CODEX_API_KEY or CODEX_ACCESS_TOKEN'
        : undefined;
  if (hindrance === undefined) return true;
  if (lane === 'auto') return false;
  throw new RlmError('unavailable', `the app-server lane cannot be used: ${hindrance}`, {
    hint: 'Use the lane exec or auto, or log in with `codex login --with-api-key`.',
  });
}
