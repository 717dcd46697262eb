import { type ProcessEnd, type ProcessSpec, runProcess } from './process.ts';
import { signalGroup } from './spawn.ts';

/** The processes of one worker, so that closing the worker ends them. */
export class OwnedProcesses {
  readonly #groups = new Set<number>();
  readonly #running = new Set<Promise<ProcessEnd>>();
  #closed = false;

  /** As `runProcess`; after `close` nothing is started any more and every call ends as `cancelled`. */
  async run(spec: ProcessSpec): Promise<ProcessEnd> {
    let group: number | undefined;
    const running = runProcess({
      ...spec,
      signal: this.#closed ? AbortSignal.abort() : spec.signal,
      onProcess: (process) => {
        group = process.pid;
        this.#groups.add(group);
        spec.onProcess?.(process);
      },
    });
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      if (group !== undefined) this.#groups.delete(group);
    }
  }

  /** Kills what still runs and waits until it is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const group of this.#groups) signalGroup(group, 'SIGKILL');
    await Promise.allSettled(this.#running);
  }
}
