import { readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { WorkerAnswer } from '../../src/contracts/index.ts';
import { createExtractiveWorker } from '../../src/workers/extractive/index.ts';
import { temporaryDirectory, workRequest } from './request.ts';

const CHUNK = `# Client

The client opens one connection and keeps it. It is closed when the process ends.

## Timeouts

| option  | default | unit |
|---------|---------|------|
| connect | 5       | s    |

By default, every request of the client times out after 30 seconds. This can be
changed with \`requestTimeout\`. Set it to 0 for none.

- Retries are off.
- A failed request is retried 3 times when \`retry\` is on, e.g. Foo does so.

## Colours

By default, output is coloured. The client writes colours to a terminal only.

\`\`\`ts
const client = new Client({ requestTimeout: 1000 });
client.close();
\`\`\`
`;

const directory = temporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the worker answers to a job of a batch. */
async function ask(question: string, text = CHUNK, lineStart = 1, source = 'docs/notes.md') {
  const material = { question, chunkId: 'c-7', parts: [{ source, lineStart, text }] };
  const { answer } = await createExtractiveWorker().run(workRequest(directory, { material }));
  return WorkerAnswer.parse(JSON.parse(answer ?? ''));
}

/** What must hold of every answer, whatever the question. */
function check(answer: WorkerAnswer, text: string, lineStart: number) {
  expect(WorkerAnswer.parse(answer)).toEqual(answer);
  const lines = text.split('\n');
  for (const { quote, loc } of answer.evidence) {
    expect(text).toContain(quote);
    expect(quote).toBe(quote.trim());
    const [, first, last] = /:(\d+)-(\d+)$/.exec(loc) ?? [];
    const from = Number(first) - lineStart;
    const span = lines.slice(from, Number(last) - lineStart + 1).join('\n');
    expect(span).toContain(quote);
    // No wider than the quote: its first and last line are the ones named.
    expect(span.indexOf(quote)).toBeLessThanOrEqual((lines[from] ?? '').length);
    expect(quote.split('\n').length).toBe(Number(last) - Number(first) + 1);
  }
  expect(answer.evidence.length).toBeLessThanOrEqual(8);
  expect(answer.relevant).toBe(answer.evidence.length > 0);
  expect(answer.gaps.length > 0).toBe(!answer.relevant);
}

test('quotes the sentence that answers, with the lines of the original document', async () => {
  const answer = await ask('What is the default timeout for a request of the client?', CHUNK, 101);
  check(answer, CHUNK, 101);
  expect(answer.chunk_id).toBe('c-7');
  expect(answer.evidence[0]?.quote).toContain('times out after 30 seconds');
  expect(answer.evidence[0]?.loc).toMatch(/^docs\/notes\.md:1\d\d-11\d$/);
  expect(answer.evidence[0]?.note).toContain('"default"');
  expect(answer.confidence).toBeGreaterThan(0.4);
  expect(answer.confidence).toBeLessThanOrEqual(0.75);
});

test('finds a word in another form, an identifier by its parts, and an abbreviation ends no sentence', async () => {
  const retried = await ask('How often is a failing request retried?');
  expect(retried.evidence[0]?.quote).toContain(
    '- A failed request is retried 3 times when `retry` is on, e.g. Foo does so.',
  );
  const option = await ask('What does request_timeout change?');
  expect(option.evidence.some(({ quote }) => quote.includes('requestTimeout'))).toBe(true);
});

const OPTIONS = `import type { Signal } from './signal.ts';

export interface Options {
  /**
   * If the child does not exit after SIGTERM, forcefully exit it.
   *
   * @default 5000
   */
  readonly forceKillAfterDelay?: number;

  /** On Windows, do not create a new console window. */
  readonly windowsHide?: boolean;
}

export function killAfter(child: Child, signal: Signal, delay: number): void {}
`;

test('a doc comment is read with what it describes, and comes before code that shares its words', async () => {
  for (const [question, words] of [
    ['What is the default of forceKillAfterDelay?', '@default 5000'],
    ['What does windowsHide do?', 'do not create a new console window'],
    ['When is a child killed that ignores SIGTERM?', 'forcefully exit it'],
  ] as const) {
    const answer = await ask(question, OPTIONS, 10, 'types/options.d.ts');
    check(answer, OPTIONS, 10);
    expect(answer.evidence[0]?.quote).toContain(words);
  }
});

test.each([
  ['What are the defaults of depth and nodes of the walker?', ['depth', 'nodes']],
  ['What do depth, edges and nodes mean?', ['depth', 'edges', 'nodes']],
  ['What is depth for, and what are edges for?', ['depth', 'edges']],
])('of a question about several things each is quoted: %s', async (question, names) => {
  const section = (name: string) =>
    `## ${name}\n\nThe ${name} of the walker has a default. ${'It is a value. '.repeat(20)}\n`;
  const { evidence } = await ask(question, ['depth', 'edges', 'nodes'].map(section).join('\n'));
  for (const name of names) expect(evidence.some(({ quote }) => quote.includes(`The ${name}`))).toBe(true);
});

test('a chunk that begins inside code is read as what it is', async () => {
  const text =
    'walk(depth);\n```\n\nThe walker stops at the default depth. It says so.\n\n```js\nwalk();\n```\n\nThe walker is fast.\n';
  expect((await ask('What is the default depth of the walker?', text)).evidence[0]?.quote).toContain(
    'The walker stops at the default depth. It says so.',
  );
});

test('a heading is read with what stands under it', async () => {
  const answer = await ask(
    'What are the colours?',
    '## Colours of the flag\n\nRed and white.\n\n## Anthem\n\nNone.\n',
  );
  expect(answer.evidence.map(({ quote }) => quote)).toEqual(['## Colours of the flag\n\nRed and white.']);
});

test.each([
  'Who wrote the client in 1987?',
  'Which licence does the output have?',
  'What is the capital of France?',
  'How many seconds does the backup take to complete?',
  '?',
  'What is it?',
])('a shared word is no evidence: %s', async (question) => {
  const answer = await ask(question);
  check(answer, CHUNK, 1);
  expect(answer).toMatchObject({ relevant: false, evidence: [] });
  expect(answer.confidence).toBeLessThan(0.5);
});

describe('scripts without spaces', () => {
  const text =
    '# 客户端\n\n客户端的默认超时时间为三十秒。可以用选项更改。\n\n服务器使用颜色输出。连接会保持打开状态。\n';
  test('a question in Chinese', async () => {
    const answer = await ask('客户端的默认超时时间是多少？', text);
    check(answer, text, 1);
    expect(answer.evidence[0]?.quote).toContain('客户端的默认超时时间为三十秒。');
    // A small section is quoted whole.
    expect(answer.evidence[0]?.loc).toBe('docs/notes.md:1-5');
  });
  test('a Chinese question that the chunk does not answer', async () => {
    const answer = await ask('数据库的许可证由谁颁发？', text);
    check(answer, text, 1);
    expect(answer.relevant).toBe(false);
  });
  test('a question in Japanese', async () => {
    const japanese =
      'クライアントは接続を一つ開きます。既定のタイムアウトは30秒です。色は端末だけに書きます。';
    const answer = await ask('既定のタイムアウトは何秒ですか？', japanese);
    check(answer, japanese, 1);
    expect(answer.evidence[0]?.quote).toContain('既定のタイムアウトは30秒です。');
  });
});

describe('awkward text', () => {
  test('one endless line is quoted in part, at word boundaries, never through a character', async () => {
    const text = `${'lorem ipsum 😀 '.repeat(20_000)}the frobnicator limit is 12 widgets ${'dolor 😀'.repeat(20_000)}`;
    const answer = await ask('What is the frobnicator limit in widgets?', text);
    check(answer, text, 1);
    expect(answer.evidence[0]?.quote).toContain('the frobnicator limit is 12 widgets');
    for (const { quote } of answer.evidence) expect(Buffer.from(quote).toString()).toBe(quote);
  });
  test('Windows line ends, tabs and a byte order mark stay as they are', async () => {
    const text = '\ufeffThe frobnicator\r\nlimit is\t12 widgets.\r\n\r\nOther things.\r\n';
    const answer = await ask('What is the frobnicator limit?', text);
    expect(answer.evidence[0]?.quote).toContain('The frobnicator\r\nlimit is\t12 widgets.');
    expect(answer.evidence[0]?.loc).toBe('docs/notes.md:1-4');
  });
  test('of a long log the lines around the one that answers are quoted', async () => {
    const line = (n: number, what: string) => `2026-11-20T10:00:${n}Z INFO worker ${what}`;
    const quiet = Array.from({ length: 50 }, (_, n) => line(n, 'served a request'));
    const text = [...quiet, line(51, 'lost connection to billing'), ...quiet].join('\n');
    const answer = await ask('When was the connection to billing lost?', text, 1, 'app.txt');
    check(answer, text, 1);
    expect(answer.evidence[0]?.quote).toContain(line(51, 'lost connection to billing'));
  });
  test('a path of 600 characters keeps its right end; no text at all is no error', async () => {
    const answer = await ask(
      'What is the default timeout for a request?',
      CHUNK,
      1,
      `/${'d'.repeat(600)}/x.md`,
    );
    check(answer, CHUNK, 1);
    expect(answer.evidence[0]?.loc).toMatch(/^d+\/x\.md:\d+-\d+$/);
    check(await ask('What is the default timeout?', ''), '', 1);
  });
  test('terminal sequences of a document reach no note and no summary', async () => {
    const text = 'The frobnicator limit is \u001b[31m12\u001b[0m widgets.';
    const answer = await ask('What is the frobnicator limit\u001b\u0007?', text);
    expect(answer.evidence[0]?.quote).toBe(text);
    expect(answer.summary + answer.evidence[0]?.note).not.toContain('\u001b');
  });
});

test('real documentation: every quote stands at its lines, twice the same answer', async () => {
  const path = new URL('../../node_modules/commander/Readme.md', import.meta.url);
  const text = readFileSync(path, 'utf8');
  let relevant = 0;
  for (const question of [
    'How do I make an option required?',
    'How are variadic arguments declared, and what do they hold?',
    'Can a subcommand be a stand-alone executable?',
    'What is the melting point of tungsten?',
  ]) {
    const answer = await ask(question, text, 40, 'commander/Readme.md');
    check(answer, text, 40);
    expect(await ask(question, text, 40, 'commander/Readme.md')).toEqual(answer);
    if (answer.relevant) relevant += 1;
  }
  expect(relevant).toBe(3);
});

describe('as a worker', () => {
  test('costs nothing, answers in the format of every worker, and fails clearly without a chunk', async () => {
    const directory = temporaryDirectory();
    try {
      const worker = createExtractiveWorker();
      expect(worker.cacheIdentity).toBe(worker.version);
      const material = {
        question: 'Are retries on?',
        chunkId: 'c-1',
        parts: [{ source: 'a.md', lineStart: 1, text: CHUNK }],
      };
      const result = await worker.run(workRequest(directory, { material }));
      expect(result).toMatchObject({ costUsd: 0, usage: { input_tokens: 0, output_tokens: 0 } });
      check(WorkerAnswer.parse(JSON.parse(result.answer ?? '')), CHUNK, 1);
      expect((await worker.run(workRequest(directory))).failure?.class).toBe('config');
      const signal = AbortSignal.abort();
      expect((await worker.run(workRequest(directory, { material, signal }))).failure?.class).toBe(
        'cancelled',
      );
      await worker.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
