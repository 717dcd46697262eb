import { z } from 'zod';
import type { LoadedConfig } from '../config/index.ts';
import { OPERATOR_ONLY, REFINE_OPERATOR_ONLY } from '../contracts/index.ts';
import type { ToolName } from '../errors.ts';
import type { RunHandle } from '../runs/index.ts';

/** What a tool may use of its surroundings; kept narrow on purpose. */
export interface ToolContext {
  /** The server's or command's root: `.rlm/` lies in it. Absolute. */
  root: string;
  /** Where relative paths of the caller start: the root over MCP, the working directory at the command line. */
  cwd: string;
  config: LoadedConfig;
  /** Over MCP documents must lie under the root or an input root; a person may name any path. */
  caller: 'mcp' | 'cli';
  /** The run the caller means: by id under the root over MCP; also one in `--run-dir` at the command line. */
  openRun(runId: string): RunHandle;
  /** Aborts when the caller gives the call up. It never ends a run. */
  signal: AbortSignal;
  /** Seconds that this caller may be kept waiting at most: its client ends a longer call. */
  maxWaitSec: number;
  /** Reports to the caller how far a long call is; a no-op when nobody listens. */
  progress(report: { progress: number; total?: number; message: string }): void;
}

/** The four hints of MCP, all explicit. */
interface ToolAnnotations {
  readOnlyHint: boolean;
  destructiveHint: boolean;
  idempotentHint: boolean;
  openWorldHint: boolean;
}

/** What a tool is: the MCP server, the command line and the tool reference are all made from this object. */
export interface ToolDefinition<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> {
  /** `rlm_run_batch`; the command is `rlm batch` where `command` says so, else the name without `rlm_`, dashed. */
  name: ToolName;
  title: string;
  /** First sentence: what it is for, with the words an agent would search for. */
  description: string;
  input: Input;
  /** Arguments of a call that would do, for whoever sent some that do not. */
  example: z.input<Input>;
  output: Output;
  annotations: ToolAnnotations;
  /** It starts or takes up background work: refused deeper than `max_depth`, followed at the command line. */
  startsWork?: boolean;
  command?: {
    name?: string;
    /** Input fields that are positional arguments, in order. */
    positional?: string[];
    /** Further input fields that only a person has. */
    only?: string[];
    /** Command lines that work, without `rlm`, for the command's help. */
    examples?: string[];
  };
}

/** A definition and what carries it out. */
export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject>
  extends ToolDefinition<Input, Output> {
  run(input: z.infer<Input>, context: ToolContext): Promise<z.infer<Output>>;
}

/** The function that carries a tool out: `export const handleAsk: Handler<typeof ask>`. */
export type Handler<Definition> =
  Definition extends ToolDefinition<infer Input, infer Output>
    ? (input: z.infer<Input>, context: ToolContext) => Promise<z.infer<Output>>
    : never;

/** Keeps the types of one definition. It is loaded at every start, so it imports nothing heavy. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): ToolDefinition<Input, Output> {
  return definition;
}

/**
 * Joins a definition with its handler, whose code is loaded at the first call: a server lists all tools at its start,
 * and must start fast, but calls few of them.
 */
export function withHandler<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
  load: () => Promise<Handler<ToolDefinition<Input, Output>>>,
): Tool<Input, Output> {
  return { ...definition, run: async (input, context) => (await load())(input, context) };
}

/** The program of a worker as a client names it: what a client may start is for the configuration to say. */
const namedCommand = z
  .string()
  .min(1)
  .describe('A program as the worker: a name under commands in .rlm/config.json')
  .transform((name) => [name]);

/** Over MCP a run is found by its id, so it lies under the root. */
const NOT_FOR_CLIENTS: ReadonlySet<string> = new Set([...OPERATOR_ONLY, ...REFINE_OPERATOR_ONLY, 'run_dir']);

/** What a caller may give: a client has no options of the operator, and names programs instead of giving them. */
export function inputFor(tool: Tool, caller: ToolContext['caller']): z.ZodObject {
  if (caller === 'cli') return tool.input;
  const only = new Set(tool.command?.only);
  const fields = Object.entries(tool.input.shape).filter(
    ([name]) => !NOT_FOR_CLIENTS.has(name) && !only.has(name),
  );
  const shape = Object.fromEntries(fields);
  return z.object('command' in shape ? { ...shape, command: namedCommand.optional() } : shape);
}
