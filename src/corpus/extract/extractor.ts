import { devNull } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../files/index.ts';
import {
  type ProcessEnd,
  RUN_VARIABLE,
  type Session,
  startSession,
  workerEnvironment,
} from '../../processes/index.ts';
import { Skipped } from '../skipped.ts';
import { ExtractionReply, type ExtractionRequest, ExtractorLimits } from './protocol.ts';

const TIMEOUT_MS_PER_BYTE = 2000 / (1 << 20);
/** How much longer than its processor time a document may last: the machine may be busy. */
const PATIENCE = 4;
const MAX_REPLY_BYTES = 1 << 20;

/**
 * Has documents made into text by a process of its own, since each may be made to take for ever, or all memory. The
 * process starts with the first document, serves those after it, and is replaced when one had it killed.
 */
export class Extractor {
  readonly #runDir: string;
  readonly #limits: ExtractorLimits;
  readonly #signal: AbortSignal | undefined;
  #process: ExtractorProcess | undefined;

  constructor(runDir: string, limits: Partial<ExtractorLimits> = {}, signal?: AbortSignal) {
    this.#runDir = runDir;
    this.#limits = ExtractorLimits.parse(limits);
    this.#signal = signal;
  }

  /**
   * Writes the text of a document, and where its pages or cells begin, to the paths of the request.
   *
   * @param size of the document, bytes
   * @throws Skipped when it is damaged, or takes more than a document may; the reason of the signal when aborted
   */
  async extract(
    document: Omit<ExtractionRequest, 'cpuMs'>,
    size: number,
  ): Promise<{ bytes: number; positions: number }> {
    const request = { ...document, cpuMs: this.#limits.timeoutMs + size * TIMEOUT_MS_PER_BYTE };
    for (;;) {
      this.#signal?.throwIfAborted();
      const current = this.#process ?? new ExtractorProcess(this.#runDir, this.#limits);
      this.#process = current;
      const reply = await current.ask(request, this.#signal);
      if (reply !== 'timeout' && 'outcome' in reply) {
        if (reply.outcome === 'extracted') return reply;
        throw new Skipped(reply.reason, reply.detail);
      }
      await this.close();
      this.#signal?.throwIfAborted();
      if (reply === 'timeout' || reply.killedBy === 'SIGXCPU') {
        const seconds = Math.round(request.cpuMs / 100) / 10;
        throw new Skipped('extraction_failed', `${request.kind}: it took longer than ${seconds} s`);
      }
      // Those before it may have left too little: it gets a process of its own before it is blamed.
      if (current.served > 1) continue;
      throw whyEnded(request, reply, this.#limits);
    }
  }

  async close(): Promise<void> {
    const current = this.#process;
    this.#process = undefined;
    await current?.close();
  }
}

class ExtractorProcess {
  readonly #session: Session;
  #answered: (reply: ExtractionReply) => void = () => {};
  /** Documents it was given. */
  served = 0;

  constructor(runDir: string, limits: ExtractorLimits) {
    const heap = `--max-old-space-size=${Math.floor((limits.memoryBytes / 2 ** 20) * (2 / 3))}`;
    this.#session = startSession({
      file: process.execPath,
      args: [heap, join(packageRoot(), 'dist', 'extractor.js'), JSON.stringify(limits)],
      cwd: runDir,
      // By this mark it is found when its driver was killed.
      env: workerEnvironment({ values: { [RUN_VARIABLE]: runDir } }),
      // A heap that is full prints pages about it.
      stderrPath: devNull,
      maxLineBytes: MAX_REPLY_BYTES,
      onLine: (line) => this.#answered(ExtractionReply.parse(JSON.parse(line))),
    });
  }

  async ask(
    request: ExtractionRequest,
    signal: AbortSignal | undefined,
  ): Promise<ExtractionReply | ProcessEnd | 'timeout'> {
    this.served += 1;
    const answered = new Promise<ExtractionReply>((resolve) => {
      this.#answered = resolve;
    });
    let timer: NodeJS.Timeout | undefined;
    let onAbort = () => {};
    const stopped = new Promise<'timeout'>((resolve) => {
      timer = setTimeout(() => resolve('timeout'), request.cpuMs * PATIENCE);
      onAbort = () => resolve('timeout');
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await this.#session.send(JSON.stringify(request));
      return await Promise.race([answered, stopped, this.#session.ended]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

/** Full heaps abort (SIGABRT, or exit code 134), and the guard of the memory kills. */
function whyEnded(
  { kind }: ExtractionRequest,
  { exitCode, killedBy }: ProcessEnd,
  limits: ExtractorLimits,
): Skipped {
  if (killedBy === 'SIGKILL' || killedBy === 'SIGABRT' || exitCode === 134) {
    return new Skipped(
      'too_large',
      `${kind}: it takes more than ${Math.floor(limits.memoryBytes / 2 ** 20)} MB of memory`,
    );
  }
  const how = killedBy ?? `exit code ${exitCode ?? 'unknown'}`;
  return new Skipped('extraction_failed', `${kind}: its parser ended with ${how}`);
}
