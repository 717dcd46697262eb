import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Config } from '../../config/index.ts';
import { cacheDirectory } from '../../contracts/index.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { ensureDirectory, writeFileAtomic } from '../../files/index.ts';
import { sha256 } from '../../text/index.ts';
import type { Scored } from './ranking.ts';

/** An OpenAI-compatible endpoint. */
export interface EmbeddingEndpoint {
  /** Up to and without `/embeddings`, such as `https://api.openai.com/v1`. */
  url: string;
  model: string;
  /** Name of the environment variable that holds the key; none for an endpoint without one. */
  keyVariable?: string;
  /** Texts in a request. Default 64. */
  batch?: number;
  /** Where vectors are kept, by model and text. */
  cacheDirectory: string;
}

/** The endpoint that the configuration names, with the vectors of all runs under one root. */
export function configuredEmbeddings(
  root: string,
  { embeddings }: Partial<Pick<Config, 'embeddings'>>,
): EmbeddingEndpoint | undefined {
  if (embeddings === undefined) return undefined;
  const { url, model, key_variable } = embeddings;
  const key = key_variable === undefined ? {} : { keyVariable: key_variable };
  return { url, model, cacheDirectory: cacheDirectory(root, 'embeddings'), ...key };
}

const DEFAULT_BATCH = 64;
const PARALLEL_REQUESTS = 4;
const TIMEOUT_MS = 60_000;
/** Models read 8,192 tokens at most; more characters than this cannot fit. */
const MAX_CHARACTERS = 24_000;

const Response = z.object({
  data: z.array(z.object({ index: z.int().nonnegative(), embedding: z.array(z.number()).min(1) })),
});

/** A text with the hash of its bytes, by which its vector is kept. */
export interface Embeddable {
  sha256: string;
  text: string;
}

/**
 * Vectors of texts, each of length 1: from the cache where they are, else from the endpoint.
 *
 * @throws RlmError `unavailable` when the endpoint does not answer as it should. There is no retry here: the
 *   vectors that came are kept, so that the next call asks for the missing ones only.
 */
export async function embed(
  endpoint: EmbeddingEndpoint,
  texts: readonly Embeddable[],
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const model = sha256(`${endpoint.url}\n${endpoint.model}`).slice(0, 16);
  const pathOf = (sha256: string) =>
    join(endpoint.cacheDirectory, model, sha256.slice(0, 2), `${sha256}.f32`);
  const missing = new Map<string, Embeddable>();
  for (const text of texts) if (!existsSync(pathOf(text.sha256))) missing.set(text.sha256, text);
  const wanted = [...missing.values()];
  const size = endpoint.batch ?? DEFAULT_BATCH;
  const limit = pLimit(PARALLEL_REQUESTS);
  const batches = Array.from({ length: Math.ceil(wanted.length / size) }, (_, index) =>
    wanted.slice(index * size, (index + 1) * size),
  );
  await Promise.all(
    batches.map((batch) =>
      limit(async () => {
        const vectors = await request(endpoint, batch, signal);
        for (const [index, { sha256 }] of batch.entries()) {
          const vector = vectors[index];
          if (vector === undefined)
            throw wrong(endpoint, `${vectors.length} vectors for ${batch.length} texts`);
          const path = pathOf(sha256);
          ensureDirectory(join(path, '..'));
          writeFileAtomic(path, new Uint8Array(vector.buffer));
        }
      }),
    ),
  );
  return texts.map(({ sha256 }) => {
    const bytes = readFileSync(pathOf(sha256));
    return new Float32Array(new Uint8Array(bytes).buffer);
  });
}

async function request(
  endpoint: EmbeddingEndpoint,
  batch: readonly Embeddable[],
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const key = endpoint.keyVariable === undefined ? undefined : process.env[endpoint.keyVariable];
  if (endpoint.keyVariable !== undefined && !key) {
    throw new RlmError('unavailable', `the environment has no ${endpoint.keyVariable} for ${endpoint.url}`, {
      hint: 'Set it where the server is started, or search with mode bm25.',
    });
  }
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let body: unknown;
  try {
    const response = await fetch(`${endpoint.url.replace(/\/$/, '')}/embeddings`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({
        model: endpoint.model,
        input: batch.map(({ text }) => text.slice(0, MAX_CHARACTERS) || ' '),
        encoding_format: 'float',
      }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    if (!response.ok)
      throw wrong(endpoint, `HTTP ${response.status}: ${(await response.text()).slice(0, 200)}`);
    body = await response.json();
  } catch (error) {
    if (error instanceof RlmError) throw error;
    signal?.throwIfAborted();
    throw wrong(endpoint, messageOf(error));
  }
  const parsed = Response.safeParse(body);
  if (!parsed.success) throw wrong(endpoint, 'its answer is not that of an embeddings endpoint');
  return parsed.data.data.sort((a, b) => a.index - b.index).map(({ embedding }) => normalised(embedding));
}

function wrong(endpoint: EmbeddingEndpoint, detail: string): RlmError {
  return new RlmError('unavailable', `embeddings from ${endpoint.url}: ${detail}`, {
    hint: 'Check the endpoint and the model, or search with mode bm25.',
    retryable: true,
  });
}

function normalised(embedding: readonly number[]): Float32Array {
  let squares = 0;
  for (const value of embedding) squares += value * value;
  const length = Math.sqrt(squares) || 1;
  return Float32Array.from(embedding, (value) => value / length);
}

/** Orders candidates by how near their vector is to the question's. */
export function rankByVector(
  question: Float32Array,
  candidates: readonly { ordinal: number; vector: Float32Array }[],
): Scored[] {
  return candidates
    .map(({ ordinal, vector }) => {
      if (vector.length !== question.length) {
        throw new RlmError('corrupt', `vectors of ${vector.length} and ${question.length} numbers`, {
          hint: 'The endpoint changed its model under the same name: remove .rlm/cache/embeddings.',
        });
      }
      let score = 0;
      for (let at = 0; at < vector.length; at += 1) score += (vector[at] ?? 0) * (question[at] ?? 0);
      return { ordinal, score };
    })
    .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
}
