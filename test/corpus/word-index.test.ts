import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, statSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { buildIndex, ingest, openCorpus, scansOf, search } from '../../src/corpus/index.ts';
import { workplace } from './fixtures.ts';

/** Words that are the same every time: some frequent, some rare, some not ASCII, over several chunks a file. */
function textOf(seed: number, words: number): string {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
  const kinds = [
    () => `word${next(5)}`,
    () => `rare${next(100_000)}`,
    () => ['größe', 'naïve', 'résumés', '“quoted”', 'élan–vital'][next(5)],
    () => ['数据库备份', 'readFile', 'HTTPServer', 'expiring', "don't"][next(5)],
    () => ['the', 'of', 'and', 'memories', 'memory'][next(5)],
  ];
  let text = '';
  for (let word = 0; word < words; word += 1) {
    text += `${kinds[next(kinds.length)]?.()}${next(12) === 0 ? '\n' : ' '}`;
  }
  return text;
}

const QUESTIONS = [
  'word1 rare77',
  'memory',
  'Größe résumé',
  '数据库',
  'read file',
  'vital quoted',
  'zyzzyva',
];

async function corpus(files: number, words: number) {
  const place = workplace();
  for (let file = 0; file < files; file += 1) place.put(`${file}.txt`, textOf(file + 1, words));
  await ingest(place.run, ['.'], { base: place.docs, targetTokens: 200 });
  return { ...place, index: join(place.run, 'index') };
}

async function hitsOf(run: string, indexDirectory?: string) {
  const options = indexDirectory === undefined ? {} : { indexDirectory };
  const results = await search(run, QUESTIONS, { ...options, topK: 20 });
  return results.map(({ hits, matching_chunks }) => ({ hits, matching_chunks }));
}

async function engineOf(run: string, indexDirectory: string, question = 'memory') {
  const [result] = await search(run, [question], { indexDirectory });
  return [result?.engine, result?.engine_reason];
}

describe('the index', () => {
  it('finds exactly what the scan finds, of one part and of many', async () => {
    const { run, index } = await corpus(5, 4000);
    const scanned = await hitsOf(run);
    expect(scanned.map(({ hits }) => hits.length > 0)).toEqual([true, true, true, true, true, true, false]);
    expect(await buildIndex(run, index)).toBe('built');
    expect(await hitsOf(run, index)).toEqual(scanned);
    expect(await engineOf(run, index)).toEqual(['index', expect.stringContaining('every word')]);
    expect(await buildIndex(run, index)).toBe('present');
    const parts = join(run, 'of-parts');
    expect(await buildIndex(run, parts, { partBytes: 1 << 14 })).toBe('built');
    expect(await hitsOf(run, parts)).toEqual(scanned);
    expect(readdirSync(parts)).toHaveLength(1);
  });

  it('is not used for other text, and is not made of text that changed since it was ingested', async () => {
    const { run, docs, index, put } = await corpus(2, 500);
    await buildIndex(run, index);
    put('1.txt', 'memory of something else\n');
    await ingest(run, ['.'], { base: docs, targetTokens: 200 });
    expect((await engineOf(run, index))[0]).toBe('scan');
    put('1.txt', 'memory of another thing\n');
    await expect(buildIndex(run, index)).rejects.toThrow(/1\.txt changed since it was ingested/);
    expect(readdirSync(index)).toHaveLength(1);
    // Touched, or grown by lines that are not part of the corpus: the chunks are what they were.
    put('1.txt', 'memory of something else\nmore\n');
    utimesSync(join(docs, '0.txt'), new Date(0), new Date(0));
    expect(await buildIndex(run, index)).toBe('built');
    expect((await engineOf(run, index))[0]).toBe('index');
  });

  it('finds chunks of a document that is gone, and says so once', async () => {
    const { run, docs, index } = await corpus(1, 4000);
    await buildIndex(run, index);
    rmSync(join(docs, '0.txt'));
    const [result] = await search(run, ['memory'], { indexDirectory: index });
    expect(result?.hits).toHaveLength(10);
    expect(result?.notes).toEqual([expect.stringContaining('0.txt can no longer be read')]);
  });

  it('is built by one at a time', async () => {
    const { run, index } = await corpus(2, 3000);
    const opened = await openCorpus(run);
    let second: Promise<unknown> | undefined;
    const first = buildIndex(opened, index, {
      onProgress() {
        second ??= buildIndex(opened, index).catch((error: unknown) => error);
      },
    });
    expect(await first).toBe('built');
    expect(await second).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('index of words'),
    });
    expect(await buildIndex(run, index)).toBe('present');
  });

  it('is not used when it is cut off or of something else; building fixes it', async () => {
    const { run, index } = await corpus(2, 1000);
    const scanned = await hitsOf(run);
    await buildIndex(run, index);
    const [name = ''] = readdirSync(index);
    for (const size of [statSync(join(index, name)).size - 1, 100, 10, 0]) {
      truncateSync(join(index, name), size);
      expect(await engineOf(run, index)).toEqual(['scan', expect.stringContaining('damaged')]);
      expect(await hitsOf(run, index)).toEqual(scanned);
      expect(await buildIndex(run, index)).toBe('built');
      expect((await engineOf(run, index))[0]).toBe('index');
    }
  });

  it('leaves nothing that is used when its maker is killed, and the next one cleans up', async () => {
    const { run, index } = await corpus(8, 20_000);
    const maker = await startMaker(run, index);
    // Once its first part is on the disk it is in the middle of its work.
    await appears(index, /^\.tmp-/);
    maker.kill('SIGKILL');
    await once(maker, 'exit');
    const left = readdirSync(index);
    expect(left.some((name) => name.startsWith('.tmp-'))).toBe(true);
    expect(left.some((name) => name.endsWith('.idx'))).toBe(false);
    expect((await engineOf(run, index))[0]).toBe('scan');
    expect(await buildIndex(run, index)).toBe('built');
    expect(readdirSync(index)).toHaveLength(1);
    expect(await hitsOf(run, index)).toEqual(await hitsOf(run));
  });

  it('says why a scan serves, and counts the questions of large documents only', async () => {
    const small = await corpus(1, 100);
    expect(await engineOf(small.run, small.index)).toEqual(['scan', expect.stringMatching(/small \(1 kB\)/)]);
    expect(scansOf(small.index, await openCorpus(small.run))).toBe(0);
    const large = workplace();
    large.put('large.txt', 'memory of a line that is repeated\n'.repeat(2_000_000));
    await ingest(large.run, ['.'], { base: large.docs });
    const index = join(large.run, 'index');
    expect(await engineOf(large.run, index)).toEqual(['scan', expect.stringContaining('asked again')]);
    expect(scansOf(index, await openCorpus(large.run))).toBe(1);
    expect(await engineOf(large.run, index, '字')).toEqual([
      'scan',
      expect.stringContaining('single character'),
    ]);
    await ingest(large.run, ['.'], { base: large.docs, index: 'never' });
    expect(await engineOf(large.run, index)).toEqual(['scan', expect.stringContaining('never')]);
    expect(scansOf(index, await openCorpus(large.run))).toBe(2);
  });
});

/** A process that makes an index of many parts. */
async function startMaker(run: string, index: string): Promise<ChildProcess> {
  const outfile = join(run, 'maker.mjs');
  await build({
    stdin: {
      contents: `import { buildIndex } from './src/corpus/index.ts';
        await buildIndex(${JSON.stringify(run)}, ${JSON.stringify(index)}, { partBytes: 1 << 14 });`,
      resolveDir: process.cwd(),
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['mammoth', 'unpdf', 'html-to-text'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return spawn(process.execPath, [outfile], { stdio: 'ignore' });
}

async function appears(directory: string, name: RegExp): Promise<void> {
  while (!namesIn(directory).some((entry) => name.test(entry))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
