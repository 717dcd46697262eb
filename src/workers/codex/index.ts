export { createCodexWorker, inspectCodex, requireCodex } from './codex.ts';
export { findCodexLogin } from './home.ts';
export { findCodex } from './installation.ts';
