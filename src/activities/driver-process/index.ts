import { type ChildProcess, spawn } from 'node:child_process';

/**
 * A driver makes much garbage and keeps little. With V8's default of 16 MB a semi-space its peak at 10,000 jobs is
 * 155 MB instead of 125.
 */
const LITTLE_MEMORY = ['--max-semi-space-size=4'];

/** What a driver's process is for: the kind of its run, and whether its workers are programs. */
interface DriverPurpose {
  kind: string;
  programs: boolean;
}

/** The run that a process is to drive, as JSON on its stdin. Without one it exits. */
export interface DriverOrder {
  run_dir: string;
  /** Of the driver lock that is held for it. */
  token: string;
}

/** A process for a driver, `rlm drive`, in a session of its own: it loads what it needs and waits for its run. */
class DriverProcess {
  readonly #child: ChildProcess;
  #gone = false;

  /** @param program the bin `rlm` */
  constructor(program: string, { kind, programs }: DriverPurpose) {
    const args = [...LITTLE_MEMORY, program, 'drive', kind, ...(programs ? ['--programs'] : [])];
    // Not a worker: the driver outlives us on purpose, so none of the worker spawner's ends apply to it.
    this.#child = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
    this.#child.on('error', () => {
      this.#gone = true;
    });
    this.#child.on('exit', () => {
      this.#gone = true;
    });
    // A process that is gone breaks the pipe; `gone` says so.
    this.#child.stdin?.on('error', () => {});
    this.#child.unref();
  }

  get gone(): boolean {
    return this.#gone;
  }

  drive(order: DriverOrder): void {
    this.#child.stdin?.end(JSON.stringify(order));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

let warm: { process: DriverProcess; purpose: DriverPurpose } | undefined;

/** Starts a driver's process before there is a run for it: it comes up while the run is prepared. */
export function warmDriver(program: string, purpose: DriverPurpose): void {
  warm = { process: new DriverProcess(program, purpose), purpose };
}

/** The process that was started before, if it is of use; else a new one. */
export function takeDriver(program: string, purpose: DriverPurpose): DriverProcess {
  const taken = warm;
  warm = undefined;
  if (taken !== undefined && taken.purpose.kind === purpose.kind && !taken.process.gone) return taken.process;
  return new DriverProcess(program, purpose);
}
