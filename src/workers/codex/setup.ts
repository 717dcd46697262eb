import { delimiter } from 'node:path';
import { workerEnvironment } from '../../processes/index.ts';
import type { CodexHome } from './home.ts';
import type { CodexBinary, CodexCapabilities } from './installation.ts';

/** What both lanes know about the installed Codex and where it lives. Made once for a worker. */
export interface CodexSetup {
  root: string;
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
