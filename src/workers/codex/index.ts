export { findCodex } from './binary.ts';
export { createCodexWorker, inspectCodex } from './codex.ts';
export { findCodexLogin } from './login.ts';
