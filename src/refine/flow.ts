import { createHash, type Hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type RefineEnded,
  type RefineLine,
  RefineParams,
  RefineState,
  RUN_FILES,
  SCHEMA_VERSION,
} from '../contracts/index.ts';
import { endOfStop, type FlowContext, type FlowEnd, WorkSession } from '../dispatch/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { ensureDirectory, type HeldLock, writeFileAtomic } from '../files/index.ts';
import { OwnedProcesses } from '../processes/index.ts';
import { lockWorkingTree, type RunHandle } from '../runs/index.ts';
import { oneLine, sha256 } from '../text/index.ts';
import type { LineContext, LineEnd, Place } from './context.ts';
import { Line } from './line.ts';
import { runValidator } from './validator.ts';
import {
  applyPatch,
  openWorktree,
  publishBranch,
  removeWorktree,
  treeState,
  worktreeDirectory,
} from './worktree.ts';

/** The state that a run is left in for each way it can end. */
const STATES: Readonly<Record<RefineEnded, FlowEnd['state']>> = {
  passed: 'completed',
  budget_complete: 'completed',
  no_validator: 'failed',
  max_iterations: 'failed',
  max_minutes: 'failed',
  stuck: 'failed',
  budget: 'input_required',
  quota: 'input_required',
  tampered: 'failed',
  cancelled: 'cancelled',
  error: 'failed',
  invalid_config: 'failed',
};
/** These are taken up again where they stopped. */
const PAUSED: ReadonlySet<RefineEnded> = new Set(['budget', 'quota', 'cancelled']);

/** The refine flow: turns of an agent, each judged by a validator, until it passes or a limit is reached. */
export async function refineFlow(context: FlowContext): Promise<FlowEnd> {
  const params = RefineParams.parse(context.params);
  if (params.isolate === 'worktree') return new Refinement(context, params).run();
  let lock: HeldLock;
  try {
    lock = lockWorkingTree(context.run.record.root, context.run.id);
  } catch (error) {
    // A resume, or a start at the same moment, found another loop at work: nothing was done, and it can go on later.
    if (!(error instanceof RlmError) || error.code !== 'conflict') throw error;
    return { state: 'input_required', reason: error.message };
  }
  try {
    return await new Refinement(context, params).run();
  } finally {
    lock.release();
  }
}

class Refinement {
  readonly #context: FlowContext;
  readonly #params: RefineParams;
  readonly #state: RefineState;
  readonly #workedBefore: number;
  /** What the driver wrote last, by path in the run, and what must not change, by its absolute path. */
  readonly #written = new Map<string, string>();
  readonly #fixed = new Map<string, string | undefined>();
  readonly #places = new Map<number, Place>();
  readonly #settled = new AbortController();
  /** Of all that the journal must hold. */
  readonly #journalDigest: Hash;

  constructor(context: FlowContext, params: RefineParams) {
    this.#context = context;
    this.#params = params;
    this.#state = this.#readState();
    this.#workedBefore = this.#state.worked_ms;
    this.#journalDigest = createHash('sha256').update(readFileSync(this.#journalPath()));
    context.journal.follow((event) => this.#journalDigest.update(`${JSON.stringify(event)}\n`));
    for (const path of [
      join(context.run.record.root, '.rlm', 'config.json'),
      join(context.run.dir, 'run.json'),
    ]) {
      this.#fixed.set(path, hashOf(path));
    }
  }

  async run(): Promise<FlowEnd> {
    const { signal } = this.#context;
    const timer = this.#watchTime();
    const isolated = this.#params.isolate === 'worktree';
    let before: string | undefined;
    try {
      before = isolated ? await treeState(this.#context.run.record.root) : undefined;
      const session = await WorkSession.open({ ...this.#context, signal: this.#signal() }, this.#params, {
        needsTools: true,
      });
      try {
        await this.#prepare();
        const end = await this.#runLines(session);
        await this.#publish();
        return await this.#end(signal.aborted && !this.#timeIsOver() ? { ended: 'cancelled' } : end, before);
      } finally {
        await session.close();
      }
    } catch (error) {
      if (!(error instanceof RlmError)) throw error;
      return await this.#end({ ended: 'error', reason: error.message }, before);
    } finally {
      clearTimeout(timer);
    }
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#context.signal, this.#settled.signal]);
  }

  /** A hanging agent or validator is ended when the minutes are over. */
  #watchTime(): NodeJS.Timeout | undefined {
    const left = this.#remainingMs();
    if (left === Number.POSITIVE_INFINITY) return undefined;
    return setTimeout(() => this.#settled.abort(), Math.min(Math.max(0, left), 2 ** 31 - 1));
  }

  #remainingMs(): number {
    const minutes = this.#params.max_minutes;
    if (minutes === undefined) return Number.POSITIVE_INFINITY;
    return minutes * 60_000 - this.#workedBefore - (performance.now() - this.#context.startedAt);
  }

  #timeIsOver(): boolean {
    return this.#remainingMs() <= 0;
  }

  #placeOf({ candidate }: RefineLine): Place {
    return this.#places.get(candidate) ?? { worktree: null, fresh: false, links: [] };
  }

  /** Worktrees and their set-up, before anything is measured. */
  async #prepare(): Promise<void> {
    const { run } = this.#context;
    const { root } = run.record;
    for (const line of this.#state.lines) {
      if (this.#params.isolate !== 'worktree') {
        this.#places.set(line.candidate, { worktree: null, fresh: false, links: [] });
        continue;
      }
      const path = worktreeDirectory(run.id, line.candidate);
      const fresh = !existsSync(path);
      ensureDirectory(join(run.dir, RUN_FILES.refine));
      const worktree = await openWorktree(
        root,
        path,
        join(run.dir, RUN_FILES.refine, `index.${line.candidate}`),
      );
      this.#places.set(line.candidate, { worktree: path, fresh, links: worktree.links });
      line.directory = worktree.directory;
      if (fresh && this.#params.setup !== null) await this.#setUp(line);
    }
    this.#save();
  }

  async #setUp(line: RefineLine): Promise<void> {
    const { run, marks } = this.#context;
    const directory = join(run.dir, RUN_FILES.validator);
    ensureDirectory(directory);
    const processes = new OwnedProcesses();
    try {
      const { run: result, cannotStart } = await runValidator(
        {
          argv: this.#params.setup ?? [],
          directory: line.directory,
          runDir: run.dir,
          outputPath: join(directory, `setup-${line.candidate}.log`),
          timeoutMs: this.#params.validator_timeout_sec * 1000,
          idleTimeoutMs: this.#params.validator_idle_sec * 1000,
          marks,
          signal: this.#signal(),
        },
        processes,
      );
      if (result.passed) return;
      const why = cannotStart ?? `exit code ${result.exit_code}; see ${join(run.dir, result.output)}`;
      throw new RlmError('unavailable', `the setup command failed: ${why}`);
    } finally {
      await processes.close();
    }
  }

  /** All lines at once; the first that passes ends the others, unless the best is wanted. */
  async #runLines(session: WorkSession): Promise<LineEnd> {
    const shared: LineContext = {
      flow: this.#context,
      params: this.#params,
      session,
      signal: this.#signal(),
      remainingMs: () => this.#remainingMs(),
      save: () => this.#save(),
      wrote: (path, text) => this.#written.set(path, sha256(text)),
      foreignChanges: () => this.#foreignChanges(),
    };
    const ends = await Promise.all(
      this.#state.lines.map(async (state): Promise<{ line: Line; end: LineEnd }> => {
        const line = await Line.open(shared, state, this.#placeOf(state));
        const end = await line.run();
        state.ended = end.ended;
        if (end.ended === 'passed' && this.#params.metric === null && this.#state.winner === null) {
          this.#state.winner = state.candidate;
          this.#settled.abort();
        }
        this.#save();
        return { line, end };
      }),
    );
    const winner = this.#chooseWinner(ends.map(({ line }) => line.state));
    this.#state.winner = winner;
    const chosen = ends.find(({ line }) => line.state.candidate === winner) ?? ends[0];
    if (chosen === undefined) throw new RlmError('internal', 'a refine run has no line');
    await this.#writePatch(chosen.line);
    return chosen.end;
  }

  /** The line whose work is the result: the first that passed, or the one with the best metric. */
  #chooseWinner(lines: readonly RefineLine[]): number | null {
    const { metric } = this.#params;
    if (metric === null)
      return this.#state.winner ?? (lines.length === 1 ? (lines[0]?.candidate ?? null) : null);
    const sign = metric.minimize ? 1 : -1;
    const measured = lines.flatMap((line) =>
      line.best === null ? [] : [{ line, value: line.best.metric * sign }],
    );
    return measured.sort((a, b) => a.value - b.value)[0]?.line.candidate ?? null;
  }

  async #writePatch(line: Line): Promise<void> {
    const patch = await line.patch();
    if (patch === '') return;
    this.#state.patch = RUN_FILES.refinePatch;
    writeFileAtomic(join(this.#context.run.dir, this.#state.patch), patch);
  }

  /** The result of an isolated run as a branch; then its worktrees go, unless the run can be taken up again. */
  async #publish(): Promise<void> {
    if (this.#params.isolate !== 'worktree') return;
    const { run } = this.#context;
    const { root } = run.record;
    const place = this.#state.winner === null ? undefined : this.#places.get(this.#state.winner);
    if (place?.worktree !== null && place !== undefined && this.#state.patch !== null) {
      const branch = `rlm/${run.id}`;
      await publishBranch(
        root,
        { path: place.worktree, links: place.links },
        {
          branch,
          message: `rlm refine: ${oneLine(this.#params.goal, 60)}`,
          temporary: join(run.dir, RUN_FILES.refine, 'index.result'),
        },
      );
      this.#state.branch = branch;
    }
  }

  async #end(end: LineEnd, before: string | undefined): Promise<FlowEnd> {
    const { root } = this.#context.run.record;
    // Trees are in the run's snapshots: one that is taken up again gets a new worktree.
    for (const { worktree } of this.#places.values())
      if (worktree !== null) await removeWorktree(root, worktree);
    this.#state.ended = end.ended;
    this.#state.reason = end.reason ?? null;
    this.#save();
    if (before !== undefined && (await treeState(root)) !== before) {
      this.#context.journal.append({
        type: 'note',
        message: 'the working tree changed while the run was isolated from it',
      });
    }
    const reason = end.reason === undefined ? end.ended : `${end.ended}: ${end.reason}`;
    const { ended } = end;
    if (end.stop !== undefined && PAUSED.has(ended)) return { ...endOfStop(end.stop), reason, ended };
    const failure = end.stop?.failure;
    return { state: STATES[ended], reason, ended, ...(failure === undefined ? {} : { failure }) };
  }

  #journalPath(): string {
    return join(this.#context.run.dir, RUN_FILES.events);
  }

  #readState(): RefineState {
    const { run } = this.#context;
    const path = join(run.dir, RUN_FILES.refineState);
    if (existsSync(path)) {
      const text = readFileSync(path, 'utf8');
      const state = RefineState.parse(JSON.parse(text));
      return { ...state, ended: null, reason: null };
    }
    return {
      schema_version: SCHEMA_VERSION,
      goal: this.#params.goal,
      task_id: this.#params.task_id,
      validator: this.#params.validator,
      ended: null,
      reason: null,
      validator_chosen_ms: this.#params.validator_chosen_ms,
      first_signal_ms: null,
      worked_ms: 0,
      lines: Array.from({ length: this.#params.candidates }, (_, index) =>
        emptyLine(index + 1, run.record.root),
      ),
      winner: null,
      branch: null,
      patch: null,
    };
  }

  #save(): void {
    const { run, startedAt } = this.#context;
    this.#state.worked_ms = this.#workedBefore + Math.round(performance.now() - startedAt);
    const known = this.#state.lines.some(({ baseline }) => baseline !== null);
    if (known) this.#state.first_signal_ms ??= Date.now() - Date.parse(run.record.created_at);
    const path = RUN_FILES.refineState;
    const text = `${JSON.stringify(RefineState.parse(this.#state), null, 2)}\n`;
    ensureDirectory(join(run.dir, RUN_FILES.refine));
    writeFileAtomic(join(run.dir, path), text);
    this.#written.set(path, sha256(text));
  }

  /** Files of the run's state, its record and the configuration that are not as the driver left them. */
  #foreignChanges(): string[] {
    const { run } = this.#context;
    const changed = [...this.#written]
      .filter(([path, hash]) => hashOf(join(run.dir, path)) !== hash)
      .map(([path]) => path);
    for (const [path, hash] of this.#fixed) if (hashOf(path) !== hash) changed.push(path);
    if (this.#journalDigest.copy().digest('hex') !== hashOf(this.#journalPath()))
      changed.push(RUN_FILES.events);
    return changed;
  }
}

function emptyLine(candidate: number, directory: string): RefineLine {
  return {
    candidate,
    directory,
    iterations: 0,
    baseline: null,
    last: null,
    same_failures: 0,
    no_progress: 0,
    tried: [],
    before_tree: null,
    after_turn: null,
    tree: null,
    first_tree: null,
    best: null,
    ended: null,
  };
}

/** undefined for a file that is not there or cannot be read. */
function hashOf(path: string): string | undefined {
  try {
    return sha256(readFileSync(path));
  } catch (error) {
    return messageOf(error).includes('ENOENT') ? undefined : 'unreadable';
  }
}

/**
 * Applies what an isolated run came to, to the tree that it was started for.
 *
 * @throws RlmError `usage` for a run that has no such result, `conflict` when the tree has changed where the patch does
 */
export async function applyRun(run: RunHandle): Promise<{ patch: string; branch: string }> {
  const path = join(run.dir, RUN_FILES.refineState);
  const state = existsSync(path) ? RefineState.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
  if (state === undefined || state.patch === null || state.branch === null) {
    throw new RlmError('usage', `run '${run.id}' has no patch to apply`, {
      hint: 'Only a refine run in a worktree has one, once it has ended with a result.',
    });
  }
  const patch = join(run.dir, state.patch);
  await applyPatch(run.record.root, patch, state.branch);
  return { patch, branch: state.branch };
}
