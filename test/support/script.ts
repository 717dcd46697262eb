/** What the scripted model saw of one call. */
export interface ScriptedCall {
  /** Everything the model reads, instructions and input, as one text. */
  prompt: string;
  /** The request as it came over the wire. */
  body: Record<string, unknown>;
  /** Bytes of the request's body. */
  bytes: number;
  /** How many calls with the same `key` came before this one. */
  earlier: number;
}

/** What the scripted model does about it. Numbers are tokens, or milliseconds where the name says so. */
export type ScriptedReply =
  | { kind: 'answer'; text: string; usage?: ScriptedUsage; delayMs?: number }
  /** `namespace`: Codex offers the tools of an MCP server in one, such as `mcp__rlm`. */
  | {
      kind: 'tool';
      name: string;
      namespace?: string;
      arguments: Record<string, unknown>;
      usage?: ScriptedUsage;
    }
  /** An HTTP error. `body` is the JSON error object the provider would send. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: unknown }
  /** The stream starts and then tells of an error, as providers do once they have said 200. */
  | { kind: 'failed'; type: string; message: string }
  /** The stream starts and is cut before it is complete. */
  | { kind: 'cut' }
  /** The request is taken and nothing ever comes back. */
  | { kind: 'hang' };

export interface ScriptedUsage {
  input: number;
  cached?: number;
  output: number;
  reasoning?: number;
}

/** A model is a function of the call; `keyOf` groups calls (by job) so that `earlier` counts per group. */
export interface Script {
  keyOf(prompt: string): string;
  reply(call: ScriptedCall): ScriptedReply | Promise<ScriptedReply>;
}
