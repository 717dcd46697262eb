/*
 * Ingest against `cat | sha256sum` of the same files: ours hashes every byte twice (document and chunk), checks
 * the encoding, finds the structure and writes the manifest. Then ingest again, with one file changed and none; and a
 * directory of 5,000 small files, a log of 300 MB and a single line of 50 MB.
 * Run: node scripts/run.mjs bench/ingest.ts [megabytes] [--write]
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ingest } from '../src/corpus/index.ts';
import { writeTexts } from './corpus-texts.ts';
import { report } from './report.ts';

const PART = '--part';
const ODD_MEGABYTES = 350;

async function main(): Promise<void> {
  const megabytes = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 1024);
  const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
  try {
    const texts = join(root, 'texts');
    writeTexts(texts, megabytes);
    const rows: Row[] = [{ name: '`cat` into `sha256sum`', ...peer(texts, megabytes), rss: '' }];
    for (const name of [
      'rlm ingest',
      'rlm ingest again, nothing changed',
      'rlm ingest again, one file changed',
    ]) {
      if (name.includes('one file')) appendFileSync(join(texts, 'text-03.md'), 'one more line\n');
      rows.push({ name, ...measured(texts, join(root, 'run'), rows[0]), megabytes });
    }
    const odd = join(root, 'odd');
    writeOddTexts(odd);
    const floor: Row = {
      name: '`cat` into `sha256sum`, the odd directory',
      ...peer(odd, ODD_MEGABYTES),
      rss: '',
    };
    rows.push(floor, {
      name: 'rlm ingest, the odd directory',
      ...measured(odd, join(root, 'odd-run'), floor),
      megabytes: ODD_MEGABYTES,
    });
    report({
      title: 'Ingest: `bench/ingest.ts`',
      columns: ['', 's', 'MB/s', '× peer', 'peak memory'],
      rows: rows.map((row) => [
        row.name,
        (row.ms / 1000).toFixed(2),
        ((row.megabytes / row.ms) * 1000).toFixed(0),
        (row.ms / row.floor).toFixed(2),
        row.rss,
      ]),
      notes: [
        `${megabytes} MB in 16 files, read once before. The odd directory: 5,000 files of 60 bytes, a log of 300 MB, a single line of 50 MB.`,
      ],
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Row {
  name: string;
  megabytes: number;
  ms: number;
  /** Of the peer over the same files. */
  floor: number;
  rss: string;
}

function peer(texts: string, megabytes: number): { megabytes: number; ms: number; floor: number } {
  execFileSync('sh', ['-c', `find '${texts}' -type f -exec cat {} + > /dev/null`]);
  const started = performance.now();
  execFileSync('sh', ['-c', `find '${texts}' -type f -exec cat {} + | sha256sum`]);
  const ms = performance.now() - started;
  return { megabytes, ms, floor: ms };
}

function measured(
  texts: string,
  run: string,
  peer: Row | undefined,
): { ms: number; rss: string; floor: number } {
  const output = execFileSync(process.execPath, [process.argv[1] ?? '', PART, texts, run]);
  const { ms, rss } = JSON.parse(output.toString());
  return { ms, rss: `${rss} MB`, floor: peer?.ms ?? Number.NaN };
}

/** What a directory of documents may hold that is hard on a reader. */
function writeOddTexts(directory: string): void {
  for (let file = 0; file < 5000; file += 1) {
    const place = join(directory, `d${file % 50}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(
      join(place, `${file}.md`),
      `# Note ${file}\n\nShelf ${file} holds box ${file * 7}, and no other.\n`,
    );
  }
  const repeat = (name: string, text: string, megabytes: number) => {
    const fd = openSync(join(directory, name), 'w');
    for (let written = 0; written < megabytes * 2 ** 20; written += text.length) writeSync(fd, text);
    closeSync(fd);
  };
  repeat(
    'big.log',
    '2026-11-20T10:00:00Z info request 17 was served in 90 ms by the worker\n'.repeat(10_000),
    300,
  );
  repeat('line.json', '12345, '.repeat(100_000), 50);
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
