import { readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type IterationRecord, NO_USAGE, RUN_FILES, SCHEMA_VERSION } from '../../src/contracts/index.ts';
import { createRun } from '../../src/runs/index.ts';
import { connectClient } from '../support/rlm.ts';
import { finishedBatch, jobId, place, temporaryDirectory } from '../support/runs.ts';

const MAX_PAGE_BYTES = 24_576;
const Rows = z.array(z.record(z.string(), z.unknown()));

async function readText(client: Client, uri: string): Promise<string> {
  const { contents } = await client.readResource({ uri });
  return textIn(contents, 'text/markdown');
}

async function readJson(client: Client, uri: string): Promise<Record<string, unknown>> {
  const { contents } = await client.readResource({ uri });
  return JSON.parse(textIn(contents, 'application/json'));
}

const Contents = z.array(z.object({ mimeType: z.string(), text: z.string() }));

/** The text of that type among the contents of a resource, which are never large. */
function textIn(given: unknown, mimeType: string): string {
  const contents = Contents.parse(given);
  expect(Buffer.byteLength(contents.map(({ text }) => text).join(''))).toBeLessThanOrEqual(MAX_PAGE_BYTES);
  const found = contents.find((content) => content.mimeType === mimeType);
  if (found === undefined) throw new Error(`no ${mimeType}: ${JSON.stringify(given).slice(0, 200)}`);
  return found.text;
}

/** Every row of a paged resource. */
async function readPages(client: Client, uri: string, rows: string): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  for (let cursor: unknown; ; ) {
    const first = uri.includes('?') ? `${uri}&` : `${uri}?`;
    const page = await readJson(client, cursor === undefined ? uri : `${first}cursor=${cursor}`);
    all.push(...Rows.parse(page[rows]));
    if (page.next_cursor === null) return all;
    cursor = page.next_cursor;
  }
}

const Page = z.object({
  text: z.string(),
  next: z.array(z.object({ tool: z.literal('rlm_read'), args: z.object({ uri: z.string() }) })),
});

/** A resource of text as `rlm_read` gives it, page by page. */
async function readThrough(client: Client, uri: string): Promise<string> {
  let text = '';
  for (let args: { uri: string } | undefined = { uri }; args !== undefined; ) {
    const { structuredContent } = await client.callTool({ name: 'rlm_read', arguments: args });
    expect(Buffer.byteLength(JSON.stringify(structuredContent))).toBeLessThanOrEqual(8192);
    const page = Page.parse(structuredContent);
    text += page.text;
    args = page.next[0]?.args;
  }
  return text;
}

/** An iteration of a refine loop in which nothing happened. */
const iteration: IterationRecord = {
  schema_version: SCHEMA_VERSION,
  iteration: 1,
  candidate: 1,
  started_at: '2026-11-28T12:00:00.000Z',
  finished_at: '2026-11-28T12:00:01.000Z',
  turns: [],
  summary: null,
  next: null,
  commands: [],
  network: false,
  files_changed: [],
  insertions: 0,
  deletions: 0,
  patch: null,
  tampered: [],
  validator: null,
  metric: null,
  reverted: false,
  usage: NO_USAGE,
  cost_usd: null,
};

test('every template reads, and the run says which parts it has', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 3, failed: [jobId(3)] });
  place(join(run.dir, 'plan.json'), '{"goal_summary":"g"}');
  for (const name of ['reduce_state', 'deferred', 'final']) place(join(run.dir, `${name}.json`), '{}');
  place(join(run.dir, 'reduce/evidence.json'), '{"evidence":[]}');
  place(join(run.dir, 'out/answer.json'), '{"content":"c"}');
  place(join(run.dir, 'ask/preview.json'), '{"jobs":1}');
  place(join(run.dir, 'reduce/coverage.json'), '{"sources":[]}');
  place(join(run.dir, 'summary.json'), '{"jobs_total":3}');
  place(join(run.dir, 'artifacts/reports/map-0001.md'), '# Report\n');
  place(join(run.dir, RUN_FILES.iterations, '0001.json'), JSON.stringify(iteration));
  const client = await connectClient(root);
  const { resourceTemplates } = await client.listResourceTemplates();
  for (const { uriTemplate } of resourceTemplates) {
    const uri = uriTemplate
      .replace('{run_id}', run.id)
      .replace('{job_id}', jobId(1))
      .replace('{worker_id}', 'map-0001')
      .replace('{n}', '1')
      .replace(/\{\?.*\}/, '');
    const { contents } = await client.readResource({ uri });
    expect(Contents.parse(contents)[0]?.text).not.toBe('');
  }
  const base = `rlm://runs/${run.id}`;
  expect(await readJson(client, base)).toMatchObject({
    run_id: run.id,
    parts: [
      'answer',
      'evidence',
      'coverage',
      'preview',
      'summary',
      'plan',
      'inventory',
      'deferred',
      'final',
      'jobs',
      'results',
      'events',
      'iterations',
    ].map((part) => `${base}/${part}`),
  });
  expect(await readText(client, `${base}/answer`)).toContain('{"content":"c"}');
  expect(await readText(client, `${base}/reports/map-0001`)).toBe('# Report\n');
});

test('a dry run says over MCP what the question would take, and where that stands', async () => {
  const root = temporaryDirectory();
  place(join(root, 'docs/a.md'), 'Cats sleep 16 hours a day.\n');
  const client = await connectClient(root);
  const question = {
    question: 'How long do cats sleep?',
    input: ['docs'],
    dry_run: true,
    worker: 'extractive',
  };
  await client.callTool({ name: 'rlm_ask', arguments: { ...question, run_id: 'preview-1' } });
  const { structuredContent } = await client.callTool({
    name: 'rlm_wait',
    arguments: { run_id: 'preview-1' },
  });
  const uri = 'rlm://runs/preview-1/preview';
  expect(structuredContent).toMatchObject({
    state: 'completed',
    reason: expect.stringMatching(/nothing was answered: 1 job over 1 chunk, about \d+ prompt tokens/),
    next: [{ tool: 'rlm_read', args: { uri } }],
  });
  expect(await readJson(client, uri)).toMatchObject({ jobs: 1, chunks: 1 });
});

test('a job shows what was asked, how it ended and its answer', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 3, failed: [jobId(3)] });
  const client = await connectClient(root);
  expect(await readJson(client, `rlm://runs/${run.id}/jobs/${jobId(2)}`)).toMatchObject({
    job: { job_id: jobId(2), chunk_id: 'c-2' },
    result: { status: 'accepted', attempts: 1 },
    answer_path: join(run.dir, 'subresults', `${jobId(2)}.json`),
    answer: { chunk_id: 'c-2', relevant: true },
  });
  expect(await readJson(client, `rlm://runs/${run.id}/jobs/${jobId(3)}`)).toMatchObject({
    result: { status: 'failed', attempts: 3, failure_class: 'invalid_output' },
    answer_path: null,
    answer: null,
  });
});

test('jobs and events come in bounded pages that miss and repeat nothing', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 300, failed: [jobId(7)] });
  const client = await connectClient(root);
  const jobs = await readPages(client, `rlm://runs/${run.id}/jobs`, 'jobs');
  expect(jobs.map(({ job_id }) => job_id)).toEqual(
    Array.from({ length: 300 }, (_, index) => jobId(index + 1)),
  );
  const failed = jobs.filter(({ state }) => state === 'failed');
  expect(failed).toMatchObject([
    { job_id: jobId(7), failure_class: 'invalid_output', error: 'chunk_id is not the one of the job' },
  ]);
  expect(await readPages(client, `rlm://runs/${run.id}/jobs?state=failed`, 'jobs')).toEqual(failed);
  const events = await readPages(client, `rlm://runs/${run.id}/events`, 'events');
  expect(events).toHaveLength(303);
  const tail = await readJson(client, `rlm://runs/${run.id}/events?cursor=tail`);
  expect(tail.events).toEqual(events.slice(-Rows.parse(tail.events).length));
  expect(tail.next_cursor).toBeNull();
  await expect(client.readResource({ uri: `rlm://runs/${run.id}/jobs?cursor=5` })).rejects.toThrow('cursor');
});

test('a jobs file without its last line end, and a journal that a crash tore, are read whole', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 3 });
  const jobs = join(run.dir, 'jobs.jsonl');
  writeFileSync(jobs, readFileSync(jobs, 'utf8').trimEnd());
  const events = join(run.dir, 'events.jsonl');
  const [started, assigned, ...rest] = readFileSync(events, 'utf8').split('\n');
  const torn = `{"type":"result","result":{"id":"${jobId(1)}","sta`;
  writeFileSync(events, [started, assigned, torn, ...rest].join('\n') + torn);
  const client = await connectClient(root);
  const base = `rlm://runs/${run.id}`;
  const ids = (await readPages(client, `${base}/jobs`, 'jobs')).map(({ job_id }) => job_id);
  expect(ids).toEqual([jobId(1), jobId(2), jobId(3)]);
  const types = (await readPages(client, `${base}/events`, 'events')).map(({ type }) => type);
  expect(types).toEqual(['driver_started', 'assignments', 'result', 'result', 'result', 'finished']);
  expect(await readJson(client, `${base}/jobs/${jobId(1)}`)).toMatchObject({
    result: { status: 'accepted' },
  });
});

test('a large file comes in pages of whole code points', async () => {
  const root = temporaryDirectory();
  const run = createRun(root, { kind: 'plan', title: 'large' });
  const report = `${'漢字 "quoted"\n'.repeat(2000)}end`;
  place(join(run.dir, 'artifacts/reports/map-0001.md'), report);
  const client = await connectClient(root);
  const uri = `rlm://runs/${run.id}/reports/map-0001`;
  expect(await readThrough(client, uri)).toBe(report);
  let shown = '';
  for (let next: string | undefined = uri; next !== undefined; ) {
    const text = await readText(client, next);
    const more: RegExpExecArray | null = /\n\n\(continues at (\S+)\)\n$/.exec(text);
    shown += text.slice(0, more?.index);
    next = more?.[1];
  }
  expect(shown).toBe(report);
});

test('a report is read from where the plan puts it, and while its worker writes, from its draft', async () => {
  const root = temporaryDirectory();
  const client = await connectClient(root);
  const tasks = [
    { worker_id: 'map-0001', goal: 'g', report_path: '.rlm/runs/run-1/artifacts/reports/deep/first.md' },
    { worker_id: 'map-0002', goal: 'g' },
  ];
  const planned = { run_id: 'run-1', goal_summary: 'g', tasks };
  expect((await client.callTool({ name: 'rlm_plan', arguments: planned })).isError).not.toBe(true);
  const artifacts = join(root, '.rlm/runs/run-1/artifacts');
  place(join(artifacts, 'reports/deep/first.md'), '# First\n');
  place(join(artifacts, 'drafts/map-0002/map-0002.md'), '# So far\n');
  expect(await readText(client, 'rlm://runs/run-1/reports/map-0001')).toBe('# First\n');
  expect(await readText(client, 'rlm://runs/run-1/reports/map-0002')).toBe('# So far\n');
  symlinkSync('/etc/hostname', join(artifacts, 'drafts/link.md'));
  renameSync(join(artifacts, 'drafts/link.md'), join(artifacts, 'drafts/map-0002/map-0002.md'));
  await expect(readText(client, 'rlm://runs/run-1/reports/map-0002')).rejects.toThrow(/symlink/);
});

test('resources are listed in pages', async () => {
  const root = temporaryDirectory();
  const ids = Array.from({ length: 60 }, (_, index) => `run-${String(index).padStart(4, '0')}`);
  for (const runId of ids) createRun(root, { kind: 'batch', title: runId, runId });
  const client = await connectClient(root);
  const uris: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.listResources(cursor === undefined ? {} : { cursor });
    uris.push(...page.resources.map(({ uri }) => uri));
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  expect(uris).toEqual(['rlm://runs', ...ids.toReversed().map((id) => `rlm://runs/${id}`)]);
});

test('ids of runs and jobs are completed', async () => {
  const root = temporaryDirectory();
  finishedBatch(root, { jobs: 250, runId: 'alpha-1' });
  createRun(root, { kind: 'batch', title: '', runId: 'alpha-2' });
  createRun(root, { kind: 'batch', title: '', runId: 'beta-1' });
  const client = await connectClient(root);
  const ref = { type: 'ref/resource', uri: 'rlm://runs/{run_id}/jobs/{job_id}' } as const;
  const runs = await client.complete({ ref, argument: { name: 'run_id', value: 'alpha' } });
  expect(runs.completion).toEqual({ values: ['alpha-2', 'alpha-1'], total: 2, hasMore: false });
  const jobs = await client.complete({
    ref,
    argument: { name: 'job_id', value: 'job-' },
    context: { arguments: { run_id: 'alpha-1' } },
  });
  expect(jobs.completion.values).toHaveLength(100);
  expect(jobs.completion.hasMore).toBe(true);
  const one = await client.complete({
    ref,
    argument: { name: 'job_id', value: jobId(250) },
    context: { arguments: { run_id: 'alpha-1' } },
  });
  expect(one.completion).toEqual({ values: [jobId(250)], total: 1, hasMore: false });
});

test('what is not there, or leads out of the run, is a clear error', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 1 });
  place(join(root, 'secret.json'), '{"secret":1}');
  place(join(run.dir, 'out/.keep'), '');
  symlinkSync(join(root, 'secret.json'), join(run.dir, 'out/answer.json'));
  const client = await connectClient(root);
  const cases = [
    ['rlm://runs/no-such-run', /-32002.*no run in/],
    ['rlm://runs/..%2F..%2Fetc', /-32602.*run_id/],
    [`rlm://runs/${run.id}/jobs/no-such-job`, /-32002.*has no job/],
    [`rlm://runs/${run.id}/reports/..%2F..%2Frun`, /-32002/],
    [`rlm://runs/${run.id}/evidence`, /-32002.*has no reduce\/evidence.json/],
    [`rlm://runs/${run.id}/secrets`, /-32002.*no resource/],
    ['file:///etc/passwd', /-32002.*no resource/],
    [`rlm://runs/${run.id}/answer`, /-32602.*symlink/],
  ] as const;
  for (const [uri, message] of cases)
    await expect(client.readResource({ uri }), uri).rejects.toThrow(message);
});

test('runs are listed by state and kind, and an unknown query parameter is an error', async () => {
  const root = temporaryDirectory();
  for (let index = 0; index < 60; index += 1)
    finishedBatch(root, {
      jobs: 1,
      failed: index % 20 === 0 ? [jobId(1)] : [],
      runId: `batch-${100 + index}`,
    });
  createRun(root, { kind: 'plan', title: 'a goal', runId: 'plan-1' });
  const client = await connectClient(root);
  const idsOf = async (query: string) =>
    (await readPages(client, `rlm://runs${query}`, 'runs')).map(({ run_id }) => run_id);
  expect((await idsOf('?state=failed')).toSorted()).toEqual(['batch-100', 'batch-120', 'batch-140']);
  expect(await idsOf('?kind=plan')).toEqual(['plan-1']);
  expect(await idsOf('')).toHaveLength(61);
  for (const uri of [
    'rlm://runs?stat=failed',
    'rlm://runs/plan-1?cursor=1',
    'rlm://runs/batch-100/jobs?kind=x',
  ])
    await expect(client.readResource({ uri }), uri).rejects.toThrow(/takes no query parameter/);
  await expect(client.readResource({ uri: 'rlm://runs/batch-100/jobs?state=done' })).rejects.toThrow(
    /accepted, failed, open/,
  );
});
