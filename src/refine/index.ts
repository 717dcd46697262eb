export { applyRun, refineFlow } from './flow.ts';
export { prepareRefine } from './start.ts';
