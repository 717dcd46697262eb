import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CoverageFile, EvidenceFile, FinalAnswer } from '../../src/contracts/index.ts';
import { type GateResult, gateAnswer, gateError, reduceEvidence } from '../../src/evidence/index.ts';
import { CorpusOnDisk } from './corpus-on-disk.ts';

const TEXT =
  'Zeroth line.\nThe engine needs oil.\nThe gauge shows 5 bar.\nAdding water is not advised [1].\nA last line.\n';

let corpus: CorpusOnDisk;
let evidence: EvidenceFile;
let full: CoverageFile;
let partial: CoverageFile;

beforeAll(async () => {
  corpus = new CorpusOnDisk();
  const chunks = corpus.add('docs/a.md', TEXT);
  const quotes = ['The engine needs oil.', 'Adding water is not advised [1].'];
  const jobs = quotes.map((quote) =>
    corpus.job(chunks, { evidence: [{ quote, loc: 'docs/a.md:1-1', note: 'It says so.' }] }),
  );
  const input = { jobs, chunks: corpus.chunks, reader: corpus.reader, runDir: corpus.dir };
  ({ evidence, coverage: full } = await reduceEvidence({ ...input, sources: [...corpus.sources] }));
  corpus.leaveOut('image.png', Buffer.byteLength(TEXT));
  ({ coverage: partial } = await reduceEvidence({ ...input, sources: corpus.sources }));
});

function answer(changes: Partial<FinalAnswer>): FinalAnswer {
  return {
    content: 'It needs oil [1].',
    confidence: 0.9,
    citations: [{ claim_id: 'c-1', sources: ['docs/a.md:2-2'] }],
    gaps: [],
    artifacts: [],
    ...changes,
  };
}

function gate(candidate: unknown, coverage = full): GateResult {
  return gateAnswer(candidate, { evidence, coverage, reader: corpus.reader });
}

function problems(candidate: unknown): string[] {
  const result = gate(candidate);
  return result.ok ? [] : result.problems.map((problem) => `${problem.code}: ${problem.message}`);
}

describe('an answer is accepted', () => {
  it.each<[string, Partial<FinalAnswer>]>([
    ['with a mark for each citation', {}],
    ['without marks', { content: 'It needs oil.' }],
    [
      'with gaps and nothing cited',
      { content: 'That stays open.', citations: [], gaps: ['The price is open.'] },
    ],
    [
      'with code and verified quotes that look like marks',
      { content: 'Oil [1]:\n> Adding water is not advised [1].\nUse `a[7]`.\n```\nb[9]\n```\n' },
    ],
    ['with a fence inside a longer one', { content: 'Oil [1]:\n````\n```\nb[9]\n```\nc[8]\n````\n' }],
  ])('%s', (_name, changes) => {
    expect(problems(answer(changes))).toEqual([]);
  });
});

describe('an answer is refused', () => {
  it.each<[string, unknown, string]>([
    ['that is no object', 'oil', 'shape: the answer: '],
    ['with a field too many', { ...answer({}), notes: 1 }, 'shape: the answer: Unrecognized key'],
    ['with a field too few', { ...answer({}), artifacts: undefined }, 'shape: artifacts: '],
    ['whose confidence is above 1', answer({ confidence: 1.1 }), 'shape: confidence: '],
    ['that is blank', answer({ content: ' ' }), 'shape: content is blank'],
    ['that neither cites nor names a gap', answer({ content: 'Oil.', citations: [] }), 'nothing_cited: '],
    [
      'that marks what it does not list',
      answer({ citations: [], gaps: ['x'] }),
      "speaks_of_citations: content speaks of citations ('[1]')",
    ],
    [
      'that speaks of citations and has none',
      answer({ content: 'See the citations.', citations: [], gaps: ['x'] }),
      "speaks_of_citations: content speaks of citations ('citations')",
    ],
    [
      'with a mark beyond its citations',
      answer({ content: 'Oil [1-3].' }),
      'mark_without_citation: content has the mark [2], and there are 1 citations',
    ],
    [
      'with a citation that no mark uses',
      answer({ citations: [...answer({}).citations, { claim_id: 'c-2', sources: ['docs/a.md:4-4'] }] }),
      'citation_without_mark: citation 2 (c-2)',
    ],
    [
      'that cites lines nobody verified',
      answer({ citations: [{ claim_id: 'c-1', sources: ['docs/a.md:3-3'] }] }),
      "unverified_source: citations[0] (c-1): 'docs/a.md:3-3' is not verified evidence. Verified there: docs/a.md:2-2, docs/a.md:4-4.",
    ],
    [
      'that cites more lines than were verified',
      answer({ citations: [{ claim_id: 'c-1', sources: ['docs/a.md:1-3'] }] }),
      'unverified_source: ',
    ],
    [
      'that cites a document without evidence',
      answer({ citations: [{ claim_id: 'c-1', sources: ['docs/b.md:1-1'] }] }),
      'unverified_source: ',
    ],
    [
      'that cites something else than lines',
      answer({ citations: [{ claim_id: 'c-1', sources: ['e-0001'] }] }),
      'unverified_source: ',
    ],
    [
      'with a mark behind code in three backticks on one line',
      answer({ content: 'Oil [1].\n```a```\nWater is fine [2].\n' }),
      'mark_without_citation: content has the mark [2]',
    ],
    [
      'with a mark behind a fence that holds another',
      answer({ content: 'Oil [1].\n````\n```\n````\nWater is fine [2].\n' }),
      'mark_without_citation: content has the mark [2]',
    ],
    [
      'with a block quote that is nowhere',
      answer({ content: 'Oil [1].\n> Water is fine [2].\n' }),
      'mark_without_citation: content has the mark [2]',
    ],
  ])('%s', (_name, candidate, expected) => {
    expect(problems(candidate).join('\n')).toContain(expected);
  });

  it('with all of its problems at once, in one error that says what to do', () => {
    const result = gate(
      answer({
        confidence: 7,
        content: 'Oil [4].',
        citations: [{ claim_id: 'c-1', sources: ['no:1-1', 'docs/a.md:9-9'] }],
      }),
    );
    if (result.ok) throw new Error('accepted');
    expect(result.problems.map((problem) => problem.code)).toEqual([
      'shape',
      'mark_without_citation',
      'citation_without_mark',
      'unverified_source',
      'unverified_source',
    ]);
    expect(gateError(result.problems).message).toMatch(/1\. confidence: .*\n2\. .*\n3\. .*\n4\. .*\n5\. /);
  });

  it('once the bytes it cites have changed, or the document is gone', () => {
    const path = join(corpus.dir, 'docs/a.md');
    const before = readFileSync(path);
    writeFileSync(path, TEXT.replace('oil', 'tar'));
    try {
      expect(problems(answer({}))).toEqual([
        "source_changed: citations[0] (c-1): 'docs/a.md:2-2' has changed since it was read: ingest and ask again.",
      ]);
      expect(
        gate(answer({ content: 'Water [1].', citations: [{ claim_id: 'c', sources: ['docs/a.md:4-4'] }] }))
          .ok,
      ).toBe(true);
    } finally {
      writeFileSync(path, before);
    }
  });
});

describe('what is said to be absent', () => {
  const claims = [
    'There is no water pump.',
    'A warranty is not mentioned.',
    'The documents do not say how long it lasts.',
    'No evidence of a recall was found.',
    'None of the parts is magnetic.',
    'The manual doesn’t mention a price [2].',
    'Es gibt kein Ersatzteil.',
    '文件没有提到价格。',
  ];

  it.each(claims)('becomes a gap with the percentage below full coverage: %s', (claim) => {
    const citations = [
      { claim_id: 'c-1', sources: ['docs/a.md:2-2'] },
      ...(claim.includes('[2]') ? [{ claim_id: 'c-2', sources: ['docs/a.md:4-4'] }] : []),
    ];
    const result = gate(
      answer({
        content: `It needs oil [1]. ${claim}\n- ${claim}\nMore oil [1].`,
        citations,
        gaps: ['Own gap.'],
      }),
      partial,
    );
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(result.moved).toEqual([claim, claim]);
    expect(result.answer.content).toBe('It needs oil [1]. \nMore oil [1].');
    expect(result.answer.citations).toHaveLength(1);
    expect(result.answer.gaps[0]).toContain('only 50 % of the documents');
    expect(result.answer.gaps[0]).toContain(claim.replace(' [2]', ''));
    expect(result.answer.gaps.at(-1)).toBe('Own gap.');
    expect(gate(result.answer, partial)).toEqual({ ok: true, answer: result.answer, moved: [] });
  });

  it.each(claims)('stays when everything was read: %s', (claim) => {
    const content = `It needs oil [1]. ${claim.replace('[2]', '[1]')}`;
    expect(gate(answer({ content }))).toMatchObject({ ok: true, moved: [], answer: { content } });
  });

  it.each([
    'There is no need to add water [1].',
    'Water does not help.',
    'No, it needs oil [1].',
    'It is not advised [1].',
  ])('is not what this says: %s', (sentence) => {
    expect(gate(answer({ content: `It needs oil [1]. ${sentence}` }), partial)).toMatchObject({
      ok: true,
      moved: [],
    });
  });

  it('leaves a sentence when nothing else remains', () => {
    const result = gate(answer({ content: 'There is no pump.', citations: [], gaps: ['x'] }), partial);
    expect(result).toMatchObject({
      ok: true,
      answer: { content: "What was read (50 % of the documents' bytes) does not settle this." },
    });
  });
});
