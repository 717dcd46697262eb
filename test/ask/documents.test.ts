import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { IngestReport } from '../../src/contracts/index.ts';
import { docxOf, pdfOf, putUnreadable } from '../corpus/fixtures.ts';
import { connectClient, rlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { readState } from './asker.ts';
import { readEvidence, verifyAnswer } from './verify-answer.ts';

const FILES = 5000;
const MB = 1024 * 1024;

/** Asks with the extractive reader. */
async function ask(root: string, question: string, ...more: string[]) {
  const args = ['ask', question, '--worker', 'extractive', '--run-id', 'asked', ...more];
  const exit = await rlm(args, { cwd: root, env: { PATH: '/nowhere' } });
  return { ...exit, runDir: join(root, '.rlm/runs/asked') };
}

test('5,000 files, a PDF, a DOCX, a log, one endless line, bad bytes and what cannot be read at all', async () => {
  const root = temporaryDirectory();
  const docs = join(root, 'docs');
  for (let directory = 0; directory < 50; directory += 1) {
    mkdirSync(join(docs, `d${directory}`), { recursive: true });
    for (let file = 0; file < FILES / 50; file += 1) {
      const n = directory * 100 + file;
      writeFileSync(
        join(docs, `d${directory}`, `${file}.md`),
        `# Note ${n}\n\nShelf ${n} holds box ${n * 7}.\n`,
      );
    }
  }
  const log = Array.from(
    { length: 20_000 },
    (_, n) => `2026-11-20T10:00:00Z info request ${n} was served in ${n % 90} ms by the worker at the door\n`,
  ).join('');
  repeat(join(docs, 'big.log'), log, 300 * MB);
  appendFileSync(join(docs, 'big.log'), 'The flywheel stopped at noon.\n');
  writeFileSync(join(docs, 'line.json'), '{"values": [');
  repeat(join(docs, 'line.json'), '12345, '.repeat(100_000), 50 * MB);
  appendFileSync(join(docs, 'line.json'), '0], "gyroscope": "calibrated by Noether"}');
  writeFileSync(join(docs, 'report.pdf'), pdfOf(['The zeppelin budget was approved in March.']));
  writeFileSync(join(docs, 'letter.docx'), docxOf('Offer', ['The submarine was sold in Bremen.']));
  writeFileSync(join(docs, 'latin.txt'), Buffer.from('The caf\xe9 opens at nine.\n', 'latin1'));
  writeFileSync(join(docs, 'program.bin'), Buffer.from([0, 1, 2, 3, 0, 255, 254, 0, 0, 7]));
  symlinkSync('..', join(docs, 'd0', 'loop'));
  symlinkSync('nowhere', join(docs, 'broken-link'));
  execFileSync('mkfifo', [join(docs, 'pipe')]);
  putUnreadable(join(docs, 'secret.txt'));

  const ingested = await rlm(['ingest', 'docs', '--run-id', 'asked', '--json'], { cwd: root });
  expect(ingested).toMatchObject({ code: 0 });
  const { report } = z.object({ report: IngestReport }).parse(JSON.parse(ingested.stdout));
  expect(report).toMatchObject({ sources_read: FILES + 5, by_kind: { pdf: 1, docx: 1, markdown: FILES } });
  expect(report.by_reason).toEqual({ binary: 1, broken_symlink: 1, not_a_file: 1, unreadable: 1 });
  expect(report.skipped).toEqual([
    { path: 'docs/broken-link', reason: 'broken_symlink', detail: expect.stringContaining('ENOENT') },
    { path: 'docs/pipe', reason: 'not_a_file', detail: 'a named pipe' },
    { path: 'docs/program.bin', reason: 'binary', detail: expect.any(String) },
    { path: 'docs/secret.txt', reason: 'unreadable', detail: expect.stringContaining('EACCES') },
  ]);

  const args = [
    '--input',
    'docs',
    '--worker',
    'extractive',
    '--run-id',
    'flywheel',
    '--top-k',
    '8',
    '--follow-ups',
    '0',
  ];
  const { code, stdout, stderr } = await rlm(['ask', 'When did the flywheel stop?', ...args], { cwd: root });
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`(${FILES + 5} known and unchanged)`);
  expect(stdout).toMatch(/^skipped: 1 \w+, 1 \w+, 1 \w+, 1 \w+ \(all in chunks\/sources\.jsonl\)$/m);
  expect(stdout).toContain('  docs/pipe: not_a_file (a named pipe)');
  const { answer, quotes } = verifyAnswer(join(root, '.rlm/runs/flywheel'));
  expect(quotes.join('\n')).toContain('The flywheel stopped at noon.');
  expect(answer.gaps.join('\n')).toMatch(/Not everything was read: .* 4 documents skipped/);

  // The same by hand at the command line: a PDF, a DOCX and the end of the endless line.
  const questions = [
    'Who calibrated the gyroscope?',
    'When was the zeppelin budget approved?',
    'Where was the submarine sold?',
  ];
  for (const step of [
    ['build-jobs', 'asked', '--questions', ...questions, '--top-k', '12'],
    ['batch', '--run', 'asked', '--worker', 'extractive'],
    ['reduce-evidence', 'asked'],
  ]) {
    const exit = await rlm(step, { cwd: root });
    expect(exit.code, exit.stderr).toBe(0);
  }
  const found = readEvidence(join(root, '.rlm/runs/asked')).items.map(({ quote }) => quote);
  for (const words of ['calibrated by Noether', 'approved in March', 'sold in Bremen']) {
    expect(found.join('\n')).toContain(words);
  }
}, 240_000);

/** Appends a text again and again until the file has so many bytes. */
function repeat(path: string, text: string, bytes: number): void {
  for (let written = 0; written < bytes; written += text.length) appendFileSync(path, text);
}

describe('questions that have no answer', () => {
  test('a question that nothing matches is left open, with its coverage, and cites nothing', async () => {
    const root = temporaryDirectory();
    place(join(root, 'a.md'), `${'The harbour of Genoa was built of stone.\n\n'.repeat(800)}`);
    const { code, stdout, runDir } = await ask(root, 'Qxz vbnm wrtp?', '--input', 'a.md');
    expect(code).toBe(0);
    const { answer } = verifyAnswer(runDir);
    expect(answer).toMatchObject({ citations: [], confidence: 0 });
    expect(answer.gaps.join('\n')).toContain('Unanswered after reading 0 %');
    expect(stdout).toContain('The question stays open');
    expect(stdout).toContain('Coverage\n  0 % of the bytes were read');
  });

  test('a mere shared word is not evidence', async () => {
    const root = temporaryDirectory();
    place(join(root, 'a.md'), 'The bank of the river is steep.\n\nBoats land there at dawn.\n');
    const { runDir } = await ask(
      root,
      'Which interest rate did the central bank set in 1998?',
      '--input',
      'a.md',
    );
    const { answer } = verifyAnswer(runDir);
    expect(answer.citations).toEqual([]);
    expect(answer.gaps[0]).toContain('Unanswered after reading 100 %');
  });

  test('an empty file gives an open answer that says there is no text', async () => {
    const root = temporaryDirectory();
    place(join(root, 'docs/empty.txt'), '');
    const { code, stdout, runDir } = await ask(root, 'Is there anything?', '--input', 'docs');
    expect(code).toBe(0);
    expect(stdout).toContain('note: there is no text in the documents');
    expect(verifyAnswer(runDir).answer).toMatchObject({ citations: [] });
    expect(readState(runDir).passes).toMatchObject([{ chunks: 0, jobs: 0 }]);
  });

  test.each([
    [['ask', 'Why?'], '--input is required'],
    [['ask', '   ', '--input', 'a.md'], 'the question is blank'],
    [['ask', 'Why?', '--input', 'missing.md'], "input 'missing.md' does not exist"],
    [['ask', 'Why?', '--input', 'a.md', 'no/*.md'], 'there is no directory'],
    [['ask', 'Why?', '--input', '*.rst'], "input '*.rst' matches no file"],
    [['ask', 'Why?', '--input', 'a.md', '--model', ' '], '--model must be a non-empty string'],
    [['ingest', 'missing.md'], "input 'missing.md' does not exist"],
  ])('rlm %j says what is wrong and leaves nothing behind', async (args, message) => {
    const root = temporaryDirectory();
    place(join(root, 'a.md'), 'Something.\n');
    const { code, stdout, stderr } = await rlm(args, { cwd: root });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(readdirSync(root)).toEqual(['a.md']);
  });
});

test('over MCP, inputs outside the root are refused before there is a run', async () => {
  const root = temporaryDirectory();
  const outside = join(temporaryDirectory(), 'secret.txt');
  place(outside, 'Not for you.\n');
  const client = await connectClient(root);
  for (const name of ['rlm_ask', 'rlm_ingest']) {
    const result = await client.callTool({
      name,
      arguments: { input: [outside], ...(name === 'rlm_ask' ? { question: 'What is it?' } : {}) },
    });
    expect(JSON.stringify(result)).toContain('lies outside the directories that may be read');
    expect(result.isError).toBe(true);
  }
  expect(existsSync(join(root, '.rlm/runs'))).toBe(false);
});

test('a question in Chinese finds and quotes the Chinese sentence', async () => {
  const root = temporaryDirectory();
  const filler = Array.from({ length: 900 }, (_, n) => `第${n}段：今天的天气很好，城里没有别的消息。\n`).join(
    '\n',
  );
  place(join(root, '手册.md'), `${filler}\n缓存的答案保存十四天。\n\n${filler}`);
  const { code, stderr, runDir } = await ask(
    root,
    '缓存的答案保存多少天？',
    '--input',
    '手册.md',
    '--top-k',
    '3',
  );
  expect(code, stderr).toBe(0);
  expect(readState(runDir).route).toBe('search');
  expect(verifyAnswer(runDir).quotes.join('\n')).toContain('缓存的答案保存十四天');
});

test('a document in a directory whose name is a glob, and a run over it, are found again', async () => {
  const root = join(temporaryDirectory(), 'a[1]{b}');
  place(join(root, 'docs/x.md'), 'The kettle boils at ninety degrees on that mountain.\n');
  const { code, stderr, runDir } = await ask(root, 'When does the kettle boil?', '--input', 'docs/*.md');
  expect(code, stderr).toBe(0);
  expect(verifyAnswer(runDir).quotes).toHaveLength(1);
});

test('a pattern that would backtrack for ever ends at once', async () => {
  const root = temporaryDirectory();
  place(join(root, 'a.txt'), `${'a'.repeat(5000)}!\nThe end.\n`);
  expect((await rlm(['ingest', 'a.txt', '--run-id', 'docs'], { cwd: root })).code).toBe(0);
  const found = await rlm(['search', 'docs', '(a+)+$', '(a|aa)+b', 'end', '--mode', 'regex', '--json'], {
    cwd: root,
  });
  expect(found.code, found.stderr).toBe(0);
  const { results } = z
    .object({ results: z.array(z.object({ matching_chunks: z.int() })) })
    .parse(JSON.parse(found.stdout));
  expect(results.map(({ matching_chunks }) => matching_chunks)).toEqual([0, 0, 1]);
});

test('what a document says about terminals does not reach the terminal', async () => {
  const root = temporaryDirectory();
  place(join(root, 'a.md'), 'The reactor \u001b[31mcools\u001b[0m for nine hours after the alarm.\n');
  const { stdout, stderr, runDir } = await ask(
    root,
    'How long does the reactor cool after the alarm?',
    '--input',
    'a.md',
  );
  expect(verifyAnswer(runDir).quotes).toHaveLength(1);
  expect(readEvidence(runDir).items[0]?.quote).toContain('\u001b[31m');
  expect(stdout + stderr).not.toContain('\u001b');
  expect(readFileSync(join(runDir, 'out/answer.json'), 'utf8')).toContain('reactor');
});
