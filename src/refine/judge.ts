import type { IterationRecord, RefineLine, RefineParams } from '../contracts/index.ts';
import { oneLine } from '../text/index.ts';
import type { LineEnd } from './context.ts';
import { rememberTried } from './prompts.ts';
import type { Validation } from './validator.ts';

/** Iterations in a row without progress after which a line ends. */
const MAX_NO_PROGRESS = 2;

/** An iteration as it is judged. */
export interface Judged {
  record: IterationRecord;
  /** undefined when there is no validator, or it was not run. */
  validation: Validation | undefined;
  /** A protected file was changed, and that ends the run. */
  stops: boolean;
  /** Something changed, and the model said something. */
  progress: boolean;
}

/**
 * Counts an iteration into the state of its line, and says whether the line ends with it. It passes when the validator
 * does and no fewer tests ran than before; it is stuck after the same failure too often, or without progress.
 */
export function judgeIteration(
  state: RefineLine,
  params: RefineParams,
  { record, validation, stops, progress }: Judged,
): LineEnd | undefined {
  const before = state.last;
  state.iterations = record.iteration;
  if (validation !== undefined) state.last = validation.run;
  if (stops) {
    const paths = record.tampered.map(({ path }) => path).join(', ');
    return { ended: 'tampered', reason: `protected files were changed: ${oneLine(paths, 400)}` };
  }
  if (validation?.cannotStart !== undefined) return { ended: 'error', reason: validation.cannotStart };
  const fewer = fewerTests(state, validation);
  if (validation?.run.passed === true && params.metric === null && fewer === undefined)
    return { ended: 'passed' };

  const said = fewer ?? validation?.run.failures[0] ?? `exit code ${validation?.run.exit_code}`;
  const tried = `Iteration ${state.iterations}: ${record.summary ?? 'no summary'}`;
  state.tried = rememberTried(state.tried, params.validator === null ? tried : `${tried} -> ${said}`);
  state.no_progress = progress ? 0 : state.no_progress + 1;
  if (state.no_progress >= MAX_NO_PROGRESS) {
    return completeLine(state, params, 'stuck', `${MAX_NO_PROGRESS} iterations in a row changed nothing`);
  }
  if (validation === undefined) return undefined;
  // A run with fewer tests than before is its own kind of failure.
  const fingerprint = fewer === undefined ? validation.run.fingerprint : 'fewer tests';
  const last = state.iterations > 1 ? (before?.fingerprint ?? 'fewer tests') : undefined;
  state.same_failures = fingerprint !== null && fingerprint === last ? state.same_failures + 1 : 1;
  const limit = params.stop_after_same;
  if (limit > 0 && state.same_failures >= limit && params.metric === null) {
    return completeLine(state, params, 'stuck', `the same failure after ${limit} turns: ${said}`);
  }
  return undefined;
}

/** Whether the next turn is told to start afresh: one more of the same failure ends the line. */
export function startsAfresh({ same_failures }: RefineLine, { stop_after_same }: RefineParams): boolean {
  return stop_after_same > 0 && same_failures >= Math.max(1, stop_after_same - 1);
}

/** Whether a metric is no better than the best so far, or the validator failed beside it. */
export function isWorse(
  { best }: RefineLine,
  params: RefineParams,
  validation: Validation | undefined,
  metric: number | null,
): boolean {
  if (metric === null || validation?.run.passed === false) return true;
  if (best === null) return false;
  return params.metric?.minimize === true ? metric >= best.metric : metric <= best.metric;
}

/** Without a validator there is nothing to pass: what was asked for is done when the limits are used up. */
export function completeLine(
  { best }: RefineLine,
  params: RefineParams,
  ended: 'max_iterations' | 'max_minutes' | 'stuck',
  reason: string,
): LineEnd {
  if (params.metric !== null && best !== null && best.iteration > 0) {
    return {
      ended: params.validator === null ? 'budget_complete' : 'passed',
      reason: `best metric ${best.metric}; ${reason}`,
    };
  }
  if (params.validator === null && ended !== 'stuck') return { ended: 'budget_complete', reason };
  return { ended, reason };
}

/** Why a green result does not count: tests of before did not run. */
function fewerTests({ baseline }: RefineLine, validation: Validation | undefined): string | undefined {
  const before = baseline?.tests?.ran;
  const now = validation?.run.tests?.ran;
  if (validation?.run.passed !== true || before === undefined) return undefined;
  if (now !== undefined && now >= before) return undefined;
  return `it passed, but ${now ?? 'no'} tests ran where ${before} ran before`;
}
