import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ResourceListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { emptyProgress } from '../../src/contracts/index.ts';
import { createRun, lockDriver } from '../../src/runs/index.ts';
import { connectClient, textOf } from '../support/rlm.ts';
import { finishedBatch, jobId, temporaryDirectory, writeActivity } from '../support/runs.ts';

const MAX_RESULT_BYTES = 8192;
const RunsPage = z.object({
  runs: z.array(z.object({ run_id: z.string() })),
  next_cursor: z.string().nullable(),
});

test('initialize says what the server is and how to work with it, in at most 2 kB', async () => {
  const client = await connectClient(temporaryDirectory());
  expect(client.getServerVersion()?.name).toBe('rlm');
  const instructions = client.getInstructions() ?? '';
  expect(Buffer.byteLength(instructions)).toBeLessThanOrEqual(2048);
  for (const word of ['batch', 'long documents', 'budget']) expect(instructions).toContain(word);
  // Every tool is named, none that is not there, and first comes a question over documents.
  const named = instructions.match(/rlm_[a-z_]+/g) ?? [];
  const { tools } = await client.listTools();
  expect(new Set(named)).toEqual(new Set(tools.map(({ name }) => name)));
  expect(named[0]).toBe('rlm_ask');
  expect(client.getServerCapabilities()).toEqual({
    tools: {},
    resources: { listChanged: true },
    prompts: {},
    completions: {},
  });
});

test('a result is structured content and exactly its JSON as text', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 3, failed: [jobId(2)] });
  const client = await connectClient(root);
  await client.listTools();
  const result = await client.callTool({ name: 'rlm_status', arguments: { run_id: run.id } });
  expect(result.isError).toBeUndefined();
  expect(result.content).toEqual([{ type: 'text', text: JSON.stringify(result.structuredContent) }]);
  expect(result.structuredContent).toMatchObject({
    run: { run_id: run.id, state: 'failed', progress: { total: 3, accepted: 2, failed: 1 } },
  });
});

test('where a run lies is for a person to choose: over MCP it is found by its id', async () => {
  const client = await connectClient(temporaryDirectory());
  const { tools } = await client.listTools();
  const fields = tools.find(({ name }) => name === 'rlm_run_batch')?.inputSchema.properties ?? {};
  expect(Object.keys(fields)).toEqual(expect.arrayContaining(['jobs', 'run_id']));
  expect(fields).not.toHaveProperty('run_dir');
  const result = await client.callTool({
    name: 'rlm_run_batch',
    arguments: { jobs: 'jobs.jsonl', run_dir: 'out' },
  });
  expect(result.isError).toBe(true);
  expect(textOf(result)).toContain('run_dir is set at the command line');
});

test('the status of a run of 10,000 jobs is under 2 kB', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 10_000, title: 'é"\\'.repeat(160) });
  const client = await connectClient(root);
  const result = await client.callTool({ name: 'rlm_status', arguments: { run_id: run.id } });
  expect(Buffer.byteLength(JSON.stringify(result.structuredContent))).toBeLessThan(2000);
});

test('runs are listed newest first, in pages of at most 8 kB', async () => {
  const root = temporaryDirectory();
  const ids = Array.from({ length: 120 }, (_, index) => `run-${String(index).padStart(4, '0')}`);
  for (const runId of ids) createRun(root, { kind: 'batch', title: 'äöü '.repeat(100), runId });
  const client = await connectClient(root);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const result = await client.callTool({
      name: 'rlm_status',
      arguments: { limit: 100, ...(cursor === null ? {} : { cursor }) },
    });
    expect(Buffer.byteLength(JSON.stringify(result.structuredContent))).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    const page = RunsPage.parse(result.structuredContent);
    seen.push(...page.runs.map(({ run_id }) => run_id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(ids.toReversed());
});

test('errors are text alone: code, message, hint, retryable; no stack', async () => {
  const root = temporaryDirectory();
  const client = await connectClient(root);
  const cases: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['rlm_status', { run_id: 'no-such-run' }, { code: 'not_found' }],
    ['rlm_status', { run_id: '../../etc' }, { code: 'usage' }],
    ['rlm_status', { runid: 'x' }, { code: 'usage', message: 'unknown field runid' }],
    ['rlm_wait', {}, { code: 'usage', message: 'run_id is required' }],
    ['rlm_no_such_tool', {}, { code: 'not_found' }],
    ['rlm_run_batch', {}, { code: 'usage', message: 'jobs is required' }],
    ['rlm_run_batch', { jobs: 'no' }, { code: 'not_found', message: `jobs does not exist: ${root}/no` }],
    ['rlm_ask', { question: 'q', input: ['.'], sample: 2 }, { message: 'sample needs a dry run' }],
  ];
  for (const [name, args, expected] of cases) {
    const result = await client.callTool({ name, arguments: args });
    expect(result.isError).toBe(true);
    expect(result.structuredContent).toBeUndefined();
    const error = JSON.parse(textOf(result));
    expect(error).toMatchObject({ ...expected, retryable: false });
    expect(error.hint.text).toMatch(/\w+/);
    expect(textOf(result)).not.toMatch(/\n\s+at /);
  }
});

test('what the system refuses is told with what to do', async () => {
  const root = temporaryDirectory();
  writeFileSync(join(root, '.rlm'), 'a file');
  const client = await connectClient(root);
  const result = await client.callTool({ name: 'rlm_status', arguments: {} });
  expect(result.isError).toBe(true);
  expect(JSON.parse(textOf(result))).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(join(root, '.rlm')),
    hint: { text: expect.stringContaining('A file is where a directory is needed') },
  });
});

test('an error quotes no more of a call than a reader needs', async () => {
  const client = await connectClient(temporaryDirectory());
  const long = 'x'.repeat(1_000_000);
  const result = await client.callTool({ name: 'rlm_status', arguments: { [long]: 1 } });
  expect(textOf(result)).toContain('unknown field xxx');
  expect(textOf(result).length).toBeLessThan(MAX_RESULT_BYTES);
  const error = await client.readResource({ uri: `rlm://runs/${long}` }).catch((reason) => reason);
  expect(error).toMatchObject({ code: -32602 });
  expect(error.message.length).toBeLessThan(MAX_RESULT_BYTES);
});

test('a resource that is not there is an error of the protocol, in words', async () => {
  const root = temporaryDirectory();
  const client = await connectClient(root);
  await expect(client.readResource({ uri: 'rlm://runs/no-such-run' })).rejects.toMatchObject({
    code: -32002,
    // The client puts the code in front; the server must not do so too.
    message: expect.stringMatching(/^MCP error -32002: no run in .*no-such-run\. List the runs/),
  });
});

test('a request that is not what its method takes is told what is wrong, as the fault of the caller', async () => {
  const client = await connectClient(temporaryDirectory());
  const cases: [string, Record<string, unknown> | undefined, RegExp][] = [
    ['tools/call', { name: 'rlm_status', arguments: 'x' }, /arguments/],
    ['tools/call', {}, /name/],
    ['resources/read', {}, /uri/],
    ['resources/list', { cursor: 5 }, /cursor/],
    ['completion/complete', undefined, /params: /],
  ];
  for (const [method, params, message] of cases) {
    const request = client.request({ method, params }, z.unknown());
    await expect(request, method).rejects.toMatchObject({
      code: -32602,
      message: expect.stringMatching(message),
    });
  }
});

test('a root that has gone is told, whatever is called', async () => {
  const root = join(temporaryDirectory(), 'root');
  mkdirSync(root);
  const client = await connectClient(root);
  rmSync(root, { recursive: true });
  for (const name of ['rlm_status', 'rlm_doctor']) {
    const result = await client.callTool({ name, arguments: {} });
    expect(JSON.parse(textOf(result))).toMatchObject({
      code: 'usage',
      message: `the root ${root} is not a directory`,
    });
  }
});

test('a cursor that is none is refused, not an empty page', async () => {
  const root = temporaryDirectory();
  finishedBatch(root, { jobs: 1 });
  const client = await connectClient(root);
  const result = await client.callTool({ name: 'rlm_status', arguments: { cursor: '!!' } });
  expect(textOf(result)).toContain("cursor '!!' is not one of this list");
  await expect(client.readResource({ uri: 'rlm://runs?cursor=!!' })).rejects.toThrow('cursor');
});

test.each([
  ['codex-mcp-client', 280],
  ['claude-code', 110],
  ['some-other-client', 45],
])(
  'a wait longer than the client %s allows is reduced to %d seconds, and the result says so',
  async (name, seconds) => {
    const root = temporaryDirectory();
    const run = finishedBatch(root, { jobs: 1 });
    const client = await connectClient(root, {}, name);
    const wait = async (wait_sec: number) =>
      (await client.callTool({ name: 'rlm_wait', arguments: { run_id: run.id, wait_sec } }))
        .structuredContent;
    expect(await wait(seconds + 1)).toMatchObject({ state: 'completed', wait_reduced_to_sec: seconds });
    expect(await wait(seconds)).not.toHaveProperty('wait_reduced_to_sec');
  },
);

test('a wait in which nothing happened is short, and estimates the time left', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 4 });
  const lock = lockDriver(run.dir, 'test');
  const since = new Date(Date.now() - 60_000).toISOString();
  writeActivity(run, {
    state: 'working',
    heartbeat_at: new Date().toISOString(),
    driver_started_at: since,
    progress: { ...emptyProgress(), total: 7, accepted: 4, carried: 1, running: 2, concurrency: 2 },
    journal_offset: statSync(join(run.dir, 'events.jsonl')).size,
  });
  const client = await connectClient(root);
  const result = await client.callTool({ name: 'rlm_wait', arguments: { run_id: run.id, wait_sec: 0.2 } });
  lock.release();
  expect(result.structuredContent).toMatchObject({ state: 'working', unchanged: true });
  // Three in a minute, and three to go; the one that was carried over took no time.
  const { left_sec } = z.object({ left_sec: z.int() }).parse(result.structuredContent);
  expect(left_sec).toBeGreaterThanOrEqual(60);
  expect(left_sec).toBeLessThan(75);
  expect(Buffer.byteLength(textOf(result))).toBeLessThan(800);
});

test('a wrong number is an error with the field and its bounds', async () => {
  const client = await connectClient(temporaryDirectory());
  const result = await client.callTool({ name: 'rlm_status', arguments: { limit: 600 } });
  expect(JSON.parse(textOf(result)).message).toMatch(/^limit: .*100/);
});

test('waiting ends with the time given, tells of progress, and leaves the run alone', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 4 });
  const lock = lockDriver(run.dir, 'test');
  writeActivity(run, { state: 'working', heartbeat_at: new Date().toISOString() });
  const client = await connectClient(root);
  const heard: unknown[] = [];
  const result = await client.callTool(
    { name: 'rlm_wait', arguments: { run_id: run.id, wait_sec: 4 } },
    undefined,
    { onprogress: (progress) => heard.push(progress) },
  );
  lock.release();
  expect(result.structuredContent).toMatchObject({ state: 'working', unchanged: true });
  // It must rise from one to the next, says the protocol: without news there is nothing to send.
  expect(heard).toHaveLength(1);
  expect(heard[0]).toMatchObject({ total: 4, message: expect.stringContaining('of 4') });
});

test('giving up a call ends the call only: the server goes on answering', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 2 });
  const lock = lockDriver(run.dir, 'test');
  writeActivity(run, { state: 'working', heartbeat_at: new Date().toISOString() });
  const client = await connectClient(root);
  const abort = new AbortController();
  const call = client.callTool({ name: 'rlm_wait', arguments: { run_id: run.id, wait_sec: 45 } }, undefined, {
    signal: abort.signal,
    onprogress: () => abort.abort('changed my mind'),
  });
  await expect(call).rejects.toThrow();
  const status = await client.callTool({ name: 'rlm_status', arguments: { run_id: run.id } });
  lock.release();
  expect(status.structuredContent).toMatchObject({ run: { state: 'working', driver: 'alive' } });
});

test('a server deeper than max_depth starts no work, but still shows it', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 2, failed: [jobId(1)] });
  const client = await connectClient(root, { RLM_DEPTH: '2' });
  const refused = await client.callTool({ name: 'rlm_resume', arguments: { run_id: run.id } });
  expect(refused.isError).toBe(true);
  expect(JSON.stringify(refused.content)).toContain('refused at depth 2');
  const status = await client.callTool({ name: 'rlm_status', arguments: { run_id: run.id } });
  expect(status.isError).toBeUndefined();
});

test('a run directory that is a symlink is refused', async () => {
  const root = temporaryDirectory();
  const elsewhere = finishedBatch(temporaryDirectory(), { jobs: 1 });
  mkdirSync(join(root, '.rlm', 'runs'), { recursive: true });
  symlinkSync(elsewhere.dir, join(root, '.rlm', 'runs', 'linked'));
  const client = await connectClient(root);
  const result = await client.callTool({ name: 'rlm_status', arguments: { run_id: 'linked' } });
  expect(JSON.stringify(result.content)).toContain('forbidden');
  await expect(client.readResource({ uri: 'rlm://runs/linked' })).rejects.toThrow('symlink');
});

test('a client hears when the first run and further runs appear', async () => {
  const root = temporaryDirectory();
  const client = await connectClient(root);
  // The watch begins with the client's `initialized`, which came before this.
  await client.ping();
  for (const runId of ['first-run', 'second-run']) {
    const told = new Promise<void>((resolve) => {
      client.setNotificationHandler(ResourceListChangedNotificationSchema, () => resolve());
    });
    createRun(root, { kind: 'batch', title: runId, runId });
    await told;
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(`rlm://runs/${runId}`);
  }
});
