export { TEMPLATES } from './address.ts';
export { readSummaryHead } from './jobs.ts';
export { jsonBytes, PAGE_BYTES, rowsOfOnePage } from './page.ts';
export { readResource } from './read.ts';
export { RefineSummary, summarizeRefine } from './refine.ts';
export { NextSteps, RunReport, readReport, readTasks, reportResult, reportRun, runUri } from './report.ts';
