export { finalizeAnswer } from './answer.ts';
export { chooseChunks } from './choose-chunks.ts';
export { askFlow } from './flow.ts';
export { ingestFlow, prepareIngest } from './ingest-flow.ts';
export { buildJobs } from './jobs.ts';
export { readReduced, reduceRun } from './reduce-run.ts';
export { prepareAsk } from './request.ts';
export { readAskResult, readIngestReport } from './result.ts';
