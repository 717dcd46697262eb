import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  addUsage,
  type IterationRecord,
  NO_USAGE,
  type RefineEnded,
  type RefineLine,
  type RefineParams,
  type RefineRole,
  type ResultRecord,
  RUN_FILES,
  SCHEMA_VERSION,
  type TamperedFile,
} from '../contracts/index.ts';
import {
  type Assignment,
  type FlowContext,
  ResultReader,
  type Stop,
  type WorkSession,
} from '../dispatch/index.ts';
import { ensureDirectory, readLines, writeFileAtomic } from '../files/index.ts';
import { OwnedProcesses } from '../processes/index.ts';
import { oneLine, sanitize, sha256, truncate } from '../text/index.ts';
import { TamperGuard } from './guard.ts';
import { closingWords, rememberTried, turnInput, turnInstructions } from './prompts.ts';
import { git, Snapshots } from './snapshots.ts';
import { readTail, runValidator, type Validation } from './validator.ts';

const ROLES: Readonly<Record<RefineParams['roles'], readonly RefineRole[]>> = {
  single: ['single'],
  triad: ['planner', 'critic', 'reviser'],
};
/** Iterations in a row without progress after which a line ends. */
const MAX_NO_PROGRESS = 2;
const MAX_COMMANDS = 100;
const MAX_LISTED_FILES = 200;
const MAX_WORKSPACE_CHARS = 2_000;

/** What all lines of a run share. */
export interface LineContext {
  flow: FlowContext;
  params: RefineParams;
  session: WorkSession;
  /** Aborted when the run is cancelled, when its time is over, or when another line has won. */
  signal: AbortSignal;
  /** Milliseconds that are left of `max_minutes`. */
  remainingMs(): number;
  /** Writes the state of the run. */
  save(): void;
  /** Keeps what the driver wrote, so that a change by anybody else is seen. */
  wrote(path: string, text: string): void;
  /** Names of files of the run's state that somebody else changed. */
  foreignChanges(): string[];
}

/** Where a line works. */
export interface Place {
  /** The worktree; null when work is in place. */
  worktree: string | null;
  /** Whether the worktree was made just now. */
  fresh: boolean;
  /** Links in it to dependencies: no part of the work. */
  links: readonly string[];
}

/** How a line ended, and why when that is not obvious. */
export interface LineEnd {
  ended: RefineEnded;
  reason?: string;
  stop?: Stop;
}

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
  #freshStart = false;
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
      const { run, tail, cannotStart } = await this.#validate('baseline');
      if (cannotStart !== undefined) return { ended: 'error', reason: cannotStart };
      if (run.ended_by === 'cancelled') return this.#interrupted();
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
        return this.#complete('max_iterations', `${params.max_iterations} iterations are used up`);
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
    const turns = await this.#takeTurns(number, id);
    if (turns.end !== undefined) return turns.end;
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
    if (validation?.run.ended_by === 'cancelled') return this.#interrupted();
    const metric = stops || params.metric === null ? null : await this.#measure(id);
    const worse = params.metric !== null && !stops && this.#isWorse(validation, metric);
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
    const end = this.#judge({
      record,
      tree: worse ? (this.#state.best?.tree ?? before) : after,
      validation,
      tampered,
      stops,
      progress: change.files.length > 0 && talked,
    });
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
    const writer = params.roles === 'triad' ? `${id}-reviser` : id;
    // Work on a person's own tree is never taken back: there the turn goes on from the tree as it is.
    if (params.isolate === 'worktree' && !flow.history.accepted.get(writer)) {
      await this.#snapshots.restoreAll(before_tree);
    }
    return before_tree;
  }

  async #takeTurns(number: number, id: string) {
    const { params, flow, session } = this.#shared;
    const roles = ROLES[params.roles];
    const turns: IterationRecord['turns'] = [];
    const said: Partial<Record<RefineRole, string>> = {};
    const commands: string[] = [];
    let usage = NO_USAGE;
    let costUsd: number | null = null;
    for (const role of roles) {
      const turnId = role === 'single' ? id : `${id}-${role}`;
      const path = join(flow.run.dir, RUN_FILES.turns, `${turnId}.md`);
      const began = performance.now();
      const accepted = flow.history.accepted.get(turnId) && existsSync(path);
      if (!accepted) {
        const assignment = this.#turn(turnId, role, number, path, said);
        const stop = await session.dispatch([assignment], { added: 1, carried: 0 });
        if (stop !== undefined)
          return { end: this.#ofStop(stop), turns, commands, answer: '', usage, costUsd };
      }
      const result = this.#resultOf(turnId);
      const ok = accepted || result?.status === 'accepted';
      turns.push({
        role,
        accepted: ok,
        failure: ok ? null : oneLine(result?.errors.at(-1) ?? 'the turn failed', 300),
        duration_ms: Math.round(performance.now() - began),
      });
      if (result !== undefined) {
        usage = addUsage(usage, result.usage);
        if (result.cost_usd !== null) costUsd = (costUsd ?? 0) + result.cost_usd;
        for (const log of result.log_paths) commands.push(...(await commandsOf(join(flow.run.dir, log))));
      }
      if (!ok) break;
      said[role] = readFileSync(path, 'utf8');
    }
    const answer = said[roles.at(-1) ?? 'single'] ?? '';
    return { end: undefined, turns, commands: commands.slice(0, MAX_COMMANDS), answer, usage, costUsd };
  }

  /** How a turn ended, as the journal says. */
  #resultOf(turnId: string): ResultRecord | undefined {
    const { journal, run } = this.#shared.flow;
    const offset = journal.history.accepted.get(turnId) || journal.history.failed.get(turnId);
    if (!offset) return undefined;
    const reader = new ResultReader(join(run.dir, RUN_FILES.events));
    try {
      return reader.read(offset);
    } finally {
      reader.close();
    }
  }

  /** One turn as an assignment. What the agent says is kept; what it did is judged by the tree and the validator. */
  #turn(
    turnId: string,
    role: RefineRole,
    iteration: number,
    path: string,
    said: Partial<Record<RefineRole, string>>,
  ): Assignment {
    const { params, flow } = this.#shared;
    const { directory, last, tried } = this.#state;
    const instructions = turnInstructions(role);
    const reads = role === 'planner' || role === 'critic';
    return {
      id: turnId,
      prepare: async () => {
        const input = turnInput({
          goal: params.goal,
          iteration,
          maxIterations: params.max_iterations,
          validator: params.validator?.command ?? null,
          last,
          lastOutput: this.#output,
          workspace: await this.#describeWorkspace(),
          tried,
          restored: this.#restored,
          freshStart: this.#freshStart,
          ...(said.planner === undefined ? {} : { planner: said.planner }),
          ...(said.critic === undefined ? {} : { critic: said.critic }),
          ...(params.metric === null
            ? {}
            : {
                metric: {
                  command: params.metric.command,
                  minimize: params.metric.minimize,
                  best: this.#state.best?.metric ?? null,
                  last: this.#lastMetric,
                },
              }),
        });
        const { model, effort } = this.#modelOf(role);
        return {
          key: sha256(`${turnId}\n${instructions}\n${input}`),
          cacheKey: null,
          // As part of the input: in the place of instructions they would replace the agent's own.
          call: () => ({
            instructions: '',
            input: `${instructions}\n\n${input}`,
            model,
            effort,
            sandbox: reads
              ? { mode: 'read-only' }
              : {
                  mode: 'workspace-write',
                  writable: [...params.add_dirs, directory],
                  readOnly: [join(directory, '.git'), join(flow.run.record.root, '.rlm')],
                  network: params.allow_network,
                },
            tools: true,
            cwd: directory,
            timeoutMs: Math.max(1, Math.min(params.timeout_sec * 1000, this.#shared.remainingMs())),
          }),
          accept: (text) => ({ ok: true, text }),
          commit: (text) => {
            ensureDirectory(join(flow.run.dir, RUN_FILES.turns));
            writeFileAtomic(path, text);
            return { output_path: path, output_sha256: sha256(text) };
          },
        };
      },
    };
  }

  /** The model of a role, where the configuration names one; else that of the session. */
  #modelOf(role: RefineRole): { model: string | null; effort: string | null } {
    const { session, flow } = this.#shared;
    const own = role === 'single' ? undefined : flow.config.values.refine.models[role];
    if (session.model === null) return { model: null, effort: null };
    const model = session.worker.name === 'claude' ? own?.claude_model : own?.model;
    return { model: model ?? session.model, effort: own?.effort ?? session.effort };
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

  #isWorse(validation: Validation | undefined, metric: number | null): boolean {
    const best = this.#state.best;
    if (metric === null || validation?.run.passed === false) return true;
    if (best === null) return false;
    return this.#shared.params.metric?.minimize === true ? metric >= best.metric : metric <= best.metric;
  }

  /** What an iteration came to, and whether the line ends with it. */
  #judge(of: {
    record: IterationRecord;
    tree: string;
    validation: Validation | undefined;
    tampered: readonly TamperedFile[];
    stops: boolean;
    progress: boolean;
  }): LineEnd | undefined {
    const { params } = this.#shared;
    const state = this.#state;
    const before = state.last;
    state.iterations = of.record.iteration;
    state.before_tree = null;
    state.after_turn = null;
    state.tree = of.tree;
    this.#restored = of.tampered.filter(({ restored }) => restored).map(({ path }) => path);
    this.#output = of.validation?.tail ?? '';
    if (of.validation !== undefined) state.last = of.validation.run;
    if (of.stops) {
      const paths = of.tampered.map(({ path }) => path).join(', ');
      return { ended: 'tampered', reason: `protected files were changed: ${oneLine(paths, 400)}` };
    }
    if (of.validation?.cannotStart !== undefined)
      return { ended: 'error', reason: of.validation.cannotStart };
    const fewer = this.#fewerTests(of.validation);
    if (of.validation?.run.passed === true && params.metric === null && fewer === undefined)
      return { ended: 'passed' };

    const summary = of.record.summary ?? 'no summary';
    const said = fewer ?? of.validation?.run.failures[0] ?? `exit code ${of.validation?.run.exit_code}`;
    if (params.validator !== null) {
      state.tried = rememberTried(state.tried, `Iteration ${state.iterations}: ${summary} -> ${said}`);
    } else state.tried = rememberTried(state.tried, `Iteration ${state.iterations}: ${summary}`);
    state.no_progress = of.progress ? 0 : state.no_progress + 1;
    if (state.no_progress >= MAX_NO_PROGRESS) {
      return this.#complete('stuck', `${MAX_NO_PROGRESS} iterations in a row changed nothing`);
    }
    if (of.validation === undefined) return undefined;
    // A run with fewer tests than before is its own kind of failure.
    const fingerprint = fewer === undefined ? of.validation.run.fingerprint : 'fewer tests';
    const last = state.iterations > 1 ? (before?.fingerprint ?? 'fewer tests') : undefined;
    state.same_failures = fingerprint !== null && fingerprint === last ? state.same_failures + 1 : 1;
    const limit = params.stop_after_same;
    this.#freshStart = limit > 0 && state.same_failures >= Math.max(1, limit - 1);
    if (limit > 0 && state.same_failures >= limit && params.metric === null) {
      return this.#complete('stuck', `the same failure after ${limit} turns: ${said}`);
    }
    return undefined;
  }

  /** Why a green result does not count: tests of before did not run. */
  #fewerTests(validation: Validation | undefined): string | undefined {
    const before = this.#state.baseline?.tests?.ran;
    const now = validation?.run.tests?.ran;
    if (validation?.run.passed !== true || before === undefined) return undefined;
    if (now !== undefined && now >= before) return undefined;
    return `it passed, but ${now ?? 'no'} tests ran where ${before} ran before`;
  }

  /** Without a validator there is nothing to pass: what was asked for is done when the limits are used up. */
  #complete(ended: 'max_iterations' | 'max_minutes' | 'stuck', reason: string): LineEnd {
    const { params } = this.#shared;
    const best = this.#state.best;
    if (params.metric !== null && best !== null && best.iteration > 0) {
      return {
        ended: params.validator === null ? 'budget_complete' : 'passed',
        reason: `best metric ${best.metric}; ${reason}`,
      };
    }
    if (params.validator === null && ended !== 'stuck') return { ended: 'budget_complete', reason };
    return { ended, reason };
  }

  #timeIsOver(): LineEnd {
    return this.#complete('max_minutes', `${this.#shared.params.max_minutes} minutes are used up`);
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

const CodexLine = z.object({ item: z.object({ type: z.literal('command_execution'), command: z.string() }) });
const ClaudeLine = z.object({
  message: z.object({
    content: z.array(
      z.looseObject({
        name: z.string().optional(),
        input: z.looseObject({ command: z.string() }).optional(),
      }),
    ),
  }),
});

/** The commands that an agent ran, as its log tells; a program's own log tells none. */
async function commandsOf(log: string): Promise<string[]> {
  if (!existsSync(log)) return [];
  const commands: string[] = [];
  for await (const line of readLines(log)) {
    if (!line.text.includes('command')) continue;
    let value: unknown;
    try {
      value = JSON.parse(line.text);
    } catch {
      continue;
    }
    const codex = CodexLine.safeParse(value).data;
    if (codex !== undefined) commands.push(oneLine(codex.item.command, 300));
    for (const part of ClaudeLine.safeParse(value).data?.message.content ?? []) {
      if (part.name === 'Bash' && part.input !== undefined) commands.push(oneLine(part.input.command, 300));
    }
  }
  return [...new Set(commands)];
}
