import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type LoadedConfig, loadConfig } from '../config/index.ts';
import { asReadable, RlmError } from '../errors.ts';
import { currentDepth } from '../processes/index.ts';
import { openRun } from '../runs/index.ts';
import { checkInput } from './check-input.ts';
import type { Tool, ToolContext } from './tool.ts';

/**
 * The one root of a server or command: `--root`, else `RLM_ROOT`, else the working directory.
 *
 * @throws RlmError `usage` when it is not a directory
 */
export function findRoot(option: string | undefined): string {
  const root = resolve(option ?? (process.env.RLM_ROOT || process.cwd()));
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new RlmError('usage', `the root ${root} is not a directory`, {
      hint: 'Name an existing directory as the root, or in RLM_ROOT.',
    });
  }
  return root;
}

/** What a tool may use, for one call. The configuration is read anew each time: a person may just have fixed it. */
export function createContext(
  call: Pick<ToolContext, 'root' | 'cwd' | 'caller' | 'signal' | 'progress'> &
    Partial<Pick<ToolContext, 'openRun' | 'maxWaitSec'>>,
): ToolContext {
  let config: LoadedConfig | undefined;
  return {
    openRun: (runId) => openRun(call.root, runId),
    maxWaitSec: Number.POSITIVE_INFINITY,
    ...call,
    // Read when it is asked for: a tool that needs none also works where it is broken, as the doctor must.
    get config() {
      config ??= loadConfig(call.root);
      return config;
    },
  };
}

/**
 * Calls a tool the way both faces do: checks the input, refuses work that would nest too deep, runs it, and
 * holds the result to the tool's own output schema.
 *
 * @param nameOf how the caller calls an input field; an error speaks of `--run-id` or of `run_id`
 * @throws RlmError `usage` naming every wrong field, `limit` for the depth, and whatever the tool throws
 */
export async function callTool(
  tool: Tool,
  input: Record<string, unknown>,
  context: ToolContext,
  nameOf: (field: string) => string = (field) => field,
): Promise<Record<string, unknown>> {
  const checked = checkInput(tool, input, context.caller, nameOf);
  if (tool.startsWork) await checkDepth(tool, context);
  const result = tool.output.safeParse(await run(tool, checked, context));
  if (result.success) return result.data;
  throw new RlmError(
    'internal',
    `${tool.name} returned what its output schema forbids: ${z.prettifyError(result.error)}`,
  );
}

async function run(tool: Tool, input: Record<string, unknown>, context: ToolContext) {
  try {
    return await tool.run(input, context);
  } catch (error) {
    throw asReadable(error);
  }
}

async function checkDepth(tool: Tool, context: ToolContext): Promise<void> {
  const depth = currentDepth();
  const limit = context.config.values.limits.max_depth;
  if (depth < limit) return;
  throw new RlmError('limit', `${tool.name} is refused at depth ${depth}: max_depth is ${limit}`, {
    hint: 'This is a worker inside a worker. Answer from what you were given, or raise limits.max_depth in .rlm/config.json.',
  });
}
