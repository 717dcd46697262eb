import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect, test } from 'vitest';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { processStart } from '../../src/files/index.ts';
import { ANSWER_LINE, BatchFixture, RLM } from '../support/batch-run.ts';
import { connectClient, serverPid } from '../support/rlm.ts';
import { place } from '../support/runs.ts';

const JOBS = 200;
const KILLS = 20;
const RUN = 'killed';

/** A seeded random source: a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function alive(pid: number | undefined): pid is number {
  return pid !== undefined && processStart(pid) !== undefined;
}

/** Kills a process; false when it has ended by itself just now, which is no kill. */
function killNow(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

function childrenOf(parent: number | undefined): number[] {
  if (parent === undefined) return [];
  try {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8');
    return children.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The processes around one batch: started over MCP, taken up again from MCP and from the command line. */
class Scene {
  readonly fixture: BatchFixture;
  #batch: Record<string, unknown>;
  #server: Client | undefined;
  #command: ChildProcess | undefined;

  constructor(ids: string[]) {
    this.fixture = new BatchFixture(ids, undefined, `.rlm/runs/${RUN}`);
    // The last jobs wait until all the killing is done, however fast the machine is.
    const worker = this.fixture.script(
      'worker.sh',
      `case $1 in *-1[89]?) while [ ! -f open ]; do sleep 0.05; done ;; *) sleep 0.2 ;; esac\n${ANSWER_LINE}`,
    );
    place(
      join(this.fixture.root, '.rlm', 'config.json'),
      JSON.stringify({ commands: { answer: [worker, '{chunk_id}'] } }),
    );
    // A job is killed with its launcher, and the last ones are there for each such kill.
    this.#batch = {
      run_id: RUN,
      jobs: 'jobs.jsonl',
      parallel: 8,
      retries: KILLS,
      command: 'answer',
    };
  }

  driver(): number | undefined {
    try {
      const text = readFileSync(join(this.fixture.runDir, 'activity.json'), 'utf8');
      return ActivityRecord.parse(JSON.parse(text)).driver?.pid;
    } catch {
      return undefined;
    }
  }

  server(): number | undefined {
    return this.#server === undefined ? undefined : serverPid(this.#server);
  }

  /** The process that starts the driver's workers. */
  launcher(): number | undefined {
    return childrenOf(this.driver()).find((pid) => commandLine(pid).includes('launcher.js'));
  }

  command(): number | undefined {
    return this.#command?.pid;
  }

  worker(): number | undefined {
    return this.fixture.workers()[0];
  }

  /** Starts again what was killed: a server that is always in the middle of a call, a command, the work itself. */
  async revive(): Promise<void> {
    if (!alive(this.server())) {
      this.#server = await connectClient(this.fixture.root);
      void this.#call('rlm_wait', { run_id: RUN, wait_sec: 45 });
    }
    const started = this.driver() !== undefined;
    if (!alive(this.command()) && started) {
      const args = alive(this.driver()) ? ['status', RUN, '--watch'] : ['resume', RUN];
      this.#command = spawn(process.execPath, [RLM, ...args], { cwd: this.fixture.root, stdio: 'ignore' });
    } else if (!alive(this.driver())) {
      // Not awaited: the server, too, may be killed while it starts the driver.
      void (started ? this.#call('rlm_resume', { run_id: RUN }) : this.#call('rlm_run_batch', this.#batch));
    }
  }

  /** Lets the last jobs go, and works on until the end, from a server that nobody kills any more. */
  async finish(): Promise<void> {
    this.fixture.write('open', '');
    while (this.fixture.events().at(-1)?.type !== 'finished' || alive(this.driver())) {
      if (!alive(this.driver())) {
        await this.revive();
        await this.#call('rlm_resume', { run_id: RUN });
      }
      await this.#call('rlm_wait', { run_id: RUN, wait_sec: 5 });
    }
    await this.#server?.close();
    this.#command?.kill();
  }

  /** A call ends without a result when the server is killed, and as an error when another was faster. */
  #call(name: string, args: Record<string, unknown>): Promise<unknown> {
    return this.#server?.callTool({ name, arguments: args }).catch(() => undefined) ?? Promise.resolve();
  }
}

test('a batch whose server, driver, launcher, command and workers are killed at random instants ends with every result, none run again once accepted, and no process left', async () => {
  const next = random(20261120);
  const ids = Array.from({ length: JOBS }, (_, i) => `j-${String(i).padStart(3, '0')}`);
  const scene = new Scene(ids);
  const order = ['driver', 'server', 'worker', 'command', 'launcher'] as const;
  const killed = { driver: 0, server: 0, worker: 0, command: 0, launcher: 0 };
  for (let kill = 0; kill < KILLS; ) {
    const victim = order[kill % order.length] ?? 'driver';
    while (!alive(scene[victim]())) {
      await scene.revive();
      await sleep(20);
    }
    await sleep(next() * 400);
    const pid = scene[victim]();
    if (!alive(pid)) continue;
    const driver = victim === 'driver' ? undefined : scene.driver();
    const drove = alive(driver);
    if (!killNow(pid)) continue;
    while (alive(pid)) await sleep(5);
    // Nobody else's end is the driver's: the work goes on.
    if (drove) expect(alive(driver), `after a kill of the ${victim}`).toBe(true);
    killed[victim] += 1;
    kill += 1;
  }
  await scene.finish();

  const each = KILLS / order.length;
  expect(killed).toEqual({ driver: each, server: each, worker: each, command: each, launcher: each });
  const accepted = new Set<string>();
  for (const event of scene.fixture.events()) {
    if (event.type === 'attempt_started' && accepted.has(event.id)) expect.fail(`${event.id} was run again`);
    if (event.type !== 'result' || event.result.status !== 'accepted') continue;
    if (accepted.has(event.result.id)) expect.fail(`${event.result.id} was counted twice`);
    accepted.add(event.result.id);
  }
  expect([...accepted].sort()).toEqual(ids);
  expect(scene.fixture.summary()).toMatchObject({
    state: 'completed',
    jobs_total: JOBS,
    jobs_succeeded: JOBS,
    jobs_failed: 0,
  });
  expect(scene.fixture.workers()).toEqual([]);
  expect(alive(scene.driver())).toBe(false);
  expect(alive(scene.server())).toBe(false);
}, 180_000);
