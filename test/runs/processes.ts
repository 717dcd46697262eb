import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** A process of `race-entry.ts` that is ready to go. */
export interface Racer {
  child: ChildProcess;
  go(): void;
  /** The next line it prints; undefined once it has ended. */
  line(): Promise<string | undefined>;
  end(): Promise<void>;
}

/** Bundles the entry into `directory`: Node 20 runs no TypeScript. */
export function bundleEntry(directory: string): string {
  const entry = join(directory, 'race.mjs');
  buildSync({
    entryPoints: [fileURLToPath(new URL('race-entry.ts', import.meta.url))],
    outfile: entry,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return entry;
}

/** Starts `entry` and waits until it says that it is ready. */
export async function startRacer(entry: string, args: string[]): Promise<Racer> {
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const line = async () => (await lines.next()).value;
  const racer: Racer = {
    child,
    line,
    go: () => void child.stdin.write('go\n'),
    end() {
      child.stdin.end();
      return exited;
    },
  };
  if ((await line()) !== 'ready') throw new Error('the racer did not start');
  return racer;
}
