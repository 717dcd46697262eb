import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VerifiedEvidence } from '../../src/contracts/index.ts';
import { possibleConflicts } from '../../src/evidence/conflicts.ts';
import { locateQuote, reduceEvidence, SourceText } from '../../src/evidence/index.ts';
import { CorpusOnDisk } from './corpus-on-disk.ts';

/* Each limit of the evidence, on both sides of it. */

/** Words of ten letters: none is a number, a negation or a word whose change turns a meaning. */
const WORDS = [
  'instrument',
  'laboratory',
  'helicopter',
  'university',
  'literature',
  'generation',
  'locomotive',
  'vegetarian',
  'typewriter',
  'hemisphere',
  'ophthalmic',
  'watercress',
];

const sentence = fc.shuffledSubarray(WORDS, { minLength: 9, maxLength: 9 });

/** Changes one letter in the middle of each of the first words, or two in the first ones when there are more edits. */
function withEdits(words: readonly string[], edits: number): string {
  const edited = words.map((word) => word.split(''));
  for (let edit = 0; edit < edits; edit += 1) {
    const letters = edited[edit % words.length] ?? [];
    letters[edit < words.length ? 4 : 7] = 'q';
  }
  return edited.map((letters) => letters.join('')).join(' ');
}

describe('a quote with edited letters', () => {
  it('is found with a tenth of its characters edited, and not with one more', () => {
    fc.assert(
      fc.property(sentence, (words) => {
        const source = new SourceText(`Before it. ${words.join(' ')}. After it.`);
        const limit = Math.floor(words.join(' ').length * 0.1);
        expect(locateQuote(source, withEdits(words, limit))).toMatchObject({ match: 'fuzzy', edits: limit });
        expect(locateQuote(source, withEdits(words, limit + 1)).match).toBe('missing');
      }),
    );
  });

  it('is found from 24 characters on', () => {
    const source = new SourceText('They calibrate the instrument and the instruments daily.');
    expect(locateQuote(source, 'calibrate the insqrument')).toMatchObject({ match: 'fuzzy', edits: 1 });
    expect(locateQuote(source, 'alibrate the insqrument').match).toBe('missing');
  });

  it('is found in parts of eight characters, and no shorter ones prove anything', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 12 }),
        fc.constantFrom('…', '...', '[...]'),
        (length, ellipsis) => {
          const word = 'x'.repeat(length);
          const source = new SourceText(`The ${word} is followed by much and then by the last remark.`);
          const found = locateQuote(source, `${word} ${ellipsis} the last remark`);
          expect(found.match).toBe(length >= 8 ? 'exact' : 'missing');
        },
      ),
    );
  });
});

describe('the lines of a quote', () => {
  const line = fc.stringMatching(/^[a-z]{3,9}( [a-z]{3,9}){2,5}$/);

  it('are those of its first and last characters, however lines and quote end', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(line, { minLength: 4, maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.nat(),
        fc.nat(),
        (texts, newline, trailing, a, b) => {
          const lines = texts.map((text, index) => `${index} ${text}.`);
          const first = a % lines.length;
          const last = first + (b % (lines.length - first));
          const source = new SourceText(lines.join(newline) + (trailing ? newline : ''));
          const whole = lines.slice(first, last + 1).join(newline);
          for (const quote of [whole, `${whole}${newline}`, `${newline}${whole}`]) {
            const found = locateQuote(source, quote);
            if (found.match === 'missing') throw new Error(`'${quote}' is missing`);
            expect([found.spans[0]?.line_start, found.spans[0]?.line_end]).toEqual([first + 1, last + 1]);
          }
        },
      ),
    );
  });

  it('do not take in the line behind a passage that ends in a line break', async () => {
    const corpus = new CorpusOnDisk();
    const chunks = corpus.add('a.md', 'Alpha.\nBeta gamma.\nDelta.\n');
    const job = corpus.job(chunks, {});
    const passage = { part: 0, start: 7, end: 19, context: '', share: 0.9 };
    const answer = { chunk_id: chunks[0]?.chunk_id, relevant: true, passages: [passage] };
    writeFileSync(job.answer_path ?? '', JSON.stringify(answer));
    const { evidence: file } = await reduceEvidence({
      jobs: [job],
      chunks: corpus.chunks,
      sources: corpus.sources,
      reader: corpus.reader,
      runDir: corpus.dir,
    });
    expect(file.items).toMatchObject([{ quote: 'Beta gamma.\n', line_start: 2, line_end: 2 }]);
  });

  it('that a worker names mean the place in them, not the one in the next line', () => {
    const source = new SourceText('Same words here.\nOther words.\nSame words here.\nSame words here.\n');
    const lineOf = (line: number) => {
      const found = locateQuote(source, 'Same words here.', { near: { line_start: line, line_end: line } });
      return found.match === 'missing' ? undefined : found.spans[0]?.line_start;
    };
    expect([1, 3, 4].map(lineOf)).toEqual([1, 3, 4]);
  });
});

/** An item of evidence; only what conflicts are found by matters. */
function evidence(id: number, quote: string, question = 'How much?', source = 'a.md'): VerifiedEvidence {
  return {
    evidence_id: `e-${String(id).padStart(4, '0')}`,
    source,
    location: `${source}:${id}-${id}`,
    byte_start: id * 1000,
    byte_end: id * 1000 + 10,
    line_start: id,
    line_end: id,
    sha256: '0'.repeat(64),
    quote,
    match: 'exact',
    edits: 0,
    notes: [],
    origins: [{ job_id: `j-${id}`, chunk_id: 'c-000001', question }],
    more_origins: 0,
    confidence: 0.9,
  };
}

const kindsOf = (items: VerifiedEvidence[]) => possibleConflicts(items).conflicts.map(({ kind }) => kind);

describe('two statements contradict each other', () => {
  /** Words that no stemmer changes and no list knows. */
  const terms = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => `zor${String.fromCharCode(97 + from + index)}bax`);

  it('when they share three terms and six tenths of all, and not with less', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(6), fc.nat(6), (shared, onlyA, onlyB) => {
        const common = terms(0, shared);
        const a = [...common, ...terms(8, onlyA)];
        const b = [...common, ...terms(15, onlyB)];
        fc.pre(a.length >= 3 && b.length >= 3);
        const found = kindsOf([evidence(1, `${a.join(' ')} 5`), evidence(2, `${b.join(' ')} 7`)]);
        const share = shared / (shared + onlyA + onlyB);
        expect(found).toEqual(shared >= 3 && share >= 0.6 ? ['number'] : []);
      }),
      { numRuns: 400 },
    );
  });

  it('only when they answer the same question', () => {
    const pair = (other: string) => [
      evidence(1, 'The red valve opens at 5 bar.'),
      evidence(2, 'The red valve opens at 7 bar.', other),
    ];
    expect(kindsOf(pair('How much?'))).toEqual(['number']);
    expect(kindsOf(pair('How often?'))).toEqual([]);
  });

  it('when one of them negates, and a double negation negates nothing', () => {
    const plain = evidence(1, 'The red valve opens slowly at noon.');
    expect(kindsOf([plain, evidence(2, 'The red valve never opens slowly at noon.')])).toEqual(['negation']);
    expect(kindsOf([plain, evidence(2, "The red valve doesn't never open slowly at noon.")])).toEqual([]);
    const negated = evidence(1, 'The red valve does not open slowly at noon.');
    expect(kindsOf([negated, evidence(2, 'The red valve never opens slowly at noon.')])).toEqual([]);
  });

  it('not when they say the same twice', () => {
    fc.assert(
      fc.property(sentence, fc.integer({ min: 1, max: 99 }), (words, number) => {
        const text = `${words.join(' ')} ${number}`;
        expect(kindsOf([evidence(1, text), evidence(2, text)])).toEqual([]);
      }),
    );
  });

  it('with up to five others, and with more they are rows of a table', () => {
    const rows = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        evidence(index + 1, `The red valve opens at ${index} bar.`),
      );
    expect(kindsOf(rows(6))).toHaveLength(15);
    expect(kindsOf(rows(7))).toEqual([]);
  });
});

describe('quotes of one document become one', () => {
  async function merged(text: string, quotes: string[], jobs = quotes.map((_, index) => index)) {
    const corpus = new CorpusOnDisk();
    const chunks = corpus.add('a.md', text);
    const made = quotes.map((quote) =>
      corpus.job(chunks, { evidence: [{ quote, loc: 'a.md:1-1', note: 'n' }] }),
    );
    const { evidence: file } = await reduceEvidence({
      jobs: jobs.flatMap((index) => made[index] ?? []),
      chunks: corpus.chunks,
      sources: corpus.sources,
      reader: corpus.reader,
      runDir: corpus.dir,
    });
    return file;
  }

  it.each([
    [80, 1],
    [81, 2],
  ])('with %i bytes between them: %i', async (gap, expected) => {
    const { items } = await merged(`First of all.${' '.repeat(gap)}Second of all.\n`, [
      'First of all.',
      'Second of all.',
    ]);
    expect(items).toHaveLength(expected);
  });

  it.each([
    [1200, 1],
    [1201, 2],
  ])('up to %i bytes together: %i', async (size, expected) => {
    const quotes = ['a', 'b', 'c'].map((letter) => `${letter.repeat(298)}.`);
    const last = `${'d'.repeat(size - 901)}.`;
    const { items } = await merged(`${[...quotes, last].join(' ')}\n`, [...quotes, last]);
    expect(items).toHaveLength(expected);
  });

  it('when they are the same, and a job counts once', async () => {
    const text = 'The valve opens at noon.\n';
    const file = await merged(text, ['The valve opens at noon.', 'the valve  opens at noon.'], [0, 1, 0]);
    expect(file.items).toHaveLength(1);
    expect(file.items[0]).toMatchObject({ match: 'exact', more_origins: 0 });
    expect(file.items[0]?.origins.map(({ job_id }) => job_id)).toEqual(['j-0', 'j-1']);
    expect(file.counts).toMatchObject({ quotes: 3, quotes_exact: 2, quotes_normalised: 1, quotes_merged: 2 });
  });
});
