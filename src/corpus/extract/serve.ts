import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { SourceKind } from '../../contracts/index.ts';
import { messageOf } from '../../errors.ts';
import { LineSplitter, writeFileAtomic } from '../../files/index.ts';
import { Skipped } from '../skipped.ts';
import { type ExtractionReply, ExtractionRequest, ExtractorLimits } from './protocol.ts';
import type { ExtractedText } from './text.ts';

type Extract = (bytes: Buffer) => Promise<ExtractedText>;

/** One file a kind; each loads its library when the first such document appears. */
const EXTRACTORS: Partial<Record<SourceKind, () => Promise<Extract>>> = {
  pdf: async () => (await import('./pdf.ts')).extractPdf,
  docx: async () => (await import('./docx.ts')).extractDocx,
  html: async () => (await import('./html.ts')).extractHtml,
  notebook: async () => (await import('./notebook.ts')).extractNotebook,
};

/**
 * The body of the extractor: makes texts of the documents that are asked for on stdin, and says on stdout what
 * became of each. It ends with its stdin, with its parent, and when it takes more memory than it may.
 */
export function serveExtractor(): void {
  const limits = ExtractorLimits.parse(JSON.parse(process.argv[2] ?? '{}'));
  guardMemory(limits.memoryBytes);
  // Stdout is for replies alone, whatever a library has to say.
  console.log = console.error;
  console.info = console.error;
  const lines = new LineSplitter();
  let last = Promise.resolve();
  process.stdin.on('data', (bytes: Buffer) => {
    for (const line of lines.push(bytes)) {
      const request = ExtractionRequest.parse(JSON.parse(line));
      last = last.then(async () => {
        process.stdout.write(`${JSON.stringify(await answer(request, limits))}\n`);
      });
    }
  });
  process.stdin.on('end', () => process.exit());
  process.stdout.on('error', () => process.exit());
}

async function answer(request: ExtractionRequest, limits: ExtractorLimits): Promise<ExtractionReply> {
  try {
    const load = EXTRACTORS[request.kind];
    if (load === undefined) throw new Error(`no extractor for ${request.kind}`);
    const { text, positions } = await (await load())(readFileSync(request.file));
    const bytes = Buffer.byteLength(text);
    if (bytes > limits.textBytes) {
      throw new Skipped('too_large', `its text has ${bytes} bytes; at most ${limits.textBytes} are read`);
    }
    writeFileAtomic(request.textPath, text);
    if (positions.length > 0) {
      writeFileAtomic(request.positionsPath, positions.map((one) => `${JSON.stringify(one)}\n`).join(''));
    }
    return { outcome: 'extracted', bytes, positions: positions.length };
  } catch (error) {
    if (error instanceof Skipped) {
      return { outcome: 'skipped', reason: error.reason, detail: error.message };
    }
    return {
      outcome: 'skipped',
      reason: 'extraction_failed',
      detail: `${request.kind}: ${messageOf(error).slice(0, 200)}`,
    };
  }
}

/** Looks from a thread of its own: the main one is busy for as long as a document wants it to be. */
function guardMemory(limit: number): void {
  new Worker(`(${watchMemory.toString()})(${limit}, ${process.ppid})`, { eval: true }).unref();
}

/** The body of the thread. It is handed over as text: it may use nothing of this module. */
function watchMemory(limit: number, parent: number): void {
  setInterval(() => {
    if (process.memoryUsage.rss() > limit || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }, 50);
}
