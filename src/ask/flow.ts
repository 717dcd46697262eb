import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type JobPaths, jobAssignments, writeSummary } from '../batch/index.ts';
import { AskPreview, type AskState, type CoverageFile, type EvidenceFile } from '../contracts/index.ts';
import { type Corpus, ingest, openCorpus } from '../corpus/index.ts';
import { endOfStop, type FlowContext, type FlowEnd, type Stop, WorkSession } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { extractiveAnswer } from '../evidence/index.ts';
import { DIRECTORY_MODE, writeJsonAtomic } from '../files/index.ts';
import { finalizeAnswer } from './answer.ts';
import { type BuiltJobs, buildJobs, type QuestionChunks } from './build-jobs.ts';
import { chooseChunks, everyChunk } from './choose-chunks.ts';
import { expandQuestion } from './expand.ts';
import { ASK_FILES } from './files.ts';
import { gapsToFollow } from './follow-up.ts';
import { AskJobs } from './jobs-file.ts';
import { AskParams } from './params.ts';
import { previewOf, sampleOf } from './preview.ts';
import { reduceRun } from './reduce-run.ts';
import { type Synthesis, synthesise } from './synthesise.ts';

type Reduced = { evidence: EvidenceFile; coverage: CoverageFile };

/**
 * A question over documents, end to end: ingest, expand, choose chunks, jobs, evidence, synthesis, follow-up for
 * what was left open, gate. Each step is taken up where it was left: documents that did not change are not read
 * again, and neither jobs nor model calls whose answers stand are made again.
 *
 * Quota and budget end the work early with a partial answer over what was read; its coverage says how much.
 */
export async function askFlow(context: FlowContext): Promise<FlowEnd> {
  const params = AskParams.parse(context.params);
  const session = await WorkSession.open(context, params);
  try {
    return await new Ask(context, params, session).run();
  } finally {
    await session.close();
  }
}

class Ask {
  readonly #context: FlowContext;
  readonly #params: AskParams;
  readonly #session: WorkSession;
  readonly #paths: JobPaths;
  readonly #state: AskState;
  readonly #began = performance.now();

  constructor(context: FlowContext, params: AskParams, session: WorkSession) {
    this.#context = context;
    this.#params = params;
    this.#session = session;
    const { run } = context;
    this.#paths = { runDir: run.dir, baseDir: params.base_dir, allowedRoots: rootsOf(params, run.dir) };
    this.#state = {
      schema_version: 1,
      question: params.question,
      route: 'search',
      worker:
        session.worker.lane === null ? session.worker.name : `${session.worker.name}/${session.worker.lane}`,
      expansion: null,
      passes: [],
      answered_by: 'nobody',
      notes: [],
    };
    mkdirSync(join(run.dir, 'ask'), { recursive: true, mode: DIRECTORY_MODE });
  }

  async run(): Promise<FlowEnd> {
    const corpus = await this.#ingest();
    const all = everyChunk(corpus, this.#params.pack_tokens);
    this.#state.route = all === undefined ? 'search' : 'single';
    if (all === undefined) {
      const stop = await this.#expand();
      if (stop !== undefined) return this.#early(corpus, stop);
    }
    return this.#params.dry_run ? this.#preview(corpus, all) : this.#answer(corpus, all);
  }

  async #ingest(): Promise<Corpus> {
    const { run, journal, signal } = this.#context;
    const { inputs, base_dir, allowed_roots, chunk_tokens } = this.#params;
    const report = await ingest(run.dir, inputs, {
      base: base_dir,
      targetTokens: chunk_tokens,
      signal,
      ...(allowed_roots === null ? {} : { allowedRoots: allowed_roots }),
    });
    const left =
      report.sources_skipped === 0
        ? ''
        : `, ${report.sources_skipped} left out (chunks/sources.jsonl says why)`;
    journal.append({
      type: 'note',
      message: `ingested ${report.sources_read} documents, ${report.chunks} chunks, about ${report.tokens} tokens${left}`,
    });
    return openCorpus(run.dir);
  }

  async #expand(): Promise<Stop | undefined> {
    if (!this.#params.expand || this.#session.model === null) return undefined;
    const { expansion, stop } = await expandQuestion(this.#params.question, this.#within());
    this.#state.expansion = expansion;
    if (expansion === null && stop === undefined)
      this.#state.notes.push('the question was searched as it stands: no expansion');
    this.#save();
    return stop;
  }

  async #answer(corpus: Corpus, all: string[] | undefined): Promise<FlowEnd> {
    const jobs = new AskJobs(corpus.runDir, this.#paths);
    const sent = new Set<string>();
    let questions = [this.#params.question];
    let reduced: Reduced | undefined;
    let synthesis: Synthesis | undefined;
    for (let pass = 1; pass <= this.#params.follow_ups + 1; pass += 1) {
      const chosen = await this.#choose(corpus, questions, { all: pass === 1 ? all : undefined, sent });
      const chunks = chosen.questions.reduce((sum, { chunkIds }) => sum + chunkIds.length, 0);
      if (chunks === 0 && pass > 1) break;
      const built = await this.#build(corpus, chosen.questions, pass);
      await jobs.add(jobs.file(pass));
      this.#state.passes.push({ questions, chunks: built.chunks, jobs: built.jobs, chosen_by: chosen.by });
      this.#save();
      const stop = await this.#runJobs(jobs.file(pass), built);
      reduced = await reduceRun(corpus, this.#paths);
      if (stop !== undefined) return this.#early(corpus, stop, reduced);
      const step = await this.#synthesise(reduced, pass);
      synthesis = step.synthesis ?? synthesis;
      if (step.stop !== undefined) return this.#early(corpus, step.stop, reduced, synthesis);
      const gaps = gapsToFollow(this.#params.question, reduced.evidence, synthesis?.gaps);
      if (gaps.length === 0 || all !== undefined) break;
      questions = gaps;
    }
    return this.#finish(corpus, reduced ?? (await reduceRun(corpus, this.#paths)), synthesis);
  }

  async #choose(corpus: Corpus, questions: string[], of: { all: string[] | undefined; sent: Set<string> }) {
    const { question, top_k } = this.#params;
    const chosen =
      of.all === undefined
        ? await chooseChunks(corpus, questions, {
            root: this.#context.run.record.root,
            topK: top_k,
            expansion: this.#state.expansion,
            without: of.sent,
            signal: this.#context.signal,
          })
        : { by: 'all' as const, questions: [{ question, chunkIds: of.all }], notes: [] };
    for (const { chunkIds } of chosen.questions) for (const id of chunkIds) of.sent.add(id);
    this.#state.notes.push(...chosen.notes.filter((note) => !this.#state.notes.includes(note)));
    return chosen;
  }

  #build(corpus: Corpus, questions: QuestionChunks[], pass: number): Promise<BuiltJobs> {
    const { pack_tokens } = this.#params;
    return buildJobs(corpus, questions, {
      file: `ask/jobs-p${pass}.jsonl`,
      prefix: `p${pass}-`,
      packTokens: pack_tokens,
    });
  }

  async #runJobs(file: string, built: BuiltJobs): Promise<Stop | undefined> {
    if (built.jobs === 0) return undefined;
    const carried = await AskJobs.carried(
      join(this.#context.run.dir, file),
      this.#paths,
      this.#context.history,
    );
    const assignments = jobAssignments(this.#session, this.#context, this.#params, this.#paths, file);
    return this.#session.dispatch(assignments, { added: built.jobs, carried });
  }

  async #synthesise(reduced: Reduced, pass: number) {
    if (this.#session.model === null || reduced.evidence.items.length === 0) {
      return { synthesis: undefined, stop: undefined };
    }
    const step = await synthesise(this.#params.question, reduced, { ...this.#within(), pass });
    if (step.synthesis === undefined && step.stop === undefined) {
      this.#state.notes.push('no synthesis held to its evidence: the answer is extractive');
    }
    return step;
  }

  /** Ends a run that had to stop: with a partial answer, unless nobody wants one any more. */
  async #early(corpus: Corpus, stop: Stop, reduced?: Reduced, synthesis?: Synthesis): Promise<FlowEnd> {
    const end = endOfStop(stop);
    if (end.state !== 'input_required' || reduced === undefined) return end;
    this.#state.notes.push(`partial answer: ${end.reason}`);
    await this.#finish(corpus, reduced, synthesis);
    return end;
  }

  async #finish(corpus: Corpus, reduced: Reduced, synthesis: Synthesis | undefined): Promise<FlowEnd> {
    const { run, journal } = this.#context;
    this.#state.answered_by = synthesis === undefined ? 'extractive' : 'synthesis';
    const answer =
      synthesis?.answer ?? extractiveAnswer(this.#params.question, reduced.evidence, reduced.coverage);
    try {
      finalizeAnswer(corpus, answer, reduced);
    } catch (error) {
      // A synthesis that does not pass gives way to the documents' own words.
      if (synthesis === undefined || !(error instanceof RlmError)) throw error;
      this.#state.notes.push(`the synthesis was refused: ${error.message.slice(0, 500)}`);
      return this.#finish(corpus, reduced, undefined);
    }
    this.#save();
    await writeSummary(
      {
        runDir: run.dir,
        state: 'completed',
        reason: null,
        stop: undefined,
        progress: journal.progress,
        durationMs: performance.now() - this.#began,
      },
      this.#paths,
    );
    return { state: 'completed' };
  }

  async #preview(corpus: Corpus, all: string[] | undefined): Promise<FlowEnd> {
    const { question, sample, timeout_sec } = this.#params;
    const chosen = await this.#choose(corpus, [question], { all, sent: new Set() });
    const built = await this.#build(corpus, chosen.questions, 1);
    const file = join(this.#context.run.dir, 'ask/jobs-p1.jsonl');
    let stop: Stop | undefined;
    if (sample > 0 && built.jobs > 0) {
      const chosenJobs = await sampleOf(file, this.#paths, sample);
      const source = jobAssignments(
        this.#session,
        this.#context,
        { timeout_sec },
        this.#paths,
        'ask/jobs-p1.jsonl',
      );
      const picked = (async function* () {
        for await (const assignment of source) if (chosenJobs.has(assignment.id)) yield assignment;
      })();
      stop = await this.#session.dispatch(picked, { added: chosenJobs.size, carried: 0 });
    }
    const preview = await previewOf(built, this.#context, this.#session);
    writeJsonAtomic(join(this.#context.run.dir, ASK_FILES.preview), AskPreview.parse(preview));
    this.#save();
    return stop === undefined
      ? { state: 'completed', reason: 'preview only: nothing was answered' }
      : endOfStop(stop);
  }

  #within() {
    const { run, history } = this.#context;
    return { session: this.#session, runDir: run.dir, history, timeoutSec: this.#params.timeout_sec };
  }

  #save(): void {
    writeJsonAtomic(join(this.#context.run.dir, ASK_FILES.state), this.#state);
  }
}

/** Jobs name documents where they lie, and extracted texts in the run. */
function rootsOf(params: AskParams, runDir: string): string[] | null {
  return params.allowed_roots === null ? null : [...params.allowed_roots, runDir];
}
