import { expect, test } from 'vitest';
import { reduceEvidence } from '../../src/evidence/index.ts';
import { CorpusOnDisk } from './corpus-on-disk.ts';

test('a copy of a document that was read is neither unread nor a document of its own', async () => {
  const corpus = new CorpusOnDisk();
  const chunks = corpus.add('docs/a.md', 'The engine needs oil.\n');
  corpus.leaveOut('docs/copy.md', 22);
  const { coverage } = await reduceEvidence({
    jobs: [corpus.job(chunks, { evidence: [] })],
    chunks: corpus.chunks,
    sources: corpus.sources.map((source) =>
      source.status === 'skipped' ? { ...source, reason: 'duplicate' as const } : source,
    ),
    reader: corpus.reader,
    runDir: corpus.dir,
  });
  expect(coverage.total).toMatchObject({ percent_read: 100, sources: 1, sources_skipped: 0 });
});
