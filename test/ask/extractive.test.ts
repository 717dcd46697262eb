import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FinalAnswer } from '../../src/contracts/index.ts';
import { rlm } from '../support/rlm.ts';
import { temporaryDirectory } from '../support/runs.ts';
import { verifyAnswer } from './verify-answer.ts';

const FILLER = 'Other matters are treated in this paragraph, which says nothing of interest. '.repeat(6);

/** Asks over some documents with the extractive reader, and checks every citation against their bytes. */
async function ask(question: string, documents: Record<string, string>) {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'docs'));
  for (const [name, text] of Object.entries(documents)) writeFileSync(join(root, 'docs', name), text);
  const args = ['ask', question, '--input', 'docs', '--worker', 'extractive', '--run-id', 'asked'];
  const { code } = await rlm(args, { cwd: root });
  expect(code).toBe(0);
  const runDir = join(root, '.rlm/runs/asked');
  verifyAnswer(runDir);
  const answer = FinalAnswer.parse(JSON.parse(readFileSync(join(runDir, 'out/answer.json'), 'utf8')));
  return { ...answer, sources: answer.citations.flatMap(({ sources }) => sources) };
}

const GUIDE = `# Widget server

${FILLER}

## Limits

${FILLER}

The server accepts at most 400 connections at a time. ${FILLER}What comes on top waits in a queue of its own.

## Storage

${FILLER}

The journal is kept for 30 days, and then it is compressed. ${FILLER}
`;
const MANUAL = `# Console manual\n\n${FILLER}\n\n## Colours\n\nThe console prints warnings in amber.\n\n${FILLER}\n`;

describe('an ask without a model', () => {
  test('cites the whole paragraph that answers, however long it is', async () => {
    const { content, sources } = await ask('How many connections does the server accept?', {
      'guide.md': GUIDE,
    });
    expect(sources[0]).toMatch(/^docs\/guide\.md:/);
    expect(content).toContain('accepts at most 400 connections at a time');
    expect(content).toContain('waits in a queue of its own');
  });

  test('names the half of a question that nothing answers in its gaps, and only that', async () => {
    const question =
      'How many connections does the server accept, and which colour does the console print warnings in?';
    const half = await ask(question, { 'guide.md': GUIDE });
    expect(half.content).toContain('at most 400 connections');
    const open = half.gaps.filter((gap) => gap.startsWith('No passage holds'));
    expect(open).toEqual([expect.stringMatching(/“colour”.*“console”.*“warnings”/)]);
    const whole = await ask(question, { 'guide.md': GUIDE, 'manual.md': MANUAL });
    expect(whole.gaps.filter((gap) => gap.startsWith('No passage holds'))).toEqual([]);
  });

  test('answers both halves of a question, also from two documents', async () => {
    const question =
      'How many connections does the server accept, and in which colour does the console print warnings?';
    const { content, sources } = await ask(question, { 'guide.md': GUIDE, 'manual.md': MANUAL });
    expect(content).toContain('at most 400 connections');
    expect(content).toContain('warnings in amber');
    expect(new Set(sources.map((source) => source.split(':')[0]))).toEqual(
      new Set(['docs/guide.md', 'docs/manual.md']),
    );
  });

  test.each([
    'Which licence does the widget server have?',
    'How many connections does the printer accept on Sundays?',
    'Who compresses the journal of the embassy in Helsinki?',
  ])(
    'cites nothing when the documents share words with the question and do not answer it: %s',
    async (question) => {
      const { citations, content } = await ask(question, { 'guide.md': GUIDE, 'manual.md': MANUAL });
      expect(citations).toEqual([]);
      expect(content).toContain('The question stays open');
    },
  );

  test('prefers the rare words of a question to those that are everywhere in the documents', async () => {
    const common = Array.from(
      { length: 40 },
      (_, n) => `## Part ${n}\n\nThe default value of the option is ${n}. ${FILLER}\n`,
    );
    const text = `${common.join('\n')}\n## Gyroscope\n\n77 degrees by default, unless the option says otherwise. ${FILLER}\n`;
    const { content } = await ask('What is the default value of the gyroscope option?', { 'parts.md': text });
    expect(content.indexOf('77 degrees')).toBeGreaterThan(0);
    expect(content.indexOf('77 degrees')).toBeLessThan(900);
  });

  test('cites a passage once that two chunks share, and the same words once', async () => {
    const { citations } = await ask('In which colour does the console print warnings?', {
      'manual.md': MANUAL,
      'copy.md': MANUAL,
    });
    expect(citations).toHaveLength(1);
  });
});
