import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkJobs } from '../../src/batch/jobs.ts';
import { rlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'rlm-jobs-')));
const runDir = join(base, 'run');
const job = (change: Record<string, unknown> = {}) => ({
  job_id: 'j-1',
  chunk_id: 'c-1',
  chunk_path: 'chunk.txt',
  question: 'q',
  output_path: 'subresults/j-1.json',
  schema_path: 'schema.json',
  sandbox: 'read-only',
  timeout_sec: 30,
  ...change,
});
const span = (path: string) => ({
  chunk_id: 'c',
  path,
  source: path,
  line_start: 1,
  byte_start: 0,
  byte_end: 1,
});
/** A line with a list in a list, 100,000 times over, for a field. */
const nested = (field: string) => {
  const list = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  return JSON.stringify(job({ [field]: 'HERE' })).replace('"HERE"', list);
};
const check = (lines: unknown[], allowedRoots: string[] | null = null) => {
  const file = join(base, 'jobs.jsonl');
  writeFileSync(
    file,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return checkJobs(file, { runDir, baseDir: base, allowedRoots });
};

beforeAll(() => {
  mkdirSync(runDir);
  writeFileSync(join(base, 'chunk.txt'), 'chunk\n');
  writeFileSync(join(base, 'schema.json'), '{}');
  symlinkSync(tmpdir(), join(runDir, 'out'));
  symlinkSync('/nowhere/at/all', join(runDir, 'broken'));
  symlinkSync('round', join(base, 'round'));
});

describe('a jobs file', () => {
  it('counts its jobs; blank lines, unknown fields, no timeout_sec and no schema_path are fine', async () => {
    const {
      timeout_sec: _,
      schema_path: __,
      ...second
    } = job({
      job_id: 'j-2',
      output_path: 'subresults/j-2.json',
      mood: 'good',
    });
    await expect(check([job(), '', '   ', second])).resolves.toBe(2);
  });

  it.each([
    [
      'missing fields, sorted',
      [{ job_id: 'a' }],
      'line 1: missing required fields: chunk_id, chunk_path, output_path, question, sandbox',
    ],
    ['a duplicate id', [job(), job({ output_path: 'subresults/2.json' })], "line 2: duplicate job_id 'j-1'"],
    [
      'a shared output',
      [job(), job({ job_id: 'j-2', output_path: 'subresults/../subresults/j-1.json' })],
      'is also that of line 1',
    ],
    ['not JSON', ['{"job_id":'], 'line 1: not valid JSON'],
    ['not an object', ['[]'], 'line 1: not a JSON object'],
    ['a chunk that is not there', [job({ chunk_path: 'gone.txt' })], 'line 1: chunk_path does not exist'],
    ['a chunk that is a directory', [job({ chunk_path: 'run' })], 'line 1: chunk_path is not a file'],
    [
      'a piece of what is not there',
      [job({ spans: [span('gone.txt')] })],
      'line 1: spans.path does not exist',
    ],
    [
      'a piece of a directory',
      [job({ spans: [span('chunk.txt'), span('run')] })],
      'line 1: spans.path is not a file',
    ],
    ['a schema that is not there', [job({ schema_path: 'gone.json' })], 'line 1: schema_path does not exist'],
    ['a schema that is none', [job({ schema_path: 'chunk.txt' })], 'line 1: schema_path'],
    [
      'another sandbox',
      [job({ sandbox: 'workspace-write' })],
      "line 1: sandbox must be 'read-only' for chunk jobs (got 'workspace-write')",
    ],
    [
      'timeout_sec: true',
      [job({ timeout_sec: true })],
      'line 1: timeout_sec must be an integer > 0 (got true)',
    ],
    ['a sandbox of any depth', [nested('sandbox')], 'line 1: sandbox must be'],
    ['a timeout_sec of any depth', [nested('timeout_sec')], 'line 1: timeout_sec must be'],
    ['a chunk_path with a NUL', [job({ chunk_path: 'a\0b' })], 'line 1: chunk_path'],
    ['a chunk_path that no disk has', [job({ chunk_path: 'x'.repeat(5000) })], 'line 1: chunk_path'],
    ['a schema_path that goes round', [job({ schema_path: 'round' })], 'line 1: schema_path: ELOOP'],
    ['timeout_sec: 0', [job({ timeout_sec: 0 })], 'line 1: timeout_sec'],
    ['a blank question', [job({ question: '  ' })], 'line 1: question'],
    ['an id that leads elsewhere', [job({ job_id: '../x' })], "line 1: job_id '../x' must match"],
    ['an output that leads elsewhere', [job({ output_path: '../x.json' })], 'line 1: output_path'],
    ['an absolute output', [job({ output_path: '/tmp/x.json' })], 'line 1: output_path'],
    ['an output through a symlink', [job({ output_path: 'out/x.json' })], 'leads through a symlink out of'],
    ['an output through a broken symlink', [job({ output_path: 'broken/x.json' })], 'broken symlink'],
    ['an output over our own files', [job({ output_path: 'events.jsonl' })], "one of the run's own files"],
    [
      'an output with a name that no disk has',
      [job({ output_path: `subresults/${'ü'.repeat(128)}` })],
      'line 1: output_path is too long',
    ],
    ['an output among our own logs', [job({ output_path: 'logs/x.json' })], "one of the run's own files"],
    [
      'an output over the directory of all',
      [job({ output_path: 'subresults' })],
      "one of the run's own files",
    ],
    ['no job at all', ['', ''], 'no jobs in'],
  ])('is refused naming the line: %s', async (_, lines, message) => {
    await expect(check(lines)).rejects.toThrow(message);
  });

  it('is quoted in an error only in part', async () => {
    const refused = check([job({ job_id: 'x'.repeat(1_000_000) })]);
    await expect(refused).rejects.toThrow(/^line 1: job_id 'x{900,1000}…$/);
  });

  it('may name any chunk at the command line, and only those under its roots over MCP', async () => {
    await expect(check([job({ chunk_path: '/etc/hostname' })])).resolves.toBe(1);
    await expect(check([job({ chunk_path: '/etc/hostname' })], [base])).rejects.toThrow('lies outside');
    await expect(check([job()], [base])).resolves.toBe(1);
  });

  it('has a longest line, and the error says which one is longer', async () => {
    await expect(
      check([job(), job({ job_id: 'j-2', question: 'x'.repeat(17 * 1024 * 1024) })]),
    ).rejects.toThrow('line 2: longer than 16777216 bytes');
  });
});

describe('what is named instead of a jobs file', () => {
  const batch = async (...args: string[]) => {
    const root = temporaryDirectory();
    place(join(root, 'files/a.txt'), 'The harbour opens at nine.\n');
    const end = await rlm(['batch', '--worker', 'extractive', '--json', ...args], { cwd: root });
    expect(end.code).toBe(1);
    return end.stderr;
  };

  it.each([['files/*.txt'], ['files'], ['files/a.txt']])('is told to be documents: %s', async (jobs) => {
    const error = await batch('--jobs', jobs);
    expect(error).toContain('is not a file of jobs');
    expect(error).toContain('ingest');
    expect(error).toContain(jobs);
  });

  it('is said not to exist when nothing is there', async () => {
    expect(await batch('--jobs', 'none.jsonl')).toMatch(/does not exist/);
  });
});
