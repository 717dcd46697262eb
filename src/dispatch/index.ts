export type { Acceptance, Assignment, Piece, PreparedAssignment, Split, WorkCall } from './assignment.ts';
export { BudgetLedger, costOf, type Price } from './budget.ts';
export { AnswerCache } from './cache.ts';
export { type DispatchOptions, dispatch, type Stop } from './dispatch.ts';
export { endOfStop, type Flow, type FlowContext, type FlowEnd } from './flow.ts';
export { type History, readHistory } from './history.ts';
export { IdIndex } from './id-index.ts';
export { Journal, OutcomeReader, parseEvent, readEvents } from './journal.ts';
export type { RetryLimits } from './policy.ts';
