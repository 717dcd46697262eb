import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { FinalAnswer } from '../../src/contracts/index.ts';
import { rlm } from '../support/rlm.ts';
import { temporaryDirectory } from '../support/runs.ts';

test('the demo answers a real question, and each citation opens at lines that hold the quoted words', async () => {
  const cwd = temporaryDirectory();
  const { code, stdout, stderr } = await rlm(['demo'], { cwd, env: { PATH: '/nowhere' } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/(\d+)\/\1 done, 0 failed/) });
  expect(stdout).toContain('Question: How do I extract images from a PDF?');
  const shown = [...stdout.matchAll(/^\[\d+\] (\S+\.md):(\d+)-(\d+)\n +“([^”]+)”$/gm)];
  expect(shown.length).toBeGreaterThanOrEqual(2);
  for (const [, path = '', first, last, quote = ''] of shown) {
    const lines = readFileSync(resolve(cwd, path), 'utf8')
      .split('\n')
      .slice(Number(first) - 1, Number(last));
    // A long quote is shown by its beginning.
    const said = quote.replace(/…$/, '').replaceAll(/\s+/g, ' ');
    expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain(said);
  }
  expect(stdout).toMatch(/“[^”]*extract\w*[^”]*images[^”]*”/i);
  expect(stdout).toMatch(/codex mcp add rlm -- node \S+ mcp\n.*claude mcp add rlm -- node \S+ mcp/);
});

test('what no document says is not answered: no citation, a gap, and how much was read', async () => {
  const cwd = temporaryDirectory();
  const { code, stdout } = await rlm(['demo', 'Who won the chess olympiad of 1972?'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toContain('The question stays open');
  expect(stdout).toMatch(/\d % of the bytes were read/);
  const runDir = /^run: \S+ \((.+)\)$/m.exec(stdout)?.[1] ?? '';
  const answer = FinalAnswer.parse(JSON.parse(readFileSync(`${runDir}/out/answer.json`, 'utf8')));
  expect(answer).toMatchObject({ citations: [], confidence: 0 });
  expect(answer.gaps.length).toBeGreaterThan(0);
});
