import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { countCarried, type JobPaths, jobAssignments, writeSummary } from '../batch/index.ts';
import { AskPreview, type AskState, SCHEMA_VERSION } from '../contracts/index.ts';
import { type Corpus, openCorpus } from '../corpus/index.ts';
import {
  type Assignment,
  endOfStop,
  type FlowContext,
  type FlowEnd,
  type Stop,
  WorkSession,
} from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { type Reduced, writeEvidence } from '../evidence/index.ts';
import { DIRECTORY_MODE, writeJsonAtomic } from '../files/index.ts';
import { finalizeAnswer } from './answer.ts';
import { type BuiltJobs, buildJobs } from './build-jobs.ts';
import { type ChosenChunks, chooseChunks, everyChunk } from './choose-chunks.ts';
import { ingestDocuments } from './documents.ts';
import { expandQuestion } from './expand.ts';
import { ASK_FILES } from './files.ts';
import { gapsToFollow } from './follow-up.ts';
import { joinPasses, passFile } from './jobs-file.ts';
import type { StepContext } from './model-step.ts';
import { AskParams } from './params.ts';
import { previewOf, sampleOf } from './preview.ts';
import { quotedAnswer } from './quoted-answer.ts';
import { reduceRun } from './reduce-run.ts';
import { previewText } from './result.ts';
import { answerOf, type Synthesis, synthesise, withConflictsOf } from './synthesise.ts';

/** What the passes so far gave. */
interface Found {
  reduced: Reduced;
  synthesis: Synthesis | undefined;
}

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
  } catch (error) {
    if (context.signal.aborted) return { state: 'cancelled', reason: 'cancelled' };
    throw error;
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
    this.#paths = { runDir: run.dir, baseDir: params.base_dir, allowedRoots: params.allowed_roots };
    this.#state = {
      schema_version: SCHEMA_VERSION,
      question: params.question,
      route: 'search',
      worker:
        session.worker.lane === null ? session.worker.name : `${session.worker.name}/${session.worker.lane}`,
      expansion: null,
      passes: [],
      answered_by: null,
      notes: [],
    };
    mkdirSync(join(run.dir, 'ask'), { recursive: true, mode: DIRECTORY_MODE });
  }

  async run(): Promise<FlowEnd> {
    await ingestDocuments(this.#context, this.#params);
    const corpus = await openCorpus(this.#context.run.dir);
    const all = everyChunk(corpus, this.#params.pack_tokens);
    this.#state.route = all === undefined ? 'search' : 'single';
    if (this.#params.dry_run) return this.#preview(corpus, all);
    const stop = all === undefined ? await this.#expand() : undefined;
    return stop === undefined ? this.#answer(corpus, all) : this.#end(stop);
  }

  async #expand(): Promise<Stop | undefined> {
    if (!this.#params.expand || this.#session.model === null) return undefined;
    const { expansion, stop } = await expandQuestion(this.#params.question, this.#within());
    this.#state.expansion = expansion;
    if (expansion === null && stop === undefined) {
      this.#state.notes.push('the question was searched as it stands: no expansion');
    }
    this.#save();
    return stop;
  }

  async #answer(corpus: Corpus, all: string[] | undefined): Promise<FlowEnd> {
    const { question, follow_ups } = this.#params;
    const sent = new Set<string>();
    let questions = [question];
    let found: Found | undefined;
    for (let pass = 1; pass <= follow_ups + 1; pass += 1) {
      const chosen = await this.#choose(corpus, questions, { all, sent });
      if (pass > 1 && chosen.questions.every(({ chunkIds }) => chunkIds.length === 0)) break;
      const built = await this.#build(corpus, chosen, pass);
      joinPasses(corpus.runDir, pass);
      this.#state.passes.push({
        questions,
        chunks: built.chunks,
        jobs: built.jobs,
        chosen_by: chosen.by,
        chosen_reason: chosen.reason,
      });
      this.#save();
      let stop = await this.#runJobs(pass);
      found = { reduced: await reduceRun(corpus, this.#paths), synthesis: found?.synthesis };
      if (stop === undefined) stop = await this.#synthesise(found, pass);
      if (stop !== undefined) return this.#end(stop, corpus, found);
      // Nothing is left to follow up in when all was read; and where nobody answers, more jobs would only fail too.
      if (all !== undefined || found.reduced.evidence.counts.jobs_accepted === 0) break;
      questions = gapsToFollow(question, found.reduced.evidence, found.synthesis?.answer.gaps);
      if (questions.length === 0) break;
    }
    if (found === undefined) throw new RlmError('internal', 'an ask made no pass');
    const { failed, total } = this.#context.journal.progress;
    const reason = failed === 0 ? {} : { reason: `${failed} of ${total} calls failed` };
    return this.#finish(corpus, found, { state: 'completed', ...reason }, undefined);
  }

  async #choose(
    corpus: Corpus,
    questions: string[],
    of: { all: string[] | undefined; sent: Set<string> },
  ): Promise<ChosenChunks> {
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
        : {
            by: 'all' as const,
            reason: 'everything fits one prompt',
            questions: [{ question, chunkIds: of.all }],
            notes: [],
          };
    for (const { chunkIds } of chosen.questions) for (const id of chunkIds) of.sent.add(id);
    const way = chosen.by === 'all' ? 'one job for all' : `searched by ${chosen.by}`;
    this.#context.journal.append({ type: 'note', message: `${way}: ${chosen.reason}` });
    const notes = corpus.record.chunks === 0 ? ['there is no text in the documents'] : chosen.notes;
    this.#state.notes.push(...notes.filter((note) => !this.#state.notes.includes(note)));
    return chosen;
  }

  #build(corpus: Corpus, { by, questions }: ChosenChunks, pass: number): Promise<BuiltJobs> {
    const { pack_tokens } = this.#params;
    return buildJobs(corpus, questions, {
      file: passFile(pass),
      prefix: `p${pass}-`,
      packTokens: pack_tokens,
      acrossDocuments: by === 'all',
    });
  }

  /** Runs the jobs of a pass, or those of them that are in the sample. */
  async #runJobs(pass: number, sample?: ReadonlySet<string>): Promise<Stop | undefined> {
    const file = passFile(pass);
    const among = (id: string) => sample?.has(id) ?? true;
    const count = await countCarried(join(this.#context.run.dir, file), this.#context.history, among);
    if (count.added === 0) return undefined;
    const jobs = jobAssignments(this.#session, this.#context, this.#params, this.#paths, file);
    return this.#session.dispatch(only(jobs, among), count);
  }

  /** Lets a model write the answer, if there is one; what it wrote is put into `found`. */
  async #synthesise(found: Found, pass: number): Promise<Stop | undefined> {
    if (this.#session.model === null || found.reduced.evidence.items.length === 0) return undefined;
    const { items } = found.reduced.evidence;
    const step = await synthesise(this.#params.question, items, { ...this.#within(), pass });
    if (step.synthesis === undefined && step.stop === undefined) {
      this.#state.notes.push(`pass ${pass}: no synthesis held to its evidence`);
    }
    found.synthesis = step.synthesis ?? found.synthesis;
    return step.stop;
  }

  /** Ends a run that had to stop: with a partial answer, unless nothing was read or nobody wants one any more. */
  async #end(stop: Stop, corpus?: Corpus, found?: Found): Promise<FlowEnd> {
    const end = endOfStop(stop);
    if (end.state !== 'input_required' || corpus === undefined || found === undefined) return end;
    this.#state.notes.push(`partial answer: ${end.reason}`);
    return this.#finish(corpus, found, end, stop);
  }

  async #finish(
    corpus: Corpus,
    { reduced, synthesis }: Found,
    end: FlowEnd,
    stop: Stop | undefined,
  ): Promise<FlowEnd> {
    const { question } = this.#params;
    try {
      const answer =
        synthesis === undefined
          ? await quotedAnswer(question, reduced, {
              corpus,
              root: this.#context.run.record.root,
              reader: this.#session.worker.name,
              signal: this.#context.signal,
            })
          : answerOf(question, synthesis, reduced);
      finalizeAnswer(corpus, answer, reduced);
    } catch (error) {
      // A synthesis that does not pass gives way to the documents' own words.
      if (synthesis === undefined || !(error instanceof RlmError)) throw error;
      this.#state.notes.push(`the synthesis was refused: ${error.message.slice(0, 500)}`);
      return this.#finish(corpus, { reduced, synthesis: undefined }, end, stop);
    }
    this.#state.answered_by = synthesis === undefined ? 'extractive' : 'synthesis';
    this.#save();
    const { run, journal } = this.#context;
    if (synthesis !== undefined) writeEvidence(run.dir, withConflictsOf(synthesis, reduced.evidence));
    const head = { runDir: run.dir, state: end.state, reason: end.reason ?? null, stop };
    const durationMs = performance.now() - this.#began;
    await writeSummary({ ...head, history: journal.history, durationMs });
    return end;
  }

  /** What it would cost. No expansion: nothing is spent but what the sample takes. */
  async #preview(corpus: Corpus, all: string[] | undefined): Promise<FlowEnd> {
    const { question, sample } = this.#params;
    const chosen = await this.#choose(corpus, [question], { all, sent: new Set() });
    const built = await this.#build(corpus, chosen, 1);
    const file = join(corpus.runDir, passFile(1));
    const picked = await sampleOf(file, this.#paths, sample);
    const stop = await this.#runJobs(1, picked);
    const preview = await previewOf(built, this.#context, this.#session);
    if (picked.size > 0 && preview.sample === null) {
      this.#state.notes.push('the sample was answered from the cache: there was nothing to measure');
    }
    writeJsonAtomic(join(corpus.runDir, ASK_FILES.preview), AskPreview.parse(preview));
    this.#save();
    return stop === undefined
      ? {
          state: 'completed',
          reason: `preview only, nothing was answered: ${previewText(preview).replace('\n', '; ')}`,
        }
      : endOfStop(stop);
  }

  #within(): StepContext {
    const { run, history } = this.#context;
    return { session: this.#session, runDir: run.dir, history, timeoutSec: this.#params.timeout_sec };
  }

  #save(): void {
    writeJsonAtomic(join(this.#context.run.dir, ASK_FILES.state), this.#state);
  }
}

async function* only(assignments: AsyncIterable<Assignment>, among: (id: string) => boolean) {
  for await (const assignment of assignments) if (among(assignment.id)) yield assignment;
}
