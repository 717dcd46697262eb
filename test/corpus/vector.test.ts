import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { configuredEmbeddings, ingest, search } from '../../src/corpus/index.ts';
import { workplace } from './fixtures.ts';

const Request = z.object({ model: z.string(), input: z.array(z.string()) });

let server: Server | undefined;
afterEach(() => server?.close());

/** An endpoint whose vectors count a few themes, whatever the words: what BM25 cannot see. */
async function endpoint(
  answer: { status?: number } = {},
): Promise<{ url: string; texts: string[]; keys: string[] }> {
  const texts: string[] = [];
  const keys: string[] = [];
  const themes = [/sea|ship|harbou?r|vessel/gi, /money|bank|loan/gi, /tree|forest|leaf/gi];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += String(part);
    });
    request.on('end', () => {
      keys.push(request.headers.authorization ?? '');
      if (answer.status !== undefined) {
        response.writeHead(answer.status).end('no');
        return;
      }
      const { input } = Request.parse(JSON.parse(body));
      texts.push(...input);
      // In reverse order: the index of each vector counts.
      const data = input.map((text, index) => ({
        index,
        embedding: [...themes.map((theme) => text.match(theme)?.length ?? 0), 0.01],
      }));
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ data: data.reverse() }));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return { url: `http://127.0.0.1:${address.port}/v1`, texts, keys };
}

async function documents(): Promise<{ run: string; root: string; docs: string }> {
  const place = workplace();
  place.put('a.txt', 'The vessel left the harbour.\n');
  place.put('b.txt', 'A bank gives a loan when the ship owner asks.\n');
  place.put('c.txt', 'Each leaf of the tree fell in the forest.\n');
  await ingest(place.run, ['.'], { base: place.docs });
  return { run: place.run, root: join(place.run, '..'), docs: place.docs };
}

describe('vectors', () => {
  it('orders by meaning, keeps the vectors, and asks for new ones only', async () => {
    const { run, root } = await documents();
    const { url, texts, keys } = await endpoint();
    process.env.RLM_TEST_KEY = 'secret';
    const configured = { url, model: 'themes', key_variable: 'RLM_TEST_KEY' };
    const embeddings = configuredEmbeddings(root, { embeddings: configured });
    if (embeddings === undefined) expect.fail('no endpoint');
    const [result] = await search(run, ['sea sea sea'], { mode: 'vector', embeddings });
    expect(result?.hits[0]?.source).toBe('a.txt');
    expect(texts).toHaveLength(4);
    expect(new Set(keys)).toEqual(new Set(['Bearer secret']));
    await search(run, ['sea sea sea', 'forest'], { mode: 'vector', embeddings });
    expect(texts).toHaveLength(5);
    const [hybrid] = await search(run, ['ship at sea'], { mode: 'hybrid', embeddings });
    expect(
      hybrid?.hits
        .slice(0, 2)
        .map(({ source }) => source)
        .sort(),
    ).toEqual(['a.txt', 'b.txt']);
  });

  it('fails clearly without an endpoint that answers, and hybrid goes on with BM25', async () => {
    const { run, root } = await documents();
    await expect(search(run, ['ship'], { mode: 'vector' })).rejects.toMatchObject({ code: 'unavailable' });
    const { url } = await endpoint({ status: 500 });
    const embeddings = { url, model: 'themes', cacheDirectory: join(root, 'vectors') };
    await expect(search(run, ['ship'], { mode: 'vector', embeddings })).rejects.toThrow(/HTTP 500/);
    const [result] = await search(run, ['ship'], { mode: 'hybrid', embeddings });
    expect(result?.hits.map(({ source }) => source)).toEqual(['b.txt']);
    expect(result?.notes.join()).toMatch(/ranked by BM25 alone/);
  });

  it('goes on without a document that is gone, and keeps no vector of a changed one under the old text', async () => {
    const { run, root, docs } = await documents();
    const { url, texts } = await endpoint();
    const embeddings = { url, model: 'themes', cacheDirectory: join(root, 'vectors') };
    rmSync(join(docs, 'b.txt'));
    writeFileSync(join(docs, 'c.txt'), 'A ship, a ship, a ship at sea, at sea!!\n');
    const [result] = await search(run, ['sea'], { mode: 'vector', embeddings });
    expect(result?.hits.map(({ source }) => source)).toEqual(['a.txt', 'c.txt']);
    expect(result?.hits[1]?.score).toBeGreaterThan(0.9);
    expect(result?.notes.filter((note) => note.startsWith('b.txt'))).toHaveLength(1);
    writeFileSync(join(docs, 'c.txt'), 'Each leaf of the tree fell in the forest.\n');
    await search(run, ['sea'], { mode: 'vector', embeddings });
    expect(texts.at(-1)).toContain('Each leaf');
  });
});
