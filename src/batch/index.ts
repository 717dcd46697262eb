export { findJsonObject } from './answer.ts';
export { batchFlow, jobAssignments } from './flow.ts';
export { type Job, type JobPaths, readJobs } from './jobs.ts';
export { CHUNK_INSTRUCTIONS, chunkInput } from './prompt.ts';
export { type BatchRequest, prepareBatch, summaryPath } from './start.ts';
export { writeSummary } from './summary.ts';
