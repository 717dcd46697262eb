import type { Script, ScriptedReply } from '../support/script.ts';

const HOUR = 3600;

/** What the scripted model does when the prompt says `MODE=<name>`. Shapes are those of the real API. */
const REPLIES: Readonly<Record<string, ScriptedReply>> = {
  ok: {
    kind: 'answer',
    text: '{"ok":true}',
    usage: { input: 100, cached: 40, output: 20, reasoning: 5 },
  },
  prose: { kind: 'answer', text: 'No JSON at all {', usage: { input: 7, output: 3 } },
  slow: { kind: 'answer', text: '{"ok":true}', usage: { input: 1, output: 1 }, delayMs: 700 },
  throttled: error(429, { message: 'Slow down.', code: 'rate_limit_exceeded' }),
  server: error(500, { message: 'boom' }),
  auth: error(401, { message: 'Incorrect API key provided' }),
  overflow: error(400, { message: 'Too long.', code: 'context_length_exceeded' }),
  schema: error(400, {
    message: "Invalid schema for response_format 'codex_output_schema'",
    type: 'invalid_request_error',
    code: 'invalid_json_schema',
  }),
  quota: error(429, { message: 'You exceeded your current quota.', code: 'insufficient_quota' }),
  limit: error(429, {
    message: 'The usage limit has been reached',
    type: 'usage_limit_reached',
    plan_type: 'plus',
    resets_at: Math.floor(Date.now() / 1000) + HOUR,
  }),
  model: error(404, { message: 'The model does not exist', code: 'model_not_found' }),
  cut: { kind: 'cut' },
  hang: { kind: 'hang' },
};

function error(status: number, body: Record<string, unknown>): ScriptedReply {
  return { kind: 'status', status, body: { error: body } };
}

export const modeScript: Script = {
  keyOf: (prompt) => modeOf(prompt),
  reply: ({ prompt }) => REPLIES[modeOf(prompt)] ?? { kind: 'answer', text: 'no such mode' },
};

export function modeOf(prompt: string): string {
  return /MODE=(\w+)/.exec(prompt)?.[1] ?? '';
}
