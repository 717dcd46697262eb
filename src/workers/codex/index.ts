export { BINARY_VARIABLE, findCodex } from './binary.ts';
export { type CodexInspection, type CodexWorkerOptions, createCodexWorker, inspectCodex } from './codex.ts';
export type { CodexLogin } from './home.ts';
