import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type LoadedConfig, loadConfig } from '../config/index.ts';
import { RlmError } from '../errors.ts';
import { openRun } from '../runs/index.ts';
import type { ToolContext } from './tool.ts';

/**
 * The one root of a server or command: `--root`, else `RLM_ROOT`, else the working directory.
 *
 * @throws RlmError `usage` when it is not a directory
 */
export function findRoot(option: string | undefined): string {
  const root = resolve(option ?? (process.env.RLM_ROOT || process.cwd()));
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new RlmError('usage', `the root ${root} is not a directory`, {
      hint: 'Name an existing directory with --root or RLM_ROOT.',
    });
  }
  return root;
}

/** What a tool may use, for one call. The configuration is read anew each time: a person may just have fixed it. */
export function createContext(
  call: Pick<ToolContext, 'root' | 'cwd' | 'caller' | 'signal' | 'progress'> &
    Partial<Pick<ToolContext, 'openRun'>>,
): ToolContext {
  let config: LoadedConfig | undefined;
  return {
    openRun: (runId) => openRun(call.root, runId),
    ...call,
    // Read when it is asked for: a tool that needs none also works where it is broken, as the doctor must.
    get config() {
      config ??= loadConfig(call.root);
      return config;
    },
  };
}
