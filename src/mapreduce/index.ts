export { type TaskAssignment, taskAssignment, WORKER_SKILL } from './assignment.ts';
export { collectDeferred, type DeferredSummary, NONE_IDENTIFIED, summarizeDeferred } from './deferred.ts';
export { FinalInput, finalizePlan } from './finalize.ts';
export { InflightLog, isRunning, type LaunchEnd, readInflight } from './inflight.ts';
export {
  type AttentionRow,
  type InventorySummary,
  lookAtTasks,
  STALE_SECONDS,
  summarizeInventory,
  takeInventory,
} from './inventory.ts';
export { PLAN_FILES } from './layout.ts';
export { createPlan, type PlanOptions, type PlanResult, readPlan, revisePlan } from './plan.ts';
export { ContractInput, PlanInput, TaskInput } from './plan-input.ts';
export { hintPaths, workerPrompt } from './prompt.ts';
export { MAX_INFLIGHT, type ReadyOptions, type ReadyTasks, readyTasks, type WaitReason } from './ready.ts';
export { type Acceptance, acceptReport, lookAtReport, progressNotes, type ReportLook } from './report.ts';
export { lineage, type RetryChange, retryTask } from './retry.ts';
export { type MissingPart, missingParts } from './run-contract.ts';
export { MAX_VERIFY_TOPICS, VerifyInput, verifyStage, verifyTasks } from './verify.ts';
