export { finalizeAnswer } from './answer.ts';
export { type BuiltJobs, buildJobs } from './build-jobs.ts';
export { chooseChunks } from './choose-chunks.ts';
export { ASK_FILES } from './files.ts';
export { askFlow } from './flow.ts';
export { ingestFlow, prepareIngest } from './ingest-flow.ts';
export { readReduced, reduceRun } from './reduce-run.ts';
export { type AskResult, readAskResult, readIngestReport } from './result.ts';
export { type AskRequest, prepareAsk } from './start.ts';
