import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { cacheDirectory, SCHEMA_VERSION } from '../contracts/index.ts';
import { systemCode } from '../errors.ts';
import { ensureDirectory, readTextFile, writeFileAtomic } from '../files/index.ts';
import { sha256 } from '../text/index.ts';

const CachedAnswer = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  text: z.string(),
  worker: z.string(),
  model: z.string().nullable(),
  created_at: z.iso.datetime(),
  /** Over the key, the text and who answered: an entry that was edited, or put under another key, is not believed. */
  sha256: z.string(),
});
type CachedAnswer = z.infer<typeof CachedAnswer>;

/**
 * Accepted answers of all runs of a root, by content: `.rlm/cache/answers/<2 hex>/<62 hex>.json`.
 * The key covers the chunk's bytes, question, instructions and schema (the flow's part), and the worker, its
 * version, model and effort (ours).
 */
export class AnswerCache {
  readonly #directory: string;

  constructor(root: string) {
    this.#directory = cacheDirectory(root, 'answers');
  }

  /** The full key; parts are length-prefixed so that no two lists of parts give one key. */
  static key(parts: Array<string | null>): string {
    const text = parts.map((part) => (part === null ? '-\n' : `${part.length}:${part}\n`)).join('');
    return sha256(text);
  }

  get(key: string): CachedAnswer | undefined {
    const path = this.#path(key);
    try {
      const { data } = CachedAnswer.safeParse(JSON.parse(readTextFile(path)));
      return data !== undefined && data.sha256 === digestOf(key, data) ? data : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps an answer where that can be done: a run whose answer is accepted already does not fail for its cache. */
  put(key: string, answer: Pick<CachedAnswer, 'text' | 'worker' | 'model'>): void {
    const path = this.#path(key);
    try {
      if (!existsSync(dirname(path))) ensureDirectory(dirname(path));
      writeFileAtomic(
        path,
        JSON.stringify({
          schema_version: SCHEMA_VERSION,
          ...answer,
          created_at: new Date().toISOString(),
          sha256: digestOf(key, answer),
        } satisfies CachedAnswer),
      );
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }

  #path(key: string): string {
    return join(this.#directory, key.slice(0, 2), `${key.slice(2)}.json`);
  }
}

function digestOf(
  key: string,
  { text, worker, model }: Pick<CachedAnswer, 'text' | 'worker' | 'model'>,
): string {
  return AnswerCache.key([key, text, worker, model]);
}
