export { BINARY_VARIABLE, type CodexBinary, findCodex } from './binary.ts';
export { type CodexCapabilities, probeCodex } from './capabilities.ts';
export { type CodexWorkerOptions, createCodexWorker } from './codex.ts';
