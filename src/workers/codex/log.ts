import { existsSync } from 'node:fs';
import { z } from 'zod';
import { addUsage, NO_USAGE, type Usage } from '../../contracts/index.ts';
import { readLineBatches } from '../../files/index.ts';

/** What the events of a call say: those of `codex exec --json`, and of every runner that wraps it. */
export interface CodexLog {
  /** Text of the last object whose `item.type` is `agent_message`, whatever its event type (CONTRACTS.md A). */
  answer: string | undefined;
  /** Sum over all `turn.completed`; a count that is missing is zero. */
  usage: Usage;
  /** Whether the last turn ended well. */
  completed: boolean;
  /** Message of the last `turn.failed` or `error`. */
  error: string | undefined;
}

const count = z.int().nonnegative().catch(0);
const AgentMessage = z.looseObject({
  item: z.looseObject({ type: z.literal('agent_message'), text: z.string() }),
});
const CodexEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('turn.completed'),
    usage: z
      .object({
        input_tokens: count,
        cached_input_tokens: count,
        output_tokens: count,
        reasoning_output_tokens: count,
      })
      .catch(NO_USAGE),
  }),
  z.object({ type: z.literal('turn.failed'), error: z.object({ message: z.string() }) }),
  // Not final by itself: `Reconnecting… 1/2` is one too. What counts is how the turn ends.
  z.object({ type: z.literal('error'), message: z.string() }),
]);

/** Most lines of a big log are none of these: they are not even parsed. */
const OF_INTEREST = /agent_message|turn\.completed|turn\.failed|"error"/;

/**
 * Streams a log; lines that are no JSON, unknown, or absurdly long are passed over. A call that was cancelled
 * before its start left none.
 *
 * @param options.start byte offset at which this call's log starts in the file
 * @param options.onLine sees every line, JSON or not
 */
export async function readCodexLog(
  path: string,
  options: { start?: number; onLine?: (text: string) => void } = {},
): Promise<CodexLog> {
  const log: CodexLog = { answer: undefined, usage: NO_USAGE, completed: false, error: undefined };
  if (!existsSync(path)) return log;
  for await (const batch of readLineBatches(path, { start: options.start ?? 0, longLines: 'skip' })) {
    for (const { text } of batch) {
      options.onLine?.(text);
      if (OF_INTEREST.test(text)) take(log, text);
    }
  }
  return log;
}

function take(log: CodexLog, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  const message = AgentMessage.safeParse(value);
  if (message.success) {
    log.answer = message.data.item.text;
    return;
  }
  const { data: event } = CodexEvent.safeParse(value);
  switch (event?.type) {
    case 'turn.completed':
      log.usage = addUsage(log.usage, event.usage);
      log.completed = true;
      return;
    case 'turn.failed':
      log.completed = false;
      log.error = event.error.message;
      return;
    case 'error':
      log.error = event.message;
      return;
    default:
  }
}
