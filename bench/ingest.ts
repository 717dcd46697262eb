/*
 * Ingest against `cat | sha256sum` of the same files: ours hashes every byte twice (document and chunk), checks
 * the encoding, finds the structure and writes the manifest. Then ingest again, with one file changed and none.
 * Run: node scripts/run.mjs bench/ingest.ts [megabytes] [--write]
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ingest } from '../src/corpus/index.ts';
import { writeTexts } from './corpus-texts.ts';
import { report } from './report.ts';

const PART = '--part';

async function main(): Promise<void> {
  const megabytes = Number(process.argv[2] ?? 1024);
  const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
  try {
    const texts = join(root, 'texts');
    writeTexts(texts, megabytes);
    execFileSync('sh', ['-c', `cat '${texts}'/* > /dev/null`]);
    const started = performance.now();
    execFileSync('sh', ['-c', `cat '${texts}'/* | sha256sum`]);
    const peer = performance.now() - started;
    const rows = [{ name: '`cat` into `sha256sum`', ms: peer, rss: '' }];
    for (const name of [
      'rlm ingest',
      'rlm ingest again, nothing changed',
      'rlm ingest again, one file changed',
    ]) {
      if (name.includes('one file')) appendFileSync(join(texts, 'text-03.md'), 'one more line\n');
      const part = execFileSync(process.execPath, [process.argv[1] ?? '', PART, texts, join(root, 'run')]);
      const { ms, rss } = JSON.parse(part.toString());
      rows.push({ name, ms, rss: `${rss} MB` });
    }
    report({
      title: 'Ingest: `bench/ingest.ts`',
      columns: ['', 's', 'MB/s', '× peer', 'peak memory'],
      rows: rows.map(({ name, ms, rss }) => [
        name,
        (ms / 1000).toFixed(2),
        ((megabytes / ms) * 1000).toFixed(0),
        (ms / peer).toFixed(2),
        rss,
      ]),
      notes: [`${megabytes} MB in 16 files, read once before.`],
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** In a process of its own, so that the memory is its own. */
async function part(texts: string, run: string): Promise<void> {
  const started = performance.now();
  await ingest(run, ['.'], { base: texts });
  const ms = performance.now() - started;
  console.log(JSON.stringify({ ms, rss: Math.round(process.resourceUsage().maxRSS / 1024) }));
}

const [, , flag, texts, run] = process.argv;
await (flag === PART && texts !== undefined && run !== undefined ? part(texts, run) : main());
