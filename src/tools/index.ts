import { archive } from './archive.ts';
import { ask } from './ask.ts';
import { buildJobs } from './build-jobs.ts';
import { cancel } from './cancel.ts';
import { cleanup } from './cleanup.ts';
import { collectDeferred } from './collect-deferred.ts';
import { doctor } from './doctor.ts';
import { finalize } from './finalize.ts';
import { ingest } from './ingest.ts';
import { plan } from './plan.ts';
import { read } from './read.ts';
import { reduceEvidence } from './reduce-evidence.ts';
import { reduceInventory } from './reduce-inventory.ts';
import { resume } from './resume.ts';
import { runBatch } from './run-batch.ts';
import { runReady } from './run-ready.ts';
import { search } from './search.ts';
import { spawnWorker } from './spawn-worker.ts';
import { status } from './status.ts';
import type { Tool } from './tool.ts';
import { wait } from './wait.ts';

/** Every tool, in the order in which a client lists them. */
export const TOOLS: readonly Tool[] = [
  ask,
  ingest,
  search,
  read,
  buildJobs,
  runBatch,
  reduceEvidence,
  plan,
  runReady,
  spawnWorker,
  reduceInventory,
  collectDeferred,
  finalize,
  status,
  wait,
  cancel,
  resume,
  archive,
  cleanup,
  doctor,
];

export { callTool } from './call.ts';
export { createContext, findRoot } from './context.ts';
export { cut, jsonBytes, PAGE_BYTES, rowsOfOnePage } from './page.ts';
export { RunReport, readReport, reportRun, runUri } from './report.ts';
export { objectSchema } from './schema.ts';
export type { Tool } from './tool.ts';
