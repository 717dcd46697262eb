import {
  type EvidenceFile,
  type FinalAnswer,
  SYNTHESIS_LIMITS,
  SynthesisAnswer,
} from '../contracts/index.ts';
import type { Stop } from '../dispatch/index.ts';
import {
  checkSynthesis,
  composeAnswer,
  groupEvidence,
  mergeInput,
  offeredNumbers,
  type Reduced,
  SYNTHESIS_INSTRUCTIONS,
  synthesisInput,
  withReportedConflicts,
} from '../evidence/index.ts';
import { runModelSteps, type StepContext } from './model-step.ts';

/** Evidence that goes into one call, tokens; more is answered in groups, and the answers merged. */
const EVIDENCE_TOKENS = 24_000;

/** What a model made of the evidence. */
export interface Synthesis {
  answer: SynthesisAnswer;
  /** The evidence as it was numbered: a later pass numbers anew. */
  items: EvidenceFile['items'];
  /** Contradictions among them that were found by comparing texts. */
  conflicts: EvidenceFile['conflicts'];
  /** Pieces of evidence that no call has read, because theirs gave nothing that holds. */
  unread: number;
}

/**
 * Lets a model write the answer from numbered evidence, over several levels when it does not fit one call.
 *
 * @param within.pass makes the ids of the calls unique: each pass has more evidence
 * @returns no synthesis when nothing that the model wrote was accepted, and then why; or when the run stopped
 */
export async function synthesise(
  question: string,
  { items, conflicts }: Pick<EvidenceFile, 'items' | 'conflicts'>,
  within: StepContext & { pass: number },
): Promise<{ synthesis: Synthesis | undefined; stop: Stop | undefined; failure: string | undefined }> {
  const id = `synthesis-p${within.pass}`;
  const groups = groupEvidence(items, EVIDENCE_TOKENS);
  const common = { instructions: SYNTHESIS_INSTRUCTIONS, schema: SynthesisAnswer };
  const first = await runModelSteps(
    groups.map((group, index) => ({
      ...common,
      id: groups.length === 1 ? id : `${id}-${index + 1}`,
      input: synthesisInput(question, group, conflicts),
      check: checker(question, items, new Set(group.map(({ number }) => number))),
    })),
    within,
  );
  let partial = first.answers.filter((answer) => answer !== undefined);
  let { stop } = first;
  for (let level = 1; partial.length > 1 && stop === undefined; level += 1) {
    const together = inGroups(partial);
    const merged = await runModelSteps(
      together.map((answers, index) => ({
        ...common,
        id: `${id}-merge${level}-${index + 1}`,
        input: mergeInput(question, answers),
        check: checker(question, items, offeredNumbers(answers)),
      })),
      within,
    );
    stop = merged.stop;
    // A merge that failed leaves its parts' claims as they are, side by side.
    partial = merged.answers.map((answer, index) => answer ?? sideBySide(together[index] ?? []));
  }
  const [answer] = partial;
  if (answer === undefined || stop !== undefined)
    return { synthesis: undefined, stop, failure: first.failure };
  const unread = groups.reduce(
    (sum, group, index) => sum + (first.answers[index] === undefined ? group.length : 0),
    0,
  );
  return { synthesis: { answer, items, conflicts, unread }, stop, failure: undefined };
}

/** The final answer of a synthesis, with the gaps and the coverage of what has been read by now. */
export function answerOf(
  question: string,
  { answer, items, conflicts, unread }: Synthesis,
  { evidence, coverage }: Reduced,
): FinalAnswer {
  const left =
    unread === 0
      ? []
      : [`${unread} of ${items.length} pieces of evidence are not in this answer: see reduce/evidence.json.`];
  const whole = { ...answer, gaps: [...left, ...answer.gaps] };
  return composeAnswer({ question, answer: whole, evidence: { ...evidence, items, conflicts }, coverage });
}

/**
 * A synthesis without the claims whose evidence is not verified any more.
 *
 * @returns and what was dropped, in words for the gaps of the answer
 */
export function withoutMissing(
  { answer, ...numbered }: Synthesis,
  evidence: EvidenceFile,
): { synthesis: Synthesis; dropped: string[] } {
  const { items } = numbered;
  const isVerified = (number: number) => itemNow(items[number - 1], evidence) !== undefined;
  const dropped: string[] = [];
  const claims = answer.claims.flatMap((claim) => {
    const numbers = claim.evidence.filter(isVerified);
    if (numbers.length > 0) return [{ ...claim, evidence: numbers }];
    const sources = new Set(claim.evidence.map((number) => items[number - 1]?.source ?? ''));
    dropped.push(
      `A statement was dropped: ${[...sources].join(', ')} changed while the question was answered.`,
    );
    return [];
  });
  const conflicts = answer.conflicts.filter((conflict) => conflict.evidence.every(isVerified));
  const found = numbered.conflicts.filter(({ evidence_ids }) =>
    items.every((item) => !evidence_ids.includes(item.evidence_id) || itemNow(item, evidence) !== undefined),
  );
  return {
    synthesis: { ...numbered, answer: { ...answer, claims, conflicts }, conflicts: found },
    dropped,
  };
}

/**
 * The evidence with the contradictions that the synthesis names: as ids of the evidence as it is now, for a later
 * pass may have joined spans and numbers them anew.
 */
export function withConflictsOf({ answer, items }: Synthesis, evidence: EvidenceFile): EvidenceFile {
  const idOf = (number: number) => itemNow(items[number - 1], evidence)?.evidence_id ?? [];
  const reported = answer.conflicts.map((conflict) => ({
    evidence_ids: conflict.evidence.flatMap(idOf),
    description: conflict.text,
  }));
  return withReportedConflicts(evidence, reported);
}

type Item = EvidenceFile['items'][number];

/** The verified span that a numbered piece of evidence is part of now. */
function itemNow(item: Item | undefined, evidence: EvidenceFile): Item | undefined {
  return evidence.items.find(
    ({ source, byte_start, byte_end }) =>
      source === item?.source && byte_start <= item.byte_start && item.byte_end <= byte_end,
  );
}

function checker(question: string, items: EvidenceFile['items'], offered: ReadonlySet<number>) {
  return (answer: SynthesisAnswer): string[] => {
    const checked = checkSynthesis(answer, question, items, offered);
    return checked.ok ? [] : checked.problems;
  };
}

/** Partial answers that are merged in one call. */
const MERGED_AT_ONCE = 6;

function inGroups(answers: SynthesisAnswer[]): SynthesisAnswer[][] {
  const groups: SynthesisAnswer[][] = [];
  for (let at = 0; at < answers.length; at += MERGED_AT_ONCE)
    groups.push(answers.slice(at, at + MERGED_AT_ONCE));
  return groups;
}

/** All that partial answers say, as far as one answer has room for it. */
function sideBySide(answers: SynthesisAnswer[]): SynthesisAnswer {
  return {
    claims: answers.flatMap(({ claims }) => claims).slice(0, SYNTHESIS_LIMITS.claims),
    conflicts: answers.flatMap(({ conflicts }) => conflicts).slice(0, SYNTHESIS_LIMITS.conflicts),
    gaps: [...new Set(answers.flatMap(({ gaps }) => gaps))].slice(0, SYNTHESIS_LIMITS.gaps),
    confidence: Math.min(1, ...answers.map(({ confidence }) => confidence)),
  };
}
