import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type IterationRecord, type RefineLine, RUN_FILES, SCHEMA_VERSION } from '../contracts/index.ts';
import type { Stop } from '../dispatch/index.ts';
import { ensureDirectory, writeFileAtomic } from '../files/index.ts';
import { OwnedProcesses } from '../processes/index.ts';
import { sanitize, truncate } from '../text/index.ts';
import type { LineContext, LineEnd, Place } from './context.ts';
import { TamperGuard } from './guard.ts';
import { completeLine, isWorse, judgeIteration, startsAfresh } from './judge.ts';
import { closingWords, type TurnContext } from './prompts.ts';
import { git, Snapshots } from './snapshots.ts';
import { takeTurns, writingTurn } from './turns.ts';
import { readTail, runValidator, type Validation } from './validator.ts';

const MAX_LISTED_FILES = 200;
const MAX_WORKSPACE_CHARS = 2_000;

/** One line of work: turns of an agent on one tree, each judged by the validator, until there is a reason to end. */
export class Line {
  readonly #state: RefineLine;
  readonly #shared: LineContext;
  readonly #snapshots: Snapshots;
  readonly #guard: TamperGuard;
  readonly #processes = new OwnedProcesses();
  /** Of the last validation, for the next turn. */
  #output = '';
  #restored: string[] = [];
  #lastMetric: number | null = null;

  private constructor(shared: LineContext, state: RefineLine, snapshots: Snapshots, guard: TamperGuard) {
    this.#shared = shared;
    this.#state = state;
    this.#snapshots = snapshots;
    this.#guard = guard;
  }

  /** Prepares a line on its directory; `state` is changed as the work goes on. */
  static async open(shared: LineContext, state: RefineLine, place: Place): Promise<Line> {
    const { params, flow } = shared;
    const store = join(flow.run.dir, RUN_FILES.snapshots, String(state.candidate));
    const snapshots = await Snapshots.open(state.directory, store, { without: place.links });
    // A worktree that was lost or removed is made what it was when the line stopped.
    const stopped = state.after_turn ?? state.before_tree ?? state.tree;
    if (place.fresh && stopped !== null) await snapshots.restoreAll(stopped);
    const guard = await TamperGuard.open(snapshots, {
      directory: state.directory,
      commands: [params.validator?.argv ?? [], params.metric?.argv ?? []],
      protect: params.protect,
      onTamper: params.on_tamper,
      store: join(flow.run.dir, RUN_FILES.protected, String(state.candidate)),
    });
    return new Line(shared, state, snapshots, guard);
  }

  get state(): RefineLine {
    return this.#state;
  }

  /** Runs the line to its end. */
  async run(): Promise<LineEnd> {
    try {
      return (await this.#measureBaseline()) ?? (await this.#iterate());
    } finally {
      await this.#processes.close();
    }
  }

  /** The tree as it was when the line ended, as a patch against the tree that it started from. */
  async patch(): Promise<string> {
    const from = this.#state.first_tree;
    if (from === null) return '';
    const to = this.#state.best?.tree ?? (await this.#snapshots.take());
    return this.#snapshots.patch(from, to);
  }

  /** Validates before any turn: a repository that is green costs no call. */
  async #measureBaseline(): Promise<LineEnd | undefined> {
    const { params } = this.#shared;
    if (this.#state.first_tree === null) {
      this.#state.first_tree = await this.#snapshots.take();
      this.#shared.save();
    }
    if (params.validator !== null && this.#state.baseline === null) {
      const validation = await this.#validate('baseline');
      const { run, tail, cannotStart } = validation;
      if (this.#wasInterrupted(validation)) return this.#interrupted();
      if (cannotStart !== undefined) return { ended: 'error', reason: cannotStart };
      this.#output = tail;
      this.#state.baseline = run;
      this.#state.last = run;
    } else if (this.#state.last !== null) {
      this.#output = readTail(join(this.#shared.flow.run.dir, this.#state.last.output));
    }
    if (params.metric !== null && this.#state.best === null) {
      const metric = await this.#measure('baseline');
      if (metric !== null && this.#state.baseline?.passed !== false) {
        this.#state.best = { iteration: 0, metric, tree: this.#state.first_tree };
      }
    }
    this.#shared.save();
    const green = this.#state.baseline?.passed === true && this.#state.iterations === 0;
    return green && params.metric === null
      ? { ended: 'passed', reason: 'it passed before any turn' }
      : undefined;
  }

  async #iterate(): Promise<LineEnd> {
    const { params } = this.#shared;
    for (;;) {
      if (this.#shared.signal.aborted) return this.#interrupted();
      if (params.max_iterations !== null && this.#state.iterations >= params.max_iterations) {
        return completeLine(
          this.#state,
          params,
          'max_iterations',
          `${params.max_iterations} iterations are used up`,
        );
      }
      if (this.#shared.remainingMs() <= 0) return this.#timeIsOver();
      const end = await this.#iteration(this.#state.iterations + 1);
      if (end !== undefined) return end;
    }
  }

  async #iteration(number: number): Promise<LineEnd | undefined> {
    const { params, flow } = this.#shared;
    const started = new Date().toISOString();
    const id = this.#idOf(number);
    const before = await this.#begin(id);
    const turns = await takeTurns(this.#shared, id, this.#state.directory, () => this.#describe(number));
    if (turns.stop !== undefined) return this.#ofStop(turns.stop);
    if (params.isolate === 'worktree' && this.#state.after_turn === null) {
      this.#state.after_turn = await this.#snapshots.take();
      this.#shared.save();
    }

    const foreign = this.#shared.foreignChanges();
    if (foreign.length > 0) {
      return {
        ended: 'tampered',
        reason: `the state of the run was changed from outside: ${foreign.join(', ')}`,
      };
    }
    const { tampered, tree: after, change } = await this.#guard.check(before);
    const bad = tampered.filter(({ restored }) => !restored);
    const stops = params.on_tamper !== 'allow' && bad.length > 0;
    const patch = change.files.length === 0 ? null : await this.#writePatch(id, before, after);

    const validation = stops || params.validator === null ? undefined : await this.#validate(id);
    if (validation !== undefined && this.#wasInterrupted(validation)) return this.#interrupted();
    const metric = stops || params.metric === null ? null : await this.#measure(id);
    const worse = params.metric !== null && !stops && isWorse(this.#state, params, validation, metric);
    const record: IterationRecord = {
      schema_version: SCHEMA_VERSION,
      iteration: number,
      candidate: this.#state.candidate,
      started_at: started,
      finished_at: new Date().toISOString(),
      turns: turns.turns,
      ...closingWords(turns.answer),
      commands: turns.commands,
      network: params.allow_network,
      files_changed: change.files.slice(0, MAX_LISTED_FILES).map(({ path }) => path),
      insertions: change.insertions,
      deletions: change.deletions,
      patch,
      tampered,
      validator: validation?.run ?? null,
      metric,
      reverted: worse,
      usage: turns.usage,
      cost_usd: turns.costUsd,
    };
    this.#writeRecord(id, record);
    if (worse) await this.#snapshots.restoreAll(this.#state.best?.tree ?? before);
    else if (metric !== null) this.#state.best = { iteration: number, metric, tree: after };
    const talked = turns.answer.trim() !== '' || this.#shared.session.worker.name === 'command';
    this.#state.before_tree = null;
    this.#state.after_turn = null;
    this.#state.tree = worse ? (this.#state.best?.tree ?? before) : after;
    this.#restored = tampered.filter(({ restored }) => restored).map(({ path }) => path);
    this.#output = validation?.tail ?? '';
    const progress = change.files.length > 0 && talked;
    const end = judgeIteration(this.#state, params, { record, validation, stops, progress });
    flow.journal.append({
      type: 'iteration',
      iteration: number,
      candidate: this.#state.candidate,
      passed: validation?.run.passed ?? null,
      files_changed: change.files.length,
      summary: record.summary ?? '',
    });
    this.#shared.save();
    return end;
  }

  /** What the iteration starts from: the tree of now, or the one before a turn that was cut off. @returns its tree */
  async #begin(id: string): Promise<string> {
    const { flow, params } = this.#shared;
    const { before_tree } = this.#state;
    if (before_tree === null) {
      const tree = await this.#snapshots.take();
      this.#state.before_tree = tree;
      this.#shared.save();
      return tree;
    }
    const writer = writingTurn(id, params.roles);
    // Work on a person's own tree is never taken back: there the turn goes on from the tree as it is.
    if (params.isolate === 'worktree' && !flow.history.accepted.get(writer)) {
      await this.#snapshots.restoreAll(before_tree);
    }
    return before_tree;
  }

  async #validate(id: string): Promise<Validation> {
    const { params, flow, signal } = this.#shared;
    const directory = join(flow.run.dir, RUN_FILES.validator);
    ensureDirectory(directory);
    const call = {
      argv: params.validator?.argv ?? [],
      directory: this.#state.directory,
      runDir: flow.run.dir,
      outputPath: join(directory, `${id}.log`),
      timeoutMs: Math.max(1, Math.min(params.validator_timeout_sec * 1000, this.#shared.remainingMs())),
      idleTimeoutMs: params.validator_idle_sec * 1000,
      marks: flow.marks,
      signal,
    };
    const validation = await runValidator(call, this.#processes);
    // A validator may kill what it finds, the process that starts programs for us too: that says nothing of the tests.
    const unseen =
      validation.run.exit_code === null && validation.run.signal === null && validation.run.ended_by === null;
    return unseen && validation.cannotStart === undefined ? runValidator(call, this.#processes) : validation;
  }

  /** The last number that the metric prints; null when it fails or prints none. */
  async #measure(id: string): Promise<number | null> {
    const { params, flow, signal } = this.#shared;
    const directory = join(flow.run.dir, RUN_FILES.validator);
    ensureDirectory(directory);
    const { run, tail } = await runValidator(
      {
        argv: params.metric?.argv ?? [],
        directory: this.#state.directory,
        runDir: flow.run.dir,
        outputPath: join(directory, `${id}.metric.log`),
        timeoutMs: Math.max(1, Math.min(params.validator_timeout_sec * 1000, this.#shared.remainingMs())),
        idleTimeoutMs: params.validator_idle_sec * 1000,
        marks: flow.marks,
        signal,
      },
      this.#processes,
    );
    const printed = tail.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi)?.at(-1);
    this.#lastMetric = run.passed && printed !== undefined ? Number(printed) : null;
    return this.#lastMetric;
  }

  #timeIsOver(): LineEnd {
    return completeLine(
      this.#state,
      this.#shared.params,
      'max_minutes',
      `${this.#shared.params.max_minutes} minutes are used up`,
    );
  }

  /** Ended by a cancel or by the end of the minutes, so that it says nothing of the tests. */
  #wasInterrupted({ run }: Validation): boolean {
    return run.ended_by === 'cancelled' || (run.ended_by === 'wall' && this.#shared.remainingMs() <= 0);
  }

  #interrupted(): LineEnd {
    return this.#shared.remainingMs() <= 0 ? this.#timeIsOver() : { ended: 'cancelled' };
  }

  #ofStop(stop: Stop): LineEnd {
    const reason = stop.failure.message;
    switch (stop.why) {
      case 'quota':
        return { ended: 'quota', reason, stop };
      case 'budget':
        return this.#shared.remainingMs() <= 0 ? this.#timeIsOver() : { ended: 'budget', reason, stop };
      case 'cancelled':
        return this.#interrupted();
      case 'auth':
      case 'config':
        return { ended: 'error', reason: `${stop.why}: ${reason}`, stop };
    }
  }

  async #writePatch(id: string, before: string, after: string): Promise<string> {
    const { run } = this.#shared.flow;
    const path = join(RUN_FILES.iterations, `${id}.patch`);
    ensureDirectory(join(run.dir, RUN_FILES.iterations));
    writeFileAtomic(join(run.dir, path), await this.#snapshots.patch(before, after));
    return path;
  }

  #writeRecord(id: string, record: IterationRecord): void {
    const path = join(RUN_FILES.iterations, `${id}.json`);
    ensureDirectory(join(this.#shared.flow.run.dir, RUN_FILES.iterations));
    const text = `${JSON.stringify(record, null, 2)}\n`;
    writeFileAtomic(join(this.#shared.flow.run.dir, path), text);
    this.#shared.wrote(path, text);
  }

  /** Names files of an iteration: `0001`, with several candidates `c2-0001`. */
  #idOf(iteration: number): string {
    const number = String(iteration).padStart(4, '0');
    return this.#shared.params.candidates === 1 ? number : `c${this.#state.candidate}-${number}`;
  }

  /** What a turn of the iteration is told. */
  async #describe(iteration: number): Promise<TurnContext> {
    const { params } = this.#shared;
    const { last, tried, best } = this.#state;
    const metric =
      params.metric === null
        ? {}
        : {
            metric: {
              command: params.metric.command,
              minimize: params.metric.minimize,
              best: best?.metric ?? null,
              last: this.#lastMetric,
            },
          };
    return {
      goal: params.goal,
      iteration,
      maxIterations: params.max_iterations,
      validator: params.validator?.command ?? null,
      last,
      lastOutput: this.#output,
      workspace: await this.#describeWorkspace(),
      tried,
      restored: this.#restored,
      freshStart: startsAfresh(this.#state, params),
      ...metric,
    };
  }

  async #describeWorkspace(): Promise<string> {
    const { directory, first_tree, before_tree } = this.#state;
    const names = readdirSync(directory).filter((name) => name !== '.git' && name !== '.rlm');
    const lines = [`Directory: ${directory}`, `Files: ${names.slice(0, 60).join(' ')}`];
    const log = await git(directory, ['log', '--oneline', '-3'], { configured: true, allowFailure: true });
    if (log !== '') lines.push(`Last commits:\n${log.trimEnd()}`);
    if (first_tree !== null && before_tree !== null && first_tree !== before_tree) {
      const { files, insertions, deletions } = await this.#snapshots.compare(first_tree, before_tree);
      const listed = files.slice(0, 40).map(({ path, status }) => `${status}: ${path}`);
      lines.push(`Changed since the start (+${insertions} -${deletions}):\n${listed.join('\n')}`);
    }
    return truncate(sanitize(lines.join('\n')), MAX_WORKSPACE_CHARS);
  }
}
