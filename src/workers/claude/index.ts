export { CLAUDE_VARIABLE, type ClaudeCapabilities, findClaude, probeClaude } from './binary.ts';
export { type ClaudeWorkerOptions, createClaudeWorker } from './claude.ts';
export { type ClaudeLogin, findLogin, userConfigDirectory } from './login.ts';
