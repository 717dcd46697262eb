export { createClaudeWorker, findClaude, findLogin as findClaudeLogin, probeClaude } from './claude/index.ts';
export { createCodexWorker, findCodex, findCodexLogin, inspectCodex } from './codex/index.ts';
export { currentDepth, DEPTH_VARIABLE, RUN_VARIABLE, workerEnvironment } from './environment.ts';
export { questionStems, rankQuotes, rarityIn } from './extractive/index.ts';
export { Launcher } from './launcher.ts';
export { serveLauncher } from './launcher-process.ts';
export { askProgram } from './probe.ts';
export { killAllGroups, launchThrough } from './process.ts';
export { createWorker } from './select.ts';
export { endSurvivors } from './survivors.ts';
export type {
  MaterialPart,
  Sandbox,
  Worker,
  WorkerName,
  WorkRequest,
  WorkResult,
} from './worker.ts';
