import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { JobRecord } from '../../src/contracts/index.ts';
import { rlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { units } from './asker.ts';

function documents(files: Record<string, string>): string {
  const root = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) place(join(root, name), text);
  return root;
}

function jobsOf(root: string, runId: string): JobRecord[] {
  const lines = readFileSync(join(root, '.rlm/runs', runId, 'jobs.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JobRecord.parse(JSON.parse(line)));
}

test('building jobs says how much of the documents no job reads, and "all" leaves nothing out', async () => {
  const root = documents(units(40));
  const run = async (...args: string[]) => {
    const end = await rlm([...args, '--json'], { cwd: root });
    expect(end.code, end.stderr).toBe(0);
    const result: unknown = JSON.parse(end.stdout);
    return result;
  };
  await run('ingest', 'docs', '--run-id', 'units');
  const question = 'What is the code word of each unit?';
  const questions = ['build-jobs', 'units', '--questions', question];
  expect(await run(...questions)).toMatchObject({
    chosen_by: 'search',
    chunks: 24,
    chunks_total: 40,
    chunks_not_taken: 16,
    documents_total: 40,
    documents_not_taken: 16,
    next: [
      { tool: 'rlm_run_batch', args: { run_id: 'units' } },
      { tool: 'rlm_build_jobs', args: { run_id: 'units', questions: [question], top_k: 'all' } },
    ],
  });
  expect(await run(...questions, '--top-k', 'all')).toMatchObject({
    chosen_by: 'all',
    jobs: 40,
    chunks: 40,
    chunks_not_taken: 0,
    documents_not_taken: 0,
    next: [{ tool: 'rlm_run_batch' }],
  });
  expect(new Set(jobsOf(root, 'units').flatMap(({ spans }) => spans?.map(({ source }) => source))).size).toBe(
    40,
  );
  const wrong = await rlm([...questions, '--top-k', 'most'], { cwd: root });
  expect(wrong.code).toBe(1);
});

/** An endpoint whose vectors count what has to do with the sea, whatever the words. */
async function seaEndpoint(): Promise<string> {
  const Request = z.object({ input: z.array(z.string()) });
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { input } = Request.parse(JSON.parse(Buffer.concat(parts).toString('utf8')));
      const data = input.map((text, index) => {
        const seas = text.match(/sea|ship|harbou?r|vessel/gi)?.length ?? 0;
        return { index, embedding: [seas, 0.01] };
      });
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = z.object({ port: z.int() }).parse(server.address() satisfies AddressInfo | string | null);
  return `http://127.0.0.1:${port}/v1`;
}

test('with embeddings configured, an ask reads what only the vectors find; when they fail, it says so and goes on', async () => {
  const root = documents({ ...units(20), 'docs/zz.md': 'A ship leaves the harbour for the sea.\n' });
  const args = ['ask', 'Whither do vessels voyage?', '--input', 'docs', '--worker', 'extractive'];
  const ask = async (runId: string, url: string) => {
    place(join(root, '.rlm/config.json'), JSON.stringify({ embeddings: { url, model: 'sea' } }));
    const end = await rlm([...args, '--top-k', '1', '--follow-ups', '0', '--run-id', runId], { cwd: root });
    expect(end.code, end.stderr).toBe(0);
    return { read: jobsOf(root, runId).map(({ spans }) => spans?.[0]?.source), stdout: end.stdout };
  };
  expect((await ask('vectors', await seaEndpoint())).read).toEqual(['docs/zz.md']);
  const without = await ask('words', 'http://127.0.0.1:9/v1');
  expect(without.read).toEqual([]);
  expect(without.stdout).toMatch(/^note: .*ranked by BM25 alone/m);
});
