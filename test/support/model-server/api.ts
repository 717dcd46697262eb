import type { ServerResponse } from 'node:http';
import type { ScriptedReply } from '../script.ts';

/** What a scripted reply can be once a connection-level fault (`hang`) has been dealt with by the server. */
export type SendableReply = Exclude<ScriptedReply, { kind: 'hang' }>;

/** One provider's HTTP dialect. The server owns sockets, counting and hanging; a dialect owns bytes. */
export interface ModelApi {
  readonly name: string;
  /** `path` comes without its query string. */
  matches(method: string, path: string): boolean;
  /** Everything the model would read, instructions first, as one text. */
  promptOf(body: Record<string, unknown>): string;
  /** Writes the whole reply and ends the response (`cut`: destroys the socket in mid-stream). */
  send(reply: SendableReply, body: Record<string, unknown>, response: ServerResponse): void;
}

/** Every string found under a `text`, `output`, `content` or `arguments` key, in order. */
export function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner !== 'string') return textsOf(inner);
    return ['text', 'output', 'content', 'arguments'].includes(key) ? [inner] : [];
  });
}
