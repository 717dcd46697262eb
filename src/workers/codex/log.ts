import { z } from 'zod';
import { addUsage, NO_USAGE, type Usage } from '../../contracts/index.ts';
import { readLineBatches } from '../../files/index.ts';

/** What the log of `codex exec --json` says of one call. */
export interface CodexLog {
  /** Text of the last agent message. */
  answer: string | undefined;
  /** Sum over all completed turns. */
  usage: Usage;
  /** Whether the last turn ended well. */
  completed: boolean;
  /** Message of the failed turn, else of the last error event. */
  error: string | undefined;
}

const count = z.int().nonnegative().catch(0);
const CodexEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('item.completed'),
    item: z.looseObject({ type: z.string(), text: z.string().optional() }),
  }),
  z.object({
    type: z.literal('turn.completed'),
    usage: z.object({
      input_tokens: count,
      cached_input_tokens: count,
      output_tokens: count,
      reasoning_output_tokens: count,
    }),
  }),
  z.object({ type: z.literal('turn.failed'), error: z.object({ message: z.string() }) }),
  // Not final by itself: `Reconnecting… 1/2` is one too. What counts is how the turn ends.
  z.object({ type: z.literal('error'), message: z.string() }),
]);

/**
 * Streams a log; lines that are no JSON, unknown, or absurdly long are passed over.
 *
 * @param start byte offset at which this call's log starts in the file
 */
export async function readCodexLog(path: string, start: number): Promise<CodexLog> {
  const log: CodexLog = { answer: undefined, usage: NO_USAGE, completed: false, error: undefined };
  for await (const batch of readLineBatches(path, { start, longLines: 'skip' })) {
    for (const { text } of batch) take(log, text);
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
  const { data: event } = CodexEvent.safeParse(value);
  switch (event?.type) {
    case 'item.completed':
      if (event.item.type === 'agent_message') log.answer = event.item.text ?? '';
      return;
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
