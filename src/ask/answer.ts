import { dirname, join } from 'node:path';
import type { FinalAnswer } from '../contracts/index.ts';
import { RUN_FILES } from '../contracts/index.ts';
import type { Corpus } from '../corpus/index.ts';
import {
  addGaps,
  type GateResult,
  gateAnswer,
  gateError,
  type Reduced,
  writeEvidence,
} from '../evidence/index.ts';
import { ensureDirectory, writeJsonAtomic } from '../files/index.ts';
import type { ChunkJob } from './jobs.ts';
import { quotedAnswer } from './quoted-answer.ts';
import { reduceJobs, sourceReader } from './reduce-run.ts';
import type { AskRun } from './run.ts';
import { answerOf, type Synthesis, withConflictsOf, withoutMissing } from './synthesise.ts';

/** What the passes of an ask gave. */
export interface Found {
  jobs: ChunkJob[];
  reduced: Reduced;
  /** What a model wrote from the evidence of the last pass in which one did. */
  synthesis: Synthesis | undefined;
  /** Why the last pass has none. */
  synthesisFailure: string | undefined;
}

/**
 * Writes the synthesis as the answer; the documents' own words where there is none, or the gate refuses it.
 *
 * A document that changed or vanished since it was read does not fail the others: the evidence is verified once
 * more, and the answer rests on what is left of it.
 */
export async function writeAnswer(ask: AskRun, corpus: Corpus, found: Found): Promise<void> {
  let refused = await tryAnswer(ask, corpus, found);
  if (refused?.some(({ code }) => code === 'source_changed')) {
    ask.note('documents changed while the question was answered: what rested on them was dropped');
    const reduced = await reduceJobs(corpus, found.jobs, ask.context.journal.history);
    refused = await tryAnswer(ask, corpus, { ...found, reduced });
  }
  if (refused !== undefined) throw gateError(refused);
}

type Problems = Extract<GateResult, { ok: false }>['problems'];

/** @returns why neither the synthesis nor the quotes were accepted */
async function tryAnswer(ask: AskRun, corpus: Corpus, found: Found): Promise<Problems | undefined> {
  const { question } = ask.params;
  const { reduced } = found;
  let failure = found.synthesisFailure;
  if (found.synthesis !== undefined) {
    const { synthesis, dropped } = withoutMissing(found.synthesis, reduced.evidence);
    const gaps = [
      ...ownGaps(ask),
      ...dropped,
      ...(failure === undefined
        ? []
        : [`What was found last is not in this answer: no further synthesis was accepted (${failure}).`]),
    ];
    const evidence = withConflictsOf(synthesis, reduced.evidence);
    const candidate = addGaps(answerOf(question, synthesis, reduced), gaps);
    const result = passGate(corpus, candidate, { ...reduced, evidence });
    if (result.ok) {
      ask.state.answered_by = 'synthesis';
      ask.save();
      return undefined;
    }
    if (result.problems.some(({ code }) => code === 'source_changed')) return result.problems;
    failure = gateError(result.problems).message.slice(0, 500);
    ask.note(`the synthesis was refused: ${failure}`);
  }
  const gaps = [
    ...ownGaps(ask),
    ...(failure === undefined
      ? []
      : [
          `A model was asked to write the answer, and what it wrote was not accepted (${failure}): these are the quotes alone.`,
        ]),
  ];
  const quoted = quotedAnswer(question, reduced, await ask.weighedQuestion(corpus));
  const result = passGate(corpus, addGaps(quoted, gaps), reduced);
  if (!result.ok) return result.problems;
  ask.state.answered_by = 'extractive';
  ask.save();
  return undefined;
}

/** What a reader must know about how the answer came about. */
function ownGaps({ session, params }: AskRun): string[] {
  if (!session.withoutModel(params)) return [];
  return [`No model answered, so passages were chosen by their words: ${session.why}.`];
}

/**
 * Passes an answer through the gate and writes `out/answer.json`; `reduce/evidence.json` then tells which spans
 * each citation means.
 *
 * @param options.checkStatements whether statements without a citation are looked for: somebody else wrote it
 * @returns the answer as it was written, the sentences that claimed an absence and became gaps in it, and the
 *   statements without a citation that its gaps name
 * @throws RlmError `usage` with every problem, in words that its author can act on
 */
export function finalizeAnswer(
  corpus: Corpus,
  candidate: unknown,
  reduced: Reduced,
  options: { checkStatements?: boolean } = {},
): { answer: FinalAnswer; moved: string[]; uncited: string[] } {
  const result = passGate(corpus, candidate, reduced, options);
  if (!result.ok) throw gateError(result.problems);
  const { answer, moved, uncited } = result;
  return { answer, moved, uncited };
}

/** The only way to `out/answer.json`. */
function passGate(
  corpus: Corpus,
  candidate: unknown,
  reduced: Reduced,
  options: { checkStatements?: boolean } = {},
): GateResult {
  const reader = sourceReader(corpus);
  try {
    const result = gateAnswer(candidate, { ...reduced, reader, ...options });
    if (result.ok) {
      writeEvidence(corpus.runDir, result.evidence);
      const path = join(corpus.runDir, RUN_FILES.answer);
      ensureDirectory(dirname(path));
      writeJsonAtomic(path, result.answer, { sync: true });
    }
    return result;
  } finally {
    reader.close();
  }
}
