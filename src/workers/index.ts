export { createWorker } from './select.ts';
export type {
  MaterialPart,
  Sandbox,
  Worker,
  WorkerName,
  WorkRequest,
  WorkResult,
} from './worker.ts';
