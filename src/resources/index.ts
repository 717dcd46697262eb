export { jobUri, TEMPLATES } from './address.ts';
export { type ResourceText, readResource } from './read.ts';
export {
  jsonBytes,
  NextSteps,
  PAGE_BYTES,
  RunReport,
  readReport,
  reportRun,
  rowsOfOnePage,
  runUri,
} from './report.ts';
