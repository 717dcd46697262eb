export { finalizeAnswer } from './answer.ts';
export { checkAnswerFile, readAnswer } from './check-answer.ts';
export { allChunks, chooseChunks } from './choose-chunks.ts';
export { ingestFlow, prepareIngest } from './documents.ts';
export { askFlow } from './flow.ts';
export { buildJobs, type QuestionChunks } from './jobs.ts';
export { readReduced, reduceRun } from './reduce-run.ts';
export { prepareAsk } from './request.ts';
export { readAnswerMarkdown, readAskResult, readIngestReport } from './result.ts';
