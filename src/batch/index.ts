export { findJsonObject } from './answer.ts';
export { CHUNK_INSTRUCTIONS, chunkInput } from './chunk.ts';
export { batchFlow, jobAssignments } from './flow.ts';
export { type Job, type JobPaths, readJobs } from './jobs.ts';
export { prepareBatch } from './request.ts';
export { standardSchemaPath } from './schema.ts';
export { writeSummary } from './summary.ts';
