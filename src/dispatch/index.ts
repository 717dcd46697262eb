export type { Acceptance, Assignment, Piece, PreparedAssignment, Split } from './assignment.ts';
export { attemptLog } from './attempts.ts';
export { BudgetLedger, costOf } from './budget.ts';
export { AnswerCache } from './cache.ts';
export { Draft, type LeftFile } from './draft.ts';
export { endOfStop, type Flow, type FlowContext, type FlowEnd } from './flow.ts';
export { IdIndex, quickHash } from './id-index.ts';
export type { History } from './journal.ts';
export { Journal, parseEvent, ResultReader, readEvents, readHistory } from './journal.ts';
export type { Stop } from './policy.ts';
export { WorkSession } from './session.ts';
export {
  type Caller,
  requireKind,
  requirePrice,
  resolveWork,
  WorkParams,
  type WorkRequest,
} from './work-params.ts';
