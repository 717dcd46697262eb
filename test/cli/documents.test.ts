import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

test('documents are searched and read as a person would want to see them', async () => {
  const root = temporaryDirectory();
  place(join(root, 'docs', 'guide.md'), '# Guide\n\nThe valve opens at noon.\n\u001b[31mRed.\n');
  place(join(root, 'docs', 'long.md'), `${'A line about pumps and nothing else at all.\n'.repeat(40)}`);
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await rlm(args, { cwd: root });
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  };
  await run('ingest', 'docs', '--run-id', 'here');
  // A list of results, each with its rows or, where they are too long for rows, its paragraphs.
  const found = await run('search', 'here', 'valve', 'pumps', 'zyzzyva');
  expect(found).toMatch(/^ {2}- query {12}valve$/m);
  expect(found).toMatch(/^ {6}chunk_id +source +line_start/m);
  expect(found).toMatch(/^ {6}- chunk_id +c-000002$/m);
  expect(found).toMatch(/^ {4}hits +none$/m);
  // A run that is named by an option leaves its place to the queries.
  expect(await run('search', '--run', 'here', 'valve', 'pumps', 'zyzzyva')).toBe(found);
  expect(await run('search', '--run-dir', '.rlm/runs/here', 'valve', 'pumps', 'zyzzyva')).toBe(found);
  // A text keeps its lines, and cannot write to the terminal.
  const text = await run('read', 'here', '--source', 'docs/guide.md', '--line-start', '1');
  expect(text).toContain('text\n  # Guide\n  \n  The valve opens at noon.\n  Red.\nbyte_start');
});
