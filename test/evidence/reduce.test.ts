import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChunkRecord, CoverageFile, EvidenceFile } from '../../src/contracts/index.ts';
import {
  extractiveAnswer,
  gateAnswer,
  type ReduceJob,
  reduceEvidence,
  withReportedConflicts,
} from '../../src/evidence/index.ts';
import { CorpusOnDisk, sha256Of } from './corpus-on-disk.ts';
import { Seeded } from './seeded.ts';

function reduce(corpus: CorpusOnDisk, jobs: ReduceJob[], maxEvidence?: number) {
  return reduceEvidence({
    jobs,
    chunks: corpus.chunks,
    sources: corpus.sources,
    reader: corpus.reader,
    runDir: corpus.dir,
    maxEvidence,
  });
}

function claim(quote: string, loc = 'a.txt:1-1', note = 'It shows it.') {
  return { quote, loc, note };
}

/** Reads each document itself and checks everything the evidence file says of it. */
function verifyAgainstDocuments(corpus: CorpusOnDisk, evidence: EvidenceFile): void {
  for (const item of evidence.items) {
    const bytes = readFileSync(join(corpus.dir, item.source));
    const slice = bytes.subarray(item.byte_start, item.byte_end);
    expect(sha256Of(slice)).toBe(item.sha256);
    expect(slice.toString()).toBe(item.quote);
    const lines = bytes
      .toString()
      .split('\n')
      .slice(item.line_start - 1, item.line_end)
      .join('\n');
    expect(lines).toContain(item.quote.trimEnd());
  }
}

describe('a corpus where a tenth of the quotes is invented', () => {
  it('refuses exactly those, and every quote that is left stands in its document', async () => {
    const random = new Seeded(11);
    const corpus = new CorpusOnDisk();
    const nouns = ['engine', 'valve', 'gauge', 'rotor', 'filter', 'sensor', 'piston', 'cylinder'];
    const sentence = (document: number, line: number) =>
      `Item ${document}-${line}: the ${random.pick(nouns)} of the ${random.pick(nouns)} needs service ${random.below(1000)} once a ${random.pick(['day', 'week', 'year'])}.`;
    const jobs: ReduceJob[] = [];
    const invented: string[] = [];
    let given = 0;
    for (let document = 0; document < 20; document += 1) {
      const lines = Array.from({ length: 60 }, (_, line) => sentence(document, line));
      const path = `docs/part-${document % 4}/doc-${document}.md`;
      for (const chunk of corpus.add(path, `${lines.join('\n')}\n`, 10)) {
        const evidence = [1, 4, 7].map((offset) => {
          const line = chunk.line_start - 1 + offset;
          const real = lines[line] ?? '';
          const fake = random.next() < 0.1;
          given += 1;
          const quote = fake ? real.replace(/service \d+/, `service ${2000 + given}`) : real;
          if (fake) invented.push(quote);
          return claim(quote, `${path}:${line + 1}-${line + 1}`);
        });
        jobs.push(corpus.job([chunk], { evidence }));
      }
    }
    expect(invented.length).toBeGreaterThan(20);

    const { evidence, coverage } = await reduce(corpus, jobs);

    expect(evidence.counts).toMatchObject({
      jobs: 120,
      quotes: given,
      quotes_exact: given - invented.length,
      quotes_rejected: invented.length,
      rejected_by_reason: { number_changed: invented.length },
    });
    verifyAgainstDocuments(corpus, evidence);
    const answer = extractiveAnswer('What needs service?', evidence, coverage);
    const accepted = gateAnswer(answer, { evidence, coverage, reader: corpus.reader });
    expect(accepted.ok).toBe(true);
    const everything = JSON.stringify([evidence.items, answer]);
    for (const quote of invented) expect(everything).not.toContain(quote.slice(0, -1));
    expect(answer.gaps.join('\n')).toContain(`${invented.length} of ${given} quotes`);
    for (const citation of answer.citations) {
      for (const source of citation.sources) {
        const [, path = '', first, last] = /^(.+):(\d+)-(\d+)$/.exec(source) ?? [];
        const lines = readFileSync(join(corpus.dir, path), 'utf8')
          .split('\n')
          .slice(Number(first) - 1, Number(last));
        const item = evidence.items.find(
          (one) => `${one.source}:${one.line_start}-${one.line_end}` === source,
        );
        expect(lines.join('\n')).toContain(item?.quote);
      }
    }
    expect(
      EvidenceFile.parse(JSON.parse(readFileSync(join(corpus.dir, 'reduce/evidence.json'), 'utf8'))),
    ).toEqual(evidence);
    expect(
      CoverageFile.parse(JSON.parse(readFileSync(join(corpus.dir, 'reduce/coverage.json'), 'utf8'))),
    ).toEqual(coverage);
    expect(coverage.total).toMatchObject({ percent_read: 100, sources: 20, sources_read_fully: 20 });
  });
});

describe('merging', () => {
  const text = `${'x'.repeat(2000)}\nThe first rule is simple. The second rule follows it.\n${'y '.repeat(1000)}\nA last rule stands alone.\n`;

  it('makes one item of equal, overlapping and neighbouring quotes, with all notes and jobs', async () => {
    const corpus = new CorpusOnDisk();
    const chunks = corpus.add('a.txt', text);
    const { evidence } = await reduce(corpus, [
      corpus.job(chunks, {
        confidence: 0.4,
        evidence: [claim('The first rule is simple.', 'a.txt:2-2', 'one')],
      }),
      corpus.job(chunks, {
        confidence: 0.9,
        evidence: [claim('the FIRST rule is simple.', 'a.txt:2-2', 'two')],
      }),
      corpus.job(chunks, { evidence: [claim('The second rule follows it.', 'a.txt:2-2', 'three')] }),
      corpus.job(chunks, { evidence: [claim('A last rule stands alone.', 'a.txt:4-4', 'one')] }),
    ]);
    verifyAgainstDocuments(corpus, evidence);
    expect(
      evidence.items.map((item) => [item.evidence_id, item.quote, item.notes, item.confidence, item.match]),
    ).toEqual([
      [
        'e-0001',
        'The first rule is simple. The second rule follows it.',
        ['one', 'two', 'three'],
        0.9,
        'exact',
      ],
      ['e-0002', 'A last rule stands alone.', ['one'], 0.8, 'exact'],
    ]);
    expect(evidence.items[0]?.origins.map((origin) => origin.job_id)).toEqual(['j-0', 'j-1', 'j-2']);
    expect(evidence.counts).toMatchObject({ quotes_merged: 2, items: 2, quotes_normalised: 1 });
  });

  it('keeps the most confident of too many, and says how many were dropped', async () => {
    const corpus = new CorpusOnDisk();
    const lines = Array.from(
      { length: 100 },
      (_, index) => `Line ${index} ${'pad '.repeat(40)}end ${index}.`,
    );
    const chunks = corpus.add('a.txt', `${lines.join('\n')}\n`);
    const jobs = lines.map((_, index) =>
      corpus.job(chunks, {
        confidence: index / 100,
        evidence: [claim(`end ${index}.`, `a.txt:${index + 1}-${index + 1}`)],
      }),
    );
    const { evidence } = await reduce(corpus, jobs, 10);
    expect(evidence.items.map((item) => item.quote)).toEqual(
      lines.slice(-10).map((_, index) => `end ${90 + index}.`),
    );
    expect(evidence.counts).toMatchObject({ items: 10, items_dropped: 90, quotes_exact: 100 });
  });

  it('looks for a quote only in what the job was given, first where it is said to be', async () => {
    const corpus = new CorpusOnDisk();
    const a = corpus.add('docs/a.txt', 'Shared words here.\nOnly in a.\n');
    const b = corpus.add('docs/b.txt', 'Shared words here.\nOnly in b.\n');
    const packed = corpus.job([...a, ...b], {
      evidence: [claim('Shared words here.', 'docs/b.txt:1-1'), claim('Only in a.', 'docs/b.txt:2-2')],
    });
    const single = corpus.job(a, { evidence: [claim('Only in b.', 'docs/b.txt:2-2')] });
    const { evidence } = await reduce(corpus, [packed, single]);
    expect(evidence.items.map((item) => [item.source, item.quote])).toEqual([
      ['docs/a.txt', 'Only in a.'],
      ['docs/b.txt', 'Shared words here.'],
    ]);
    expect(evidence.counts.rejected_by_reason).toEqual({ not_found: 1 });
  });
});

describe('what went wrong is told', () => {
  it('refuses quotes of a document that changed or went away since it was cut into chunks', async () => {
    const corpus = new CorpusOnDisk();
    const a = corpus.add('a.txt', 'The old words.\n');
    const gone = corpus.chunks.map((chunk): ChunkRecord => ({ ...chunk, source: 'gone.txt' }));
    const jobs = [
      corpus.job(a, { evidence: [claim('The old words.')] }),
      corpus.job(gone, { evidence: [claim('The old words.')] }),
    ];
    writeFileSync(join(corpus.dir, 'a.txt'), 'The new words. The old words.\n');
    const { evidence } = await reduce(corpus, jobs);
    expect(evidence.items).toEqual([]);
    expect(evidence.counts.rejected_by_reason).toEqual({ source_changed: 1, source_unreadable: 1 });
  });

  it('lists gaps, errors and failures once each with their count, and keeps invented words apart', async () => {
    const corpus = new CorpusOnDisk();
    const chunks = corpus.add('a.txt', 'Some words.\n');
    const broken = corpus.job(chunks, {});
    writeFileSync(broken.answer_path ?? '', '{"chunk_id": 1}');
    const { evidence } = await reduce(corpus, [
      corpus.job(chunks, {
        gaps: ['The year is not given.'],
        evidence: [claim('Invented words \u0007 entirely.')],
      }),
      corpus.job(chunks, { gaps: ['the year is not given'], errors: ['\u001b[31mUnreadable table.'] }),
      corpus.job(chunks, {
        relevant: false,
        evidence: [claim('Some words.')],
        gaps: ['This chunk is about something else.'],
      }),
      corpus.unanswered(chunks, 'failed'),
      broken,
    ]);
    expect(evidence.gaps.map((gap) => [gap.kind, gap.text, gap.refused, gap.count])).toEqual([
      ['worker_gap', 'The year is not given.', null, 2],
      [
        'rejected_quote',
        'A quote was refused (not found); it was said to be at a.txt:1-1',
        'Invented words entirely.',
        1,
      ],
      ['worker_error', 'Unreadable table.', null, 1],
      ['failed_job', 'A job failed: timeout', null, 1],
      ['failed_job', 'A job failed: its answer does not have the agreed form', null, 1],
    ]);
    expect(evidence.counts).toMatchObject({
      jobs: 5,
      jobs_accepted: 3,
      jobs_failed: 2,
      answers_irrelevant: 1,
      items: 0,
    });
  });

  it('lists contradicting statements side by side and keeps both', async () => {
    const corpus = new CorpusOnDisk();
    const a = corpus.add(
      'a.txt',
      'The default request time-out of the server is 30 seconds.\nThe cache supports remote clusters fully.\n',
    );
    const b = corpus.add(
      'b.txt',
      'The default request time-out of the server is 60 seconds.\nThe weather was fine.\n',
    );
    const c = corpus.add('c.txt', 'The cache does not support remote clusters fully.\n');
    const { evidence } = await reduce(corpus, [
      corpus.job(a, { evidence: [claim('The default request time-out of the server is 30 seconds.')] }),
      corpus.job(a, { evidence: [claim('The cache supports remote clusters fully.', 'a.txt:2-2')] }),
      corpus.job(b, {
        evidence: [claim('The default request time-out of the server is 60 seconds.', 'b.txt:1-1')],
      }),
      corpus.job(b, { evidence: [claim('The weather was fine.', 'b.txt:2-2')] }),
      corpus.job(c, { evidence: [claim('The cache does not support remote clusters fully.', 'c.txt:1-1')] }),
    ]);
    const sources = new Map(evidence.items.map((item) => [item.evidence_id, item.source]));
    expect(
      evidence.conflicts.map((conflict) => [
        conflict.kind,
        conflict.evidence_ids.map((id) => sources.get(id)),
      ]),
    ).toEqual([
      ['number', ['a.txt', 'b.txt']],
      ['negation', ['a.txt', 'c.txt']],
    ]);
    const more = withReportedConflicts(evidence, [
      { evidence_ids: ['e-0001', 'e-0002'], description: 'These two differ.' },
      { evidence_ids: ['e-0001', 'e-9999'], description: 'One of these does not exist.' },
    ]);
    expect(more.conflicts.slice(2)).toEqual([
      { kind: 'reported', evidence_ids: ['e-0001', 'e-0002'], description: 'These two differ.' },
    ]);
  });
});

it('takes rows of a table for records, not for contradictions', async () => {
  const corpus = new CorpusOnDisk();
  const jobs = Array.from({ length: 9 }, (_, index) => {
    const text = `The pump of the plant delivers ${index + 10} litres.\n`;
    const chunks = corpus.add(`row-${index}.txt`, text);
    return corpus.job(chunks, { evidence: [claim(text.trim(), `row-${index}.txt:1-1`)] });
  });
  expect((await reduce(corpus, jobs)).evidence.conflicts).toEqual([]);
  expect((await reduce(corpus, jobs.slice(0, 2))).evidence.conflicts).toHaveLength(1);
});

it('what differs in the number that names a thing is about two things', async () => {
  const corpus = new CorpusOnDisk();
  const jobs = ['pump 1 delivers 10', 'pump 2 delivers 12', 'pump 2 delivers 14'].map((says, index) => {
    const text = `Each hour the ${says} litres of water.\n`;
    const chunks = corpus.add(`pump-${index}.txt`, text);
    return corpus.job(chunks, { evidence: [claim(text.trim(), `pump-${index}.txt:1-1`)] });
  });
  const { conflicts } = (await reduce(corpus, jobs)).evidence;
  expect(conflicts.map(({ evidence_ids }) => evidence_ids)).toEqual([['e-0002', 'e-0003']]);
});

describe('coverage', () => {
  it('counts each byte once, by the best that became of it', async () => {
    const corpus = new CorpusOnDisk();
    const line = '123456789\n';
    const [one, two, three, four] = corpus.add('a.txt', line.repeat(40), 10);
    corpus.add('b.txt', '', 10);
    corpus.leaveOut('c.bin', 600);
    if (one === undefined || two === undefined || three === undefined || four === undefined)
      throw new Error('chunks');
    const { coverage } = await reduce(corpus, [
      corpus.job([one], {}),
      corpus.unanswered([one], 'failed'),
      corpus.unanswered([two], 'failed'),
      corpus.unanswered([three], 'never_sent'),
    ]);
    // Chunks overlap by one line of 10 bytes: it counts for the better of the two.
    expect(coverage.sources.map(({ source, ...rest }) => [source, rest])).toEqual([
      [
        'a.txt',
        {
          reason: null,
          bytes: 400,
          read: 100,
          failed: 100,
          never_sent: 100,
          prefiltered_out: 100,
          skipped: 0,
          percent_read: 25,
        },
      ],
      [
        'b.txt',
        {
          reason: null,
          bytes: 0,
          read: 0,
          failed: 0,
          never_sent: 0,
          prefiltered_out: 0,
          skipped: 0,
          percent_read: 100,
        },
      ],
      [
        'c.bin',
        {
          reason: 'binary',
          bytes: 600,
          read: 0,
          failed: 0,
          never_sent: 0,
          prefiltered_out: 0,
          skipped: 600,
          percent_read: 0,
        },
      ],
    ]);
    expect(coverage.total).toEqual({
      bytes: 1000,
      read: 100,
      failed: 100,
      never_sent: 100,
      prefiltered_out: 100,
      skipped: 600,
      percent_read: 10,
      sources: 3,
      sources_read_fully: 1,
      sources_skipped: 1,
    });
  });
});
