export { findClaude, probeClaude } from './binary.ts';
export { createClaudeWorker } from './claude.ts';
export { findLogin } from './login.ts';
