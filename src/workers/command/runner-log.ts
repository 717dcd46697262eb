import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { addUsage, NO_USAGE, type Usage } from '../../contracts/index.ts';
import { type JsonlLine, readLineBatches } from '../../files/index.ts';

/** What a runner's JSONL log says (CONTRACTS.md A). */
export interface RunnerLog {
  /** Text of the last object whose `item.type` is `agent_message`, whatever its event type. */
  answer: string | undefined;
  /** Sum over all `turn.completed` lines; a count that is missing is zero. */
  usage: Usage;
  /** Message of the last `turn.failed` or `error` event. */
  error: string | undefined;
}

const count = z.int().nonnegative().catch(0);
const AgentMessage = z.looseObject({
  item: z.looseObject({ type: z.literal('agent_message'), text: z.string() }),
});
const TurnCompleted = z.looseObject({
  type: z.literal('turn.completed'),
  usage: z.object({
    input_tokens: count,
    cached_input_tokens: count,
    output_tokens: count,
    reasoning_output_tokens: count,
  }),
});
const TurnFailed = z.looseObject({
  type: z.literal('turn.failed'),
  error: z.looseObject({ message: z.string() }),
});
const ErrorEvent = z.looseObject({ type: z.literal('error'), message: z.string() });

/** Paths a runner printed that are kept until its end: the last that exists is the log. */
const MAX_PATHS = 64;

/**
 * Reads what a runner script printed: the JSONL log at the last printed path that ends in `.jsonl` and exists,
 * else its output as the log. Streams; lines that are no JSON, or absurdly long, are passed over.
 *
 * @param cwd where the runner ran: relative paths start there
 */
export async function readRunnerOutput(
  stdoutPath: string,
  cwd: string,
): Promise<{ log: RunnerLog; path: string | undefined }> {
  const printed: string[] = [];
  const own = await readLog(stdoutPath, (line) => {
    const text = line.text.trimEnd();
    if (!text.endsWith('.jsonl')) return;
    printed.push(text.trimStart());
    if (printed.length > MAX_PATHS) printed.shift();
  });
  for (const name of printed.reverse()) {
    if (name.includes('\0')) continue;
    const path = isAbsolute(name) ? name : resolve(cwd, name);
    // A pipe or a device would never end.
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    return { log: await readLog(path), path };
  }
  return { log: own, path: undefined };
}

async function readLog(path: string, onLine?: (line: JsonlLine) => void): Promise<RunnerLog> {
  const log: RunnerLog = { answer: undefined, usage: NO_USAGE, error: undefined };
  for await (const batch of readLineBatches(path, { longLines: 'skip' })) {
    for (const line of batch) {
      onLine?.(line);
      take(log, line.text);
    }
  }
  return log;
}

/** Most lines of a big log are neither answer nor usage: they are not even parsed. */
const OF_INTEREST = /agent_message|turn\.completed|turn\.failed|"error"/;

function take(log: RunnerLog, text: string): void {
  if (!OF_INTEREST.test(text)) return;
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    return;
  }
  const message = AgentMessage.safeParse(event);
  if (message.success) {
    log.answer = message.data.item.text;
    return;
  }
  const completed = TurnCompleted.safeParse(event);
  if (completed.success) {
    log.usage = addUsage(log.usage, completed.data.usage);
    return;
  }
  const failed = TurnFailed.safeParse(event);
  if (failed.success) log.error = failed.data.error.message;
  const error = ErrorEvent.safeParse(event);
  if (error.success) log.error = error.data.message;
}
