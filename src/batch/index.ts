export { batchFlow } from './flow.ts';
export { type BatchRequest, type Caller, prepareBatch, summaryPath } from './start.ts';
