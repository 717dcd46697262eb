export { type Completion, complete, completionOf } from './complete.ts';
export { listResources, listTemplates } from './list.ts';
export { readResource } from './read.ts';
export { watchRuns } from './watch.ts';
