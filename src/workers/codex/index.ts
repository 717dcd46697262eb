export { createCodexWorker, inspectCodex } from './codex.ts';
export { findCodexLogin } from './home.ts';
export { findCodex } from './installation.ts';
