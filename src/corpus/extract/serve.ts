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
  const deadline = guard(limits.memoryBytes);
  // Stdout is for replies alone, whatever a library has to say.
  console.log = console.error;
  console.info = console.error;
  const lines = new LineSplitter();
  let last = Promise.resolve();
  process.stdin.on('data', (bytes: Buffer) => {
    for (const line of lines.push(bytes)) {
      const request = ExtractionRequest.parse(JSON.parse(line));
      last = last.then(async () => {
        Atomics.store(deadline, 0, Math.ceil(cpuMs() + request.cpuMs));
        const reply = await answer(request, limits);
        Atomics.store(deadline, 0, 0);
        process.stdout.write(`${JSON.stringify(reply)}\n`);
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

/** Processor time that this process has used. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Ends this process when it takes too much memory or time, or has lost its parent. It looks from a thread of its own:
 * the main one is busy for as long as a document wants it to be.
 *
 * @returns where to put the processor time at which it is too much, milliseconds; 0 for none
 */
function guard(memoryBytes: number): Int32Array {
  const deadline = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { memoryBytes, parent: process.ppid, deadline };
  new Worker(`(${watch.toString()})(require('node:worker_threads').workerData)`, {
    eval: true,
    workerData,
  }).unref();
  return deadline;
}

/** The body of the thread. It is handed over as text: it may use nothing of this module. */
function watch(limits: { memoryBytes: number; parent: number; deadline: Int32Array }): void {
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    const deadline = Atomics.load(limits.deadline, 0);
    if (deadline > 0 && (user + system) / 1000 > deadline) process.kill(process.pid, 'SIGXCPU');
    const lost = process.ppid !== limits.parent;
    if (lost || process.memoryUsage.rss() > limits.memoryBytes) process.kill(process.pid, 'SIGKILL');
  }, 50);
}
