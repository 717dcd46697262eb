import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import type { Caller } from '../../dispatch/index.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { resolveInside } from '../../files/index.ts';
import type { RunHandle } from '../../runs/index.ts';
import type { ToolContext } from '../tool.ts';

/** A larger one is no input that somebody wrote. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reads an object from the file a caller named; empty without one.
 *
 * @throws RlmError `forbidden`, `not_found` or `usage`, naming the file
 */
export function readInputFile(path: string | undefined, context: ToolContext): Record<string, unknown> {
  if (path === undefined) return {};
  const absolute = isAbsolute(path) ? resolve(path) : resolve(context.cwd, path);
  if (context.caller === 'mcp') resolveInside(context.root, absolute, 'file');
  const stat = statSync(absolute, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new RlmError('not_found', `file: ${absolute} is not a file`);
  if (stat.size > MAX_BYTES)
    throw new RlmError('limit', `file: ${absolute} has more than ${MAX_BYTES} bytes`);
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(absolute, 'utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? 'is not a JSON object' : messageOf(error);
    throw new RlmError('usage', `file: ${absolute}: ${why}`);
  }
}

/**
 * Checks an object that came from a file and from fields together.
 *
 * @throws RlmError `usage` naming every field that is wrong
 */
export function checkFields<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 10)
    .map(({ path, message }) => `${path.length === 0 ? 'input' : path.join('.')}: ${message}`);
  throw new RlmError('usage', problems.join('; '));
}

/** `take_over` in the words of the locks. */
export function takeOverOf(takeOver: boolean): 'always' | 'if-dead' {
  return takeOver ? 'always' : 'if-dead';
}

/** @throws RlmError `usage` when the run is not one of a plan */
export function openPlanRun(context: ToolContext, runId: string): RunHandle {
  const run = context.openRun(runId);
  if (run.record.kind === 'plan') return run;
  throw new RlmError('usage', `run '${runId}' is a ${run.record.kind} run, not one of a plan`, {
    hint: { text: 'List the runs and their kinds.', action: { tool: 'rlm_status', args: {} } },
  });
}

/** What a flow needs to know about the caller of a tool. */
export function callerOf(context: ToolContext): Caller {
  return {
    root: context.root,
    cwd: context.cwd,
    config: context.config.values,
    allowedRoots: context.caller === 'cli' ? null : [context.root, ...context.config.values.input_roots],
    environment: process.env,
  };
}
