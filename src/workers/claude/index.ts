export { findClaude, probeClaude } from './binary.ts';
export { createClaudeWorker } from './claude.ts';
export { findLogin } from './login.ts';
export { canConfineShell } from './shell.ts';
