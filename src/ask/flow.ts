import { writeSummary } from '../batch/index.ts';
import { type Corpus, openCorpus } from '../corpus/index.ts';
import {
  endOfStop,
  endOfWork,
  type FlowContext,
  type FlowEnd,
  type Stop,
  WorkSession,
} from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { type Found, writeAnswer } from './answer.ts';
import { everyChunk, expandQuestion, gapsToFollow } from './choose-chunks.ts';
import { ingestDocuments } from './documents.ts';
import { type ChunkJob, writeJobs } from './jobs.ts';
import { previewAsk } from './preview.ts';
import { reduceJobs } from './reduce-run.ts';
import { AskParams } from './request.ts';
import { AskRun } from './run.ts';
import { synthesise } from './synthesise.ts';

/**
 * A question over documents, end to end: ingest, expand, choose chunks, jobs, evidence, synthesis, follow-up for
 * what was left open, gate. A resume continues each step where it was: documents that did not change are not read
 * again, and neither jobs nor model calls whose answers are valid are made again.
 *
 * Quota and budget end the work early with a partial answer over what was read; its coverage says how much.
 */
export async function askFlow(context: FlowContext): Promise<FlowEnd> {
  const params = AskParams.parse(context.params);
  const session = await WorkSession.open(context, params);
  try {
    return await answerQuestion(new AskRun(context, params, session));
  } catch (error) {
    if (context.signal.aborted) return { state: 'cancelled', reason: 'cancelled' };
    throw error;
  } finally {
    await session.close();
  }
}

async function answerQuestion(ask: AskRun): Promise<FlowEnd> {
  const began = performance.now();
  await ingestDocuments(ask.context, ask.params);
  const corpus = await openCorpus(ask.context.run.dir);
  const all = everyChunk(corpus, ask.params.pack_tokens);
  ask.state.route = all === undefined ? 'search' : 'single';
  if (ask.params.dry_run) return previewAsk(ask, corpus, all);
  const expansion = all === undefined ? await expand(ask) : undefined;
  if (expansion !== undefined) return endOfStop(expansion);

  const { found, stop } = await runPasses(ask, corpus, all);
  const end: FlowEnd = stop === undefined ? completed(ask, found) : endOfStop(stop);
  // After a cancel, or with a login that does not work, there is no partial answer.
  if (stop !== undefined && end.state !== 'input_required') return end;
  if (stop !== undefined) ask.note(`partial answer: ${end.reason}`);
  await writeAnswer(ask, corpus, found);
  const { run, journal } = ask.context;
  const outputs = found.jobs.map(({ record }) => ({ id: record.job_id, output: record.output_path }));
  const head = { runDir: run.dir, state: end.state, reason: end.reason ?? null, stop };
  const durationMs = performance.now() - began;
  await writeSummary({ ...head, history: journal.history, durationMs }, outputs);
  return end;
}

/** The calls about chunks decide: without a synthesis the answer is the documents' own words. */
function completed({ context, session, params }: AskRun, { reduced }: Found): FlowEnd {
  const { failed, total } = context.journal.progress;
  const { jobs_accepted: accepted, jobs_failed } = reduced.evidence.counts;
  const notes = [
    ...(failed > jobs_failed ? [`${failed} of ${total} calls failed`] : []),
    ...(session.withoutModel(params) ? [`no model answered: ${session.why}`] : []),
  ];
  return endOfWork({ accepted, total: accepted + jobs_failed }, 'jobs failed', notes);
}

async function expand(ask: AskRun): Promise<Stop | undefined> {
  if (!ask.params.expand || ask.session.model === null) return undefined;
  const { expansion, stop } = await expandQuestion(ask.params.question, ask.steps);
  ask.state.expansion = expansion;
  if (expansion === null && stop === undefined) ask.note('the question was searched as it is: no expansion');
  ask.save();
  return stop;
}

/** The first pass, and follow-ups while something is open that other chunks may answer. */
async function runPasses(
  ask: AskRun,
  corpus: Corpus,
  all: string[] | undefined,
): Promise<{ found: Found; stop: Stop | undefined }> {
  const { question, follow_ups } = ask.params;
  let questions = [question];
  let found: Found | undefined;
  for (let pass = 1; pass <= follow_ups + 1; pass += 1) {
    const jobs = await ask.planPass(corpus, questions, pass, all);
    if (found !== undefined && jobs.length === 0) break;
    ask.state.passes.push({
      questions,
      chunks: jobs.reduce((sum, { chunks }) => sum + chunks.length, 0),
      jobs: jobs.length,
      chosen_by: all === undefined ? 'search' : 'all',
    });
    ask.save();
    const soFar: ChunkJob[] = [...(found?.jobs ?? [])];
    const stopped = await runJobs(ask, corpus, { soFar, jobs, pass });
    const reduced = await reduceJobs(corpus, soFar, ask.context.journal.history);
    found = { jobs: soFar, reduced, synthesis: found?.synthesis, synthesisFailure: undefined };
    const stop = stopped ?? (await synthesiseInto(found, ask, pass));
    if (stop !== undefined) return { found, stop };
    // Follow-ups need chunks that were not read yet, and a worker that answers.
    if (all !== undefined || reduced.evidence.counts.jobs_accepted === 0) break;
    questions = gapsToFollow(question, reduced.evidence, found.synthesis?.answer.gaps);
    if (questions.length === 0) break;
  }
  if (found === undefined) throw new RlmError('internal', 'an ask made no pass');
  return { found, stop: undefined };
}

/** Runs the jobs of a pass, and those over single chunks that their failures call for; all are added to `soFar`. */
async function runJobs(
  ask: AskRun,
  corpus: Corpus,
  { soFar, jobs, pass }: { soFar: ChunkJob[]; jobs: ChunkJob[]; pass: number },
): Promise<Stop | undefined> {
  soFar.push(...jobs);
  await writeJobs(corpus.runDir, soFar);
  const stop = await ask.dispatch(corpus, jobs);
  const apart = stop === undefined ? ask.planApart(corpus, jobs, pass) : [];
  if (apart.length === 0) return stop;
  ask.note(`jobs over several chunks failed: ${apart.length} chunks were asked about one by one`);
  soFar.push(...apart);
  await writeJobs(corpus.runDir, soFar);
  return ask.dispatch(corpus, apart);
}

/** Lets a model write the answer, if there is one; what it wrote is put into `found`. */
async function synthesiseInto(found: Found, ask: AskRun, pass: number): Promise<Stop | undefined> {
  const { evidence } = found.reduced;
  if (ask.session.model === null || evidence.items.length === 0) return undefined;
  const step = await synthesise(ask.params.question, evidence, { ...ask.steps, pass });
  found.synthesis = step.synthesis ?? found.synthesis;
  found.synthesisFailure = step.failure;
  if (step.failure !== undefined) ask.note(`pass ${pass}: no synthesis was accepted (${step.failure})`);
  return step.stop;
}
