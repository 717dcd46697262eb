import { RlmError } from '../errors.ts';
import { truncate } from '../text/index.ts';
import {
  callTool,
  clientSchema,
  createContext,
  findRoot,
  inputFor,
  TOOLS,
  type Tool,
} from '../tools/index.ts';
import { describeError, logError } from './errors.ts';

/**
 * The tool list of the protocol, made from the definitions. Without output schemas: every client pays for the list in
 * each session, and a result says what its fields are.
 */
export function describeTools(): ReturnType<typeof describeTool>[] {
  described ??= TOOLS.map(describeTool);
  return described;
}

/** Made once: it takes 10 ms. */
let described: ReturnType<typeof describeTool>[] | undefined;

function describeTool(tool: Tool) {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: clientSchema(inputFor(tool, 'mcp')),
    annotations: tool.annotations,
  };
}

export interface CallResult {
  content: { type: 'text'; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: true;
  [key: string]: unknown;
}

/**
 * Calls a tool by name. A result is `structuredContent` and exactly its JSON as text; a failure is text alone,
 * because Codex shows the model `structuredContent` only and Claude the text only.
 */
export async function answerCall(
  name: string,
  input: Record<string, unknown>,
  call: {
    root: string;
    signal: AbortSignal;
    maxWaitSec: number;
    progress(report: { progress: number; total?: number; message: string }): void;
  },
): Promise<CallResult> {
  try {
    const tool = findTool(name);
    // It may have gone since the server started.
    const root = findRoot(call.root);
    const context = createContext({ ...call, cwd: root, caller: 'mcp' });
    const structuredContent = await callTool(tool, input, context);
    return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
  } catch (error) {
    if (!(error instanceof RlmError) || error.code === 'internal') logError(error, `${name} failed`);
    return { content: [{ type: 'text', text: JSON.stringify(describeError(error)) }], isError: true };
  }
}

function findTool(name: string): Tool {
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool !== undefined) return tool;
  throw new RlmError('not_found', `no tool '${truncate(name, 100)}'`, {
    hint: `The tools are ${TOOLS.map((candidate) => candidate.name).join(', ')}.`,
  });
}
