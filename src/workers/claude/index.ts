export { canConfineShell } from './arguments.ts';
export { createClaudeWorker } from './claude.ts';
export { findClaude, findLogin, probeClaude } from './installation.ts';
