import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { jobAssignments } from '../batch/index.ts';
import { type AskState, type FailureClass, RUN_FILES, SCHEMA_VERSION } from '../contracts/index.ts';
import { type Corpus, configuredEmbeddings } from '../corpus/index.ts';
import type { FlowContext, Stop, WorkSession } from '../dispatch/index.ts';
import { DIRECTORY_MODE, writeJsonAtomic } from '../files/index.ts';
import type { Question } from '../workers/extractive/index.ts';
import { type ChosenChunks, chooseChunks } from './choose-chunks.ts';
import { type ChunkJob, planJobs } from './jobs.ts';
import { readResult, type StepContext } from './model-step.ts';
import { weighQuestion } from './quoted-answer.ts';
import type { AskParams } from './request.ts';

/** Failures that the content of a single chunk can cause. */
const SPOILED: ReadonlySet<FailureClass | null> = new Set([
  'invalid_output',
  'overflow',
  'timeout',
  'crashed',
]);
const CHEAP_CHUNKS = 8;

/** An ask under way: its session, its state on disk, and the two steps that every pass and the preview share. */
export class AskRun {
  readonly context: FlowContext;
  readonly params: AskParams;
  readonly session: WorkSession;
  readonly state: AskState;
  /** Chunks that were chosen before: none is read twice. */
  readonly #chosen = new Set<string>();
  #weighed: Question | undefined;

  constructor(context: FlowContext, params: AskParams, session: WorkSession) {
    this.context = context;
    this.params = params;
    this.session = session;
    const { name, lane } = session.worker;
    this.state = {
      schema_version: SCHEMA_VERSION,
      question: params.question,
      route: 'search',
      worker: lane === null ? name : `${name}/${lane}`,
      expansion: null,
      passes: [],
      answered_by: null,
      notes: [],
    };
    mkdirSync(join(context.run.dir, RUN_FILES.ask), { recursive: true, mode: DIRECTORY_MODE });
  }

  /**
   * Chooses the chunks of a pass and makes jobs of them.
   *
   * @param all every chunk of the corpus, when they fit one job
   */
  async planPass(
    corpus: Corpus,
    questions: string[],
    pass: number,
    all: string[] | undefined,
  ): Promise<ChunkJob[]> {
    const chosen = await this.#choose(corpus, questions, all);
    for (const { chunkIds } of chosen.questions) for (const id of chunkIds) this.#chosen.add(id);
    const message =
      all === undefined
        ? 'searched the documents for the best chunks'
        : 'one job for all: everything fits one prompt';
    this.context.journal.append({ type: 'note', message });
    this.note(...(corpus.record.chunks === 0 ? ['there is no text in the documents'] : chosen.notes));
    const jobs = planJobs(corpus, chosen.questions, {
      prefix: `p${pass}-`,
      packTokens: this.params.pack_tokens,
      acrossDocuments: all !== undefined,
    });
    return [...jobs];
  }

  async #choose(corpus: Corpus, questions: string[], all: string[] | undefined): Promise<ChosenChunks> {
    const { question, top_k } = this.params;
    if (all !== undefined) return { questions: [{ question, chunkIds: all }], notes: [] };
    return chooseChunks(corpus, questions, {
      topK: top_k,
      expansion: this.state.expansion,
      embeddings: configuredEmbeddings(this.context.run.record.root, this.context.config.values),
      without: this.#chosen,
      signal: this.context.signal,
    });
  }

  /**
   * One chunk may spoil the answer about those packed with it: each of them is asked about alone, once the worker is
   * known to answer at all, or where that costs little.
   *
   * @param jobs those of a pass, after they were run
   */
  planApart(corpus: Corpus, jobs: readonly ChunkJob[], pass: number): ChunkJob[] {
    const { accepted, failed: failures } = this.context.journal.history;
    const failed = jobs.filter(({ record: { job_id }, chunks }) => {
      if (chunks.length === 1 || accepted.get(job_id) || !failures.get(job_id)) return false;
      return SPOILED.has(readResult(this.context, job_id)?.failure_class ?? null);
    });
    const chunks = failed.reduce((sum, job) => sum + job.chunks.length, 0);
    if (this.context.journal.progress.accepted === 0 && chunks > CHEAP_CHUNKS) return [];
    return failed.flatMap((job) => {
      const chunkIds = job.chunks.map(({ chunk_id }) => chunk_id);
      const { question } = job.record;
      return [...planJobs(corpus, [{ question, chunkIds }], { prefix: `p${pass}-apart-`, packTokens: 0 })];
    });
  }

  /** The question as the extractive reader weighs it; undefined when another worker reads. */
  async weighedQuestion(corpus: Corpus): Promise<Question | undefined> {
    if (this.session.worker.name !== 'extractive') return undefined;
    this.#weighed ??= await weighQuestion(corpus, this.params.question, this.context.signal);
    return this.#weighed;
  }

  /** @returns why it stopped early, or undefined */
  async dispatch(corpus: Corpus, jobs: ChunkJob[]): Promise<Stop | undefined> {
    if (jobs.length === 0) return undefined;
    const { accepted } = this.context.history;
    const weights = (await this.weighedQuestion(corpus))?.terms.map(({ weight }) => weight);
    const assignments = jobAssignments(this.session, this.context, this.params.timeout_sec, jobs, weights);
    return this.session.dispatch(assignments, {
      added: jobs.length,
      carried: jobs.filter(({ record }) => accepted.get(record.job_id)).length,
    });
  }

  /** What model calls besides the jobs are made within. */
  get steps(): StepContext {
    return { session: this.session, context: this.context, timeoutSec: this.params.timeout_sec };
  }

  /** Adds to the notes that are shown with the answer; each once. */
  note(...notes: string[]): void {
    this.state.notes.push(...notes.filter((note) => !this.state.notes.includes(note)));
  }

  save(): void {
    writeJsonAtomic(join(this.context.run.dir, RUN_FILES.askState), this.state);
  }
}
