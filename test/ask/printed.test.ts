import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { connectClient, rlm, textOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { unit } from './asker.ts';
import { readAnswer, readEvidence, verifyAnswer } from './verify-answer.ts';

const QUESTION = 'What is the code word of unit 3?';
const RESULT_BYTES_MAX = 8 * 1024;

function documents(count: number): string {
  const root = temporaryDirectory();
  for (let n = 1; n <= count; n += 1) place(join(root, 'docs', `unit-${n}.md`), unit(n));
  return root;
}

test('what is printed is cited, and each citation opens at lines that hold the quoted words', async () => {
  const root = documents(12);
  const args = ['ask', QUESTION, '--input', 'docs', '--worker', 'extractive', '--run-id', 'printed'];
  const { code, stdout, stderr } = await rlm(args, { cwd: root });
  expect(code, stderr).toBe(0);
  const runDir = join(root, '.rlm/runs/printed');
  verifyAnswer(runDir);

  const [content = '', rest = ''] = stdout.split('\nCitations\n');
  const citations = [...rest.matchAll(/^(?:\[(\d+)\]| {3,}) (\S+):(\d+)-(\d+)\n {6}“(.+)”$/gm)];
  expect(citations.length).toBe(readAnswer(runDir).citations.length);
  expect(citations.map(([, , path]) => path)).toContain('docs/unit-3.md');
  for (const [, mark, path = '', first, last, quote = ''] of citations) {
    expect(content).toContain(`[${mark}]`);
    const lines = readFileSync(join(root, path), 'utf8')
      .split('\n')
      .slice(Number(first) - 1, Number(last));
    expect(lines.join(' ').replace(/\s+/g, ' ')).toContain(quote.replace(/…$/, '').trim());
  }
  expect(stdout).toMatch(/^Coverage\n {2}\d+\.?\d* % of the bytes were read/m);
  expect(stdout).toMatch(/^Gaps\n {2}- /m);
  expect(stdout).toMatch(
    /^cost: (\d+) of \1 calls answered in \1 attempts, 0 from the cache, 0 input and 0 output tokens, 0\.0000 USD$/m,
  );
  expect(stdout).toMatch(/^answered by extractive \(worker extractive; 1 pass over the best chunks\)$/m);
  expect(stdout).toContain(`run: printed (${runDir})`);
});

test('--json prints exactly the structured result, and the exit code tells how it went', async () => {
  const root = documents(1);
  const args = ['ask', QUESTION, '--input', 'docs', '--json'];
  const good = await rlm([...args, '--worker', 'extractive', '--run-id', 'good'], { cwd: root });
  expect(good.code).toBe(0);
  expect(JSON.parse(good.stdout)).toMatchObject({
    run_id: 'good',
    kind: 'ask',
    progress: {},
    next: [{ tool: 'rlm_read', args: { uri: 'rlm://runs/good/evidence' } }],
  });
  // A worker that never answers: none of the calls succeeded.
  const bad = await rlm([...args, '--command', 'false', '--retries', '0', '--run-id', 'bad'], { cwd: root });
  expect(bad.code).toBe(3);
  const { answer } = verifyAnswer(join(root, '.rlm/runs/bad'));
  expect(answer.citations).toEqual([]);
  expect(answer.gaps.join('\n')).toContain('A job failed');
});

test('answer and evidence of an ask are resources, and the answer is listed', async () => {
  const root = documents(2);
  const args = ['ask', QUESTION, '--input', 'docs', '--worker', 'extractive', '--run-id', 'shown'];
  await rlm(args, { cwd: root });
  const client = await connectClient(root);
  const read = async (uri: string) => {
    const { contents } = await client.readResource({ uri });
    const texts = z.array(z.object({ mimeType: z.string(), text: z.string() })).parse(contents);
    expect(Buffer.byteLength(texts.map(({ text }) => text).join(''))).toBeLessThanOrEqual(24_576);
    const of = (type: string) => texts.find(({ mimeType }) => mimeType === type)?.text ?? '';
    return { markdown: of('text/markdown'), json: JSON.parse(of('application/json')) };
  };
  const runDir = join(root, '.rlm/runs/shown');
  const answer = await read('rlm://runs/shown/answer');
  expect(answer.json).toMatchObject(readAnswer(runDir));
  expect(answer.markdown).toContain('## Citations\n\n[1] `docs/');
  const { resources } = await client.listResources();
  expect(resources.map(({ uri }) => uri)).toContain('rlm://runs/shown/answer');

  // Evidence may need pages; together they are the file, and no page cuts an item.
  const Evidence = z.object({ items: z.array(z.unknown()), next_cursor: z.string().nullable() });
  const items: unknown[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: z.infer<typeof Evidence> = Evidence.parse(
      (await read(`rlm://runs/shown/evidence${cursor === '' ? '' : `?cursor=${cursor}`}`)).json,
    );
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  expect(items).toMatchObject(readEvidence(runDir).items);
});

test('by hand: results stay small in any script, and new jobs are never answered by old answers', async () => {
  const root = documents(3);
  const line = '第一章：「缓存」的答案保存十四天。"quoted" \\ and so on；';
  place(join(root, 'docs/long.md'), `${`${line.repeat(60)}\n\n`.repeat(40)}`);
  place(join(root, 'docs/quotes.txt'), '"\\"\\"\n'.repeat(4000));
  const client = await connectClient(root);
  const call = async (name: string, input: Record<string, unknown>) => {
    const result = await client.callTool({ name, arguments: input });
    expect(Buffer.byteLength(textOf(result)), name).toBeLessThanOrEqual(RESULT_BYTES_MAX);
    expect(result.isError, textOf(result)).not.toBe(true);
    return z.record(z.string(), z.unknown()).parse(result.structuredContent);
  };
  await call('rlm_ingest', { input: ['docs'], run_id: 'by-hand' });
  const queries = Array.from({ length: 10 }, (_, n) => `${'缓存的答案保存多少天？'.repeat(20)} ${n}`);
  await call('rlm_search', { run_id: 'by-hand', queries, top_k: 50 });
  await call('rlm_search', { run_id: 'by-hand', queries: [QUESTION], top_k: 50 });
  // What has to be escaped in JSON is paid for by the reader too; `next` goes on where the text ends.
  const read = await call('rlm_read', { run_id: 'by-hand', source: 'docs/quotes.txt', line_start: 1 });
  const { text, next } = z
    .object({ text: z.string(), next: z.tuple([z.object({ args: z.object({ byte_start: z.int() }) })]) })
    .parse(read);
  expect(next[0].args.byte_start).toBe(Buffer.byteLength(text));
  expect(text.length).toBeGreaterThan(2000);

  const ask = async (question: string) => {
    const built = await call('rlm_build_jobs', { run_id: 'by-hand', questions: [question] });
    const run = async () => {
      await call('rlm_run_batch', { run_id: 'by-hand', worker: 'extractive' });
      return call('rlm_wait', { run_id: 'by-hand' });
    };
    return { built, run };
  };
  const first = await ask(QUESTION);
  const ran = await first.run();
  expect(ran).toMatchObject({ progress: { total: first.built.jobs, accepted: first.built.jobs } });
  const reduced = await call('rlm_reduce_evidence', { run_id: 'by-hand' });
  expect(reduced).toMatchObject({ counts: { jobs_never_sent: 0 } });

  // The same chunks, another question: until it is run, nothing was answered.
  const second = await ask('Which code word does unit 1 have, and who chose it?');
  expect(await call('rlm_reduce_evidence', { run_id: 'by-hand' })).toMatchObject({
    counts: { jobs_accepted: 0, jobs_never_sent: second.built.jobs, items: 0 },
  });
  const again = await second.run();
  expect(again).toMatchObject({
    progress: { total: second.built.jobs, accepted: second.built.jobs, failed: 0 },
  });

  // The documents change under the jobs: what was answered about them is no evidence about the new ones.
  place(join(root, 'docs/unit-1.md'), unit(1, 'other'));
  await call('rlm_ingest', { input: ['docs'], run_id: 'by-hand' });
  const stale = await client.callTool({ name: 'rlm_reduce_evidence', arguments: { run_id: 'by-hand' } });
  expect(textOf(stale)).toContain('was built from documents that changed since');
});

test('by hand: contradictions come with the places of both sides', async () => {
  const root = temporaryDirectory();
  place(join(root, 'docs/old.md'), 'The request time-out of the server is 30 seconds.\n');
  place(join(root, 'docs/new.md'), 'The request time-out of the server is 60 seconds.\n');
  const client = await connectClient(root);
  const call = async (name: string, input: Record<string, unknown>) => {
    const result = await client.callTool({ name, arguments: { run_id: 'sides', ...input } });
    expect(result.isError, textOf(result)).not.toBe(true);
    return result.structuredContent;
  };
  await call('rlm_ingest', { input: ['docs'] });
  await call('rlm_build_jobs', { questions: ['What is the request time-out of the server?'] });
  await call('rlm_run_batch', { worker: 'extractive' });
  await call('rlm_wait', {});
  const reduced = z
    .object({ conflicts: z.int(), conflicting: z.array(z.object({ sources: z.array(z.string()) })) })
    .parse(await call('rlm_reduce_evidence', {}));
  expect(reduced.conflicts).toBe(1);
  expect(reduced.conflicting[0]?.sources.sort()).toEqual(['docs/new.md:1-1', 'docs/old.md:1-1']);
});
