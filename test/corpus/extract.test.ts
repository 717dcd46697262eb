import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { ingest, openCorpus } from '../../src/corpus/index.ts';
import { processesMarked } from '../support/marked-processes.ts';
import { rlm, startRlm } from '../support/rlm.ts';
import { docxOf, pdfOf, workplace } from './fixtures.ts';
import {
  docxOfParagraphs,
  nestedHtml,
  pdfOfLargeStreams,
  pdfOfNestedForms,
  pdfOfRepeatedContents,
  pdfOfRepeatedPage,
  pdfOfSavedStates,
} from './hostile.ts';

const HOSTILE: Array<[string, () => Buffer | string]> = [
  ['saved-states.pdf', pdfOfSavedStates],
  ['nested-forms.pdf', pdfOfNestedForms],
  ['repeated-page.pdf', pdfOfRepeatedPage],
  ['repeated-contents.pdf', pdfOfRepeatedContents],
  ['paragraphs.docx', docxOfParagraphs],
  ['nested.html', nestedHtml],
];

describe('documents that would take for ever, or all memory', () => {
  it.each(HOSTILE)(
    '%s is skipped with its reason, and the rest is read',
    async (name, make) => {
      const place = workplace();
      const document = make();
      expect(document.length).toBeLessThan(1_100_000);
      place.put(`b-${name}`, document);
      place.put('a.pdf', pdfOf(['Before it.']));
      place.put('c.docx', docxOf('After', ['it.']));
      const started = performance.now();
      let longest = 0;
      let last = started;
      const beat = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 10);
      const report = await ingest(place.run, ['.'], { base: place.docs, extraction: { timeoutMs: 3000 } });
      clearInterval(beat);
      expect(report.skipped).toMatchObject([{ path: `b-${name}` }]);
      expect(report.sources_read).toBe(2);
      // In this process the document would hold it all the time.
      expect(longest).toBeLessThan(Math.max(1000, (performance.now() - started) * 0.3));
    },
    180_000,
  );

  it('one that needs too much memory, or becomes too much text, is skipped long before its time is up', async () => {
    const place = workplace();
    place.put('heap.docx', docxOfParagraphs());
    place.put('long.html', `<p>${'a line of text '.repeat(5000)}</p>`);
    place.put('memory.pdf', pdfOfRepeatedContents());
    place.put('streams.pdf', pdfOfLargeStreams());
    place.put('z.pdf', pdfOf(['After it.']));
    const report = await ingest(place.run, ['.'], {
      base: place.docs,
      extraction: { timeoutMs: 60_000, memoryBytes: 200 << 20, textBytes: 50_000 },
    });
    expect(
      Object.fromEntries(report.skipped.map(({ path, reason, detail }) => [path, `${reason}: ${detail}`])),
    ).toEqual({
      'heap.docx': expect.stringMatching(/^too_large: docx: it takes more than 200 MB of memory/),
      'long.html': 'too_large: its text has 75000 bytes; at most 50000 are read',
      'streams.pdf': expect.stringMatching(/^too_large: pdf: it takes more than 200 MB of memory/),
      'memory.pdf': expect.stringMatching(/^too_large: pdf: it takes more than 200 MB of memory/),
    });
    const texts = (await openCorpus(place.run)).sources.flatMap((source) =>
      source.status === 'read' ? [readFileSync(join(place.run, source.text_path ?? ''), 'utf8').trim()] : [],
    );
    expect(texts).toEqual(['After it.']);
  }, 180_000);
});

/** Processor time that a process has used: `/proc/<pid>/stat` counts hundredths of a second. */
function secondsOfWork(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

describe.runIf(process.platform === 'linux')('the process that extracts', () => {
  async function busy() {
    const place = workplace();
    // It keeps the process from seeing anything else.
    place.put('nested.html', nestedHtml());
    const root = place.docs;
    startRlm(['ingest', 'nested.html', '--run-id', 'documents'], { cwd: root });
    const run = join(root, '.rlm', 'runs', 'documents');
    // In the middle of the document, where it sees nothing else.
    await vi.waitFor(
      () => expect(Math.max(0, ...processesMarked(run).map(secondsOfWork))).toBeGreaterThan(1.5),
      {
        timeout: 60_000,
        interval: 50,
      },
    );
    return { root, run };
  }

  it('is gone when the run is cancelled', async () => {
    const { root, run } = await busy();
    const { code, stdout } = await rlm(['cancel', 'documents', '--json'], { cwd: root });
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { state: 'cancelled' }]);
    expect(processesMarked(run)).toEqual([]);
  }, 180_000);

  it('is gone when its driver was killed', async () => {
    const { run } = await busy();
    const { driver } = ActivityRecord.parse(JSON.parse(readFileSync(join(run, 'activity.json'), 'utf8')));
    if (driver === undefined) throw new Error('a run that works has a driver');
    process.kill(driver.pid, 'SIGKILL');
    await vi.waitFor(() => expect(processesMarked(run)).toEqual([]), { timeout: 5000, interval: 50 });
  }, 180_000);
});
