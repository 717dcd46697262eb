import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AskPreview, BatchSummary, EvidenceFile, type JobRecord } from '../../src/contracts/index.ts';
import {
  Asker,
  chunkAnswer,
  chunkIdOf,
  readJournal,
  readState,
  runAgain,
  synthesis,
  unit,
  units,
} from './asker.ts';
import { readEvidence, verifyAnswer } from './verify-answer.ts';

const QUESTION = 'What is the code word of each unit?';
const ASK = ['ask', QUESTION, '--input', 'docs'];

test('quotes that a model invents in a tenth of its answers reach no answer, and are counted exactly', async () => {
  const invented = (prompt: string) =>
    `The code word of the whole company is x-${Number(chunkIdOf(prompt).slice(2))}.`;
  const isLiar = (prompt: string) => Number(chunkIdOf(prompt).slice(2)) % 10 === 0;
  let lies = 0;
  const asker = await Asker.start({
    chunk(prompt) {
      const { evidence, ...rest } = chunkAnswer(prompt);
      if (!isLiar(prompt)) return { ...rest, evidence };
      lies += 1;
      return {
        ...rest,
        evidence: [{ loc: `${invented(prompt)}:1-1`, quote: invented(prompt), note: 'n' }, ...evidence],
      };
    },
    synthesis: (prompt, earlier) =>
      earlier === 0
        ? synthesis(prompt, { claims: [{ text: 'All is well.', evidence: [999] }] })
        : synthesis(prompt),
  });
  asker.write(units(40));
  const { code, stdout, stderr } = await asker.rlm(...ASK, '--top-k', '40');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const runDir = asker.run();

  const { answer, quotes } = verifyAnswer(runDir);
  expect(quotes).toHaveLength(40);
  expect(answer.citations).toHaveLength(40);
  expect(lies).toBe(4);
  expect(readEvidence(runDir).counts).toMatchObject({ quotes: 44, quotes_exact: 40, quotes_rejected: 4 });
  expect(answer.gaps.join('\n')).toContain('4 of 44 quotes');
  for (const text of [stdout, JSON.stringify(answer)]) expect(text).not.toContain('whole company');

  // A number of evidence that does not exist was refused, and the model told so at the very end of its prompt.
  expect(asker.calls('synthesis')).toBe(2);
  expect(asker.server.calls.at(-1)?.prompt).toMatch(
    /Your last answer was not accepted:\n.*names evidence 999, which does not exist.*\nAnswer again with the whole corrected JSON object\.\s*$/,
  );
  // The expansion is kept in the run, searched for, and paid for: 1 + 40 + 2 calls of 100 and 10 tokens.
  expect(readState(runDir)).toMatchObject({
    route: 'search',
    expansion: { terms: ['password'], phrasings: ['the secret word of'] },
    answered_by: 'synthesis',
    passes: [{ chunks: 40, jobs: 40, chosen_by: 'search' }],
  });
  const summary = BatchSummary.parse(JSON.parse(readFileSync(join(runDir, 'summary.json'), 'utf8')));
  expect(summary).toMatchObject({
    jobs_total: 40,
    jobs_succeeded: 40,
    usage_totals: { input_tokens: 4300, output_tokens: 430 },
  });
  expect(stdout).toContain('4300 input and 430 output tokens');
}, 60_000);

test('words that only the expansion knows find the passage; without it there is nothing to find', async () => {
  const asker = await Asker.start({
    expansion: () => ({ terms: ['gnomon'], phrasings: [] }),
    chunk: (prompt) =>
      prompt.includes('gnomon')
        ? chunkAnswer(prompt, {
            relevant: true,
            evidence: [{ loc: 'x:1-1', quote: 'A gnomon casts the shade.', note: 'n' }],
          })
        : chunkAnswer(prompt, { relevant: false, evidence: [] }),
  });
  asker.write({ ...units(20), 'docs/zz.md': 'A gnomon casts the shade.\n' });
  const args = [
    'ask',
    'Which part of sundials marks hours?',
    '--input',
    'docs',
    '--top-k',
    '1',
    '--follow-ups',
    '0',
  ];
  await asker.rlm(...args, '--run-id', 'plain', '--no-expand');
  expect(verifyAnswer(asker.run('plain')).quotes).toEqual([]);
  expect(asker.calls('expansion')).toBe(0);
  await asker.rlm(...args, '--run-id', 'expanded');
  expect(verifyAnswer(asker.run('expanded')).quotes).toEqual(['A gnomon casts the shade.']);
  expect(asker.calls('expansion')).toBe(1);
}, 60_000);

test('a synthesis that never holds gives way to the documents’ own words, labelled as such', async () => {
  const asker = await Asker.start({
    synthesis: (prompt) => synthesis(prompt, { claims: [{ text: 'There are 4711 units.', evidence: [1] }] }),
  });
  asker.write({ 'docs/a.md': unit(1) });
  const { code, stdout } = await asker.rlm(...ASK);
  expect(code).toBe(0);
  const { answer, quotes } = verifyAnswer(asker.run());
  expect(answer.content).toMatch(/^Extractive answer/);
  expect(answer.content).not.toContain('4711');
  expect(quotes).toEqual(['The code word of unit 1 is w-1.']);
  expect(asker.calls('synthesis')).toBe(3);
  expect(stdout).toMatch(/no synthesis was accepted \(attempt 3: invalid_output: .*4711/);
  expect(answer.gaps[0]).toMatch(/A model was asked to write the answer, and what it wrote was not accepted/);
  expect(stdout).toContain('by extractive');
}, 60_000);

test('what contradicts each other stands side by side, both cited', async () => {
  const asker = await Asker.start({
    synthesis: (prompt) =>
      synthesis(prompt, { conflicts: [{ text: 'The documents name two code words.', evidence: [1, 2] }] }),
  });
  asker.write({ 'docs/a.md': unit(7, 'w-7'), 'docs/b.md': unit(7, 'w-8') });
  const { code, stdout } = await asker.rlm(...ASK);
  expect(code).toBe(0);
  const { answer, quotes } = verifyAnswer(asker.run());
  expect(quotes.sort()).toEqual(['The code word of unit 7 is w-7.', 'The code word of unit 7 is w-8.']);
  const { conflicts, items } = EvidenceFile.parse(
    JSON.parse(readFileSync(join(asker.run(), 'reduce/evidence.json'), 'utf8')),
  );
  const reported = conflicts.find(({ kind }) => kind === 'reported');
  expect(reported?.description).toBe('The documents name two code words.');
  expect(reported?.evidence_ids).toEqual(items.map(({ evidence_id }) => evidence_id));
  expect(stdout).toMatch(/^ {2}- docs\/a\.md:3-3 against docs\/b\.md:3-3\n {6}The documents name two/m);
  const line = /^- The documents name two code words\..*$/m.exec(answer.content)?.[0] ?? '';
  const cited = [...line.matchAll(/\d+/g)].flatMap(
    ([mark]) => answer.citations[Number(mark) - 1]?.sources ?? [],
  );
  expect(cited.sort()).toEqual(['docs/a.md:3-3', 'docs/b.md:3-3']);
}, 60_000);

test('a contradiction found by comparing texts is shown to the synthesis, and in the answer when it is left out there', async () => {
  const asker = await Asker.start({
    chunk: (prompt) =>
      chunkAnswer(prompt, {
        relevant: true,
        evidence: [...prompt.matchAll(/^The speed limit.*$/gm)].map(([quote]) => ({
          loc: 'x:1-1',
          quote,
          note: 'n',
        })),
      }),
  });
  asker.write({
    'docs/a.md': 'The speed limit on the old bridge is 40 km/h.\n',
    'docs/b.md': 'The speed limit on the old bridge is 65 km/h.\n',
  });
  const { code, stderr } = await asker.rlm(
    'ask',
    'What is the speed limit on the bridge?',
    '--input',
    'docs',
  );
  expect(code, stderr).toBe(0);
  const prompt =
    asker.server.calls.map((call) => call.prompt).find((text) => text.includes('May contradict')) ?? '';
  expect(prompt).toMatch(/^- 1 and 2: they name different numbers$/m);
  const { answer } = verifyAnswer(asker.run());
  expect(readState(asker.run()).answered_by).toBe('synthesis');
  const conflict = /Possible conflicts:\n- .*40 km\/h.* against .*65 km\/h.*\[(\d+)\]/.exec(answer.content);
  expect(answer.citations[Number(conflict?.[1]) - 1]?.sources.sort()).toEqual([
    'docs/a.md:1-1',
    'docs/b.md:1-1',
  ]);
  // 0.9 as the model says, times 0.8.
  expect(answer.confidence).toBeCloseTo(0.72);
}, 60_000);

test('evidence that does not fit one call is answered in parts and merged', async () => {
  const lines = (n: number) =>
    Array.from(
      { length: 50 },
      (_, line) =>
        `The code word of ${n} in row ${line} is ${`word-${n}-${line} `.repeat(18)}.\n\nNothing.\n`,
    );
  const asker = await Asker.start();
  asker.write(Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`docs/${n}.md`, lines(n).join('\n')])));
  const { code } = await asker.rlm(...ASK, '--chunk-tokens', '20000', '--pack-tokens', '20000');
  expect(code).toBe(0);
  expect(asker.calls('synthesis')).toBeGreaterThan(1);
  expect(asker.calls('merge')).toBe(1);
  const { answer, quotes } = verifyAnswer(asker.run());
  expect(readState(asker.run()).answered_by).toBe('synthesis');
  expect(answer.citations.length).toBeGreaterThan(10);
  expect(quotes.length).toBe(answer.citations.length);
}, 60_000);

test('what fits one prompt is one job over all documents, and the route is stated', async () => {
  const asker = await Asker.start();
  asker.write(
    Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`docs/${n}.md`, `The code word of unit ${n} is w-${n}.\n`]),
    ),
  );
  const { stdout } = await asker.rlm(...ASK);
  const runDir = asker.run();
  expect(asker.calls('chunk')).toBe(1);
  expect(asker.calls('expansion')).toBe(0);
  const jobs = readFileSync(join(runDir, 'jobs.jsonl'), 'utf8').trimEnd().split('\n');
  expect(jobs).toHaveLength(1);
  const job: JobRecord = JSON.parse(jobs[0] ?? '');
  expect(new Set(job.spans?.map(({ source }) => source)).size).toBe(40);
  expect(readState(runDir)).toMatchObject({
    route: 'single',
    passes: [{ chunks: 40, jobs: 1, chosen_by: 'all' }],
  });
  expect(stdout).toContain('everything fitted one prompt: one job');
  expect(verifyAnswer(runDir).quotes).toHaveLength(40);
}, 60_000);

test('asked again, nothing is launched; after an edit of one file only that file’s jobs are', async () => {
  const asker = await Asker.start();
  asker.write(units(20));
  expect((await asker.rlm(...ASK)).code).toBe(0);
  expect(asker.calls('chunk')).toBe(20);
  const before = asker.server.calls.length;

  const again = await asker.rlm(...ASK, '--run-id', 'again');
  expect(again.code).toBe(0);
  expect(asker.server.calls.length).toBe(before);
  expect(again.stdout).toContain('22 of 22 calls answered in 0 attempts, 22 from the cache, 0 input');
  expect(again.stderr).toContain('ingested 20 documents (20 known and unchanged)');
  verifyAnswer(asker.run('again'));

  // A new first document moves every chunk's id; the edited one has other words.
  asker.write({ 'docs/unit-007.md': unit(7, 'changed'), 'docs/aaa.md': unit(100) });
  const edited = await asker.rlm(...ASK, '--run-id', 'edited');
  expect(edited.stderr).toContain('ingested 21 documents (19 known and unchanged)');
  const jobs = asker.server.calls.slice(before).filter(({ prompt }) => chunkIdOf(prompt) !== '');
  expect(jobs.map(({ prompt }) => /SOURCE: (\S+),/.exec(prompt)?.[1]).sort()).toEqual([
    'docs/aaa.md',
    'docs/unit-007.md',
  ]);
  expect(verifyAnswer(asker.run('edited')).quotes).toContain('The code word of unit 7 is changed.');
}, 60_000);

test('what stays open is followed up in the next best chunks, twice and no more', async () => {
  const asker = await Asker.start({
    synthesis: (prompt) => synthesis(prompt, { gaps: ['Who chose the words?'] }),
  });
  asker.write(units(20));
  expect((await asker.rlm(...ASK, '--top-k', '4')).code).toBe(0);
  const { passes } = readState(asker.run());
  expect(passes.map(({ chunks }) => chunks)).toEqual([4, 4, 4]);
  expect(passes[1]?.questions).toEqual([`${QUESTION}\nIn particular: Who chose the words?`]);
  expect(asker.calls('chunk')).toBe(12);
  expect(asker.calls('synthesis')).toBe(3);
  const { answer, quotes } = verifyAnswer(asker.run());
  expect(quotes).toHaveLength(12);
  expect(answer.gaps[0]).toBe('Who chose the words?');
  expect(answer.gaps.join('\n')).toMatch(/Not everything was read: \d+\.?\d* %/);

  const three = await asker.rlm(...ASK, '--follow-ups', '3');
  expect(three).toMatchObject({ code: 1, stderr: expect.stringContaining('--follow-ups') });
}, 60_000);

test('out of quota there is a partial answer that says so; resume finishes it, and repeats nothing', async () => {
  let left = 9;
  const asker = await Asker.start({
    chunk(prompt) {
      left -= 1;
      if (left >= 0) return chunkAnswer(prompt);
      const body = { error: { code: 'insufficient_quota', message: 'You exceeded your current quota.' } };
      return { kind: 'status', status: 429, body };
    },
  });
  asker.write(units(20));
  const stopped = await asker.rlm(...ASK, '--run-id', 'poor', '--parallel', '2');
  expect(stopped.code).toBe(75);
  expect(stopped.stdout).toMatch(/^input_required: quota used up/m);
  expect(stopped.stdout).toMatch(/^note: partial answer: quota/m);
  const partial = verifyAnswer(asker.run('poor'));
  // Without a synthesis it is extractive, and shows the best of what was found.
  expect(readEvidence(asker.run('poor')).items).toHaveLength(9);
  expect(partial.quotes.length).toBeGreaterThan(0);
  expect(partial.answer.gaps.join('\n')).toContain('never sent');
  expect(JSON.parse(readFileSync(join(asker.run('poor'), 'summary.json'), 'utf8'))).toMatchObject({
    state: 'input_required',
    jobs_succeeded: 9,
  });

  left = 1000;
  const resumed = await asker.rlm('resume', '--run', 'poor');
  expect(resumed.code).toBe(0);
  expect(verifyAnswer(asker.run('poor')).quotes).toHaveLength(20);
  expect(readState(asker.run('poor'))).toMatchObject({ answered_by: 'synthesis', notes: [] });
  expect(runAgain(readJournal(asker.run('poor')))).toEqual([]);
  expect(asker.calls('expansion')).toBe(1);
}, 60_000);

test('a budget that ends in a follow-up keeps the synthesis made before', async () => {
  const asker = await Asker.start({
    synthesis: (prompt) => synthesis(prompt, { gaps: ['Who chose the words?'] }),
  });
  asker.write(units(20));
  // Expansion, four jobs, synthesis, and two jobs of the first follow-up.
  const { code, stdout } = await asker.rlm(...ASK, '--top-k', '4', '--max-attempts', '8', '--parallel', '1');
  expect(code).toBe(2);
  expect(stdout).toMatch(/^input_required: budget/m);
  const { answer, quotes } = verifyAnswer(asker.run());
  expect(readState(asker.run())).toMatchObject({ answered_by: 'synthesis' });
  expect(quotes).toHaveLength(4);
  // The coverage told is that of now: six documents, not the four of the synthesis.
  const coverage: { total: { sources_read_fully: number; percent_read: number } } = JSON.parse(
    readFileSync(join(asker.run(), 'reduce/coverage.json'), 'utf8'),
  );
  expect(coverage.total.sources_read_fully).toBe(6);
  expect(answer.gaps.join('\n')).toContain(`${coverage.total.percent_read} % of the bytes were read`);
}, 60_000);

test('a dry run spends nothing but its sample, and says what the rest would take', async () => {
  const asker = await Asker.start();
  asker.write(units(20));
  const { code, stdout } = await asker.rlm(...ASK, '--dry-run', '--run-id', 'dry');
  expect(code).toBe(0);
  expect(asker.server.calls).toHaveLength(0);
  expect(stdout).toMatch(/^20 jobs over 20 chunks, about \d+ prompt tokens, price not known/);
  const sampled = await asker.rlm(...ASK, '--dry-run', '--sample', '3', '--run-id', 'sampled');
  expect(asker.server.calls).toHaveLength(3);
  expect(sampled.stdout).toContain('sample of 3: input 100 tokens (p95 100), output 10 (p95 10)');
  const preview = AskPreview.parse(
    JSON.parse(readFileSync(join(asker.run('sampled'), 'ask/preview.json'), 'utf8')),
  );
  expect(preview).toMatchObject({ jobs: 20, chunks: 20, cost_usd: null, sample: { jobs: 3 } });
  expect(existsSync(join(asker.run('sampled'), 'out/answer.json'))).toBe(false);
  // What the sample cost is not spent again.
  await asker.rlm(...ASK, '--run-id', 'real');
  expect(asker.calls('chunk')).toBe(20);
}, 60_000);
