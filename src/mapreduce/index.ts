export { type TaskAssignment, taskAssignment } from './assignment.ts';
export { boardOf } from './board.ts';
export { collectDeferred, type DeferredSummary, NONE_IDENTIFIED, summarizeDeferred } from './deferred.ts';
export { draftPath, publishDraft } from './draft.ts';
export { finalizePlan } from './finalize.ts';
export { planFlow } from './flow.ts';
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
export { type StageRequest, stageParams } from './params.ts';
export { createPlan, type PlanOptions, type PlanResult, readPlan, revisePlan } from './plan.ts';
export { hintPaths, workerPrompt } from './prompt.ts';
export { MAX_INFLIGHT, type ReadyOptions, type ReadyTasks, readyTasks, type WaitReason } from './ready.ts';
export {
  type Acceptance,
  acceptReport,
  countProgressNotes,
  lookAtReport,
  type ReportLook,
} from './report.ts';
export {
  addRequests,
  readRequests,
  type StandingOrder,
  takenBytes,
  writeRequests,
} from './requests.ts';
export { lineage, type RetryChange, retryTask } from './retry.ts';
export { type MissingPart, missingParts } from './run-contract.ts';
export { verifyStage, verifyTasks } from './verify.ts';
