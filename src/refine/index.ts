export { refineFlow } from './flow.ts';
export { prepareRefine } from './start.ts';
export { applyPatch } from './worktree.ts';
