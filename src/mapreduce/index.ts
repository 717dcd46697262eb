export { taskAssignment } from './assignment.ts';
export { boardOf } from './board.ts';
export { collectDeferred, summarizeDeferred } from './deferred.ts';
export { draftPath, publishDraft } from './draft.ts';
export { finalizePlan } from './finalize.ts';
export { planFlow } from './flow.ts';
export { InflightLog } from './inflight.ts';
export {
  lookAtTasks,
  summarizeInventory,
  takeInventory,
} from './inventory.ts';
export { PLAN_FILES } from './layout.ts';
export { type StageRequest, stageParams } from './params.ts';
export { createPlan, type PlanResult, readPlan, revisePlan } from './plan.ts';
export { MAX_INFLIGHT, type ReadyOptions, type ReadyTasks, readyTasks } from './ready.ts';
export { countProgressNotes } from './report.ts';
export {
  addRequests,
  readRequests,
  type StandingOrder,
  takenBytes,
  writeRequests,
} from './requests.ts';
export { lineage, retryTask } from './retry.ts';
export { verifyStage, verifyTasks } from './verify.ts';
