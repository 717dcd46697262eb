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
import { refine } from './refine.ts';
import { resume } from './resume.ts';
import { runBatch } from './run-batch.ts';
import { runReady } from './run-ready.ts';
import { search } from './search.ts';
import { spawnWorker } from './spawn-worker.ts';
import { status } from './status.ts';
import { type Tool, withHandler } from './tool.ts';
import { wait } from './wait.ts';

/** Every tool, in the order in which a client lists them. */
export const TOOLS: readonly Tool[] = [
  withHandler(ask, async () => (await import('./handlers/ask.ts')).handleAsk),
  withHandler(ingest, async () => (await import('./handlers/ask.ts')).handleIngest),
  withHandler(search, async () => (await import('./handlers/corpus.ts')).handleSearch),
  withHandler(read, async () => (await import('./handlers/corpus.ts')).handleRead),
  withHandler(buildJobs, async () => (await import('./handlers/ask.ts')).handleBuildJobs),
  withHandler(runBatch, async () => (await import('./handlers/run-batch.ts')).handleRunBatch),
  withHandler(reduceEvidence, async () => (await import('./handlers/ask.ts')).handleReduceEvidence),
  withHandler(plan, async () => (await import('./handlers/plan.ts')).handlePlan),
  withHandler(runReady, async () => (await import('./handlers/launch.ts')).handleRunReady),
  withHandler(spawnWorker, async () => (await import('./handlers/launch.ts')).handleSpawnWorker),
  withHandler(reduceInventory, async () => (await import('./handlers/plan.ts')).handleReduceInventory),
  withHandler(collectDeferred, async () => (await import('./handlers/plan.ts')).handleCollectDeferred),
  withHandler(finalize, async () => (await import('./handlers/finalize.ts')).handleFinalize),
  withHandler(refine, async () => (await import('./handlers/refine.ts')).handleRefine),
  withHandler(status, async () => (await import('./handlers/status.ts')).handleStatus),
  withHandler(wait, async () => (await import('./handlers/runs.ts')).handleWait),
  withHandler(cancel, async () => (await import('./handlers/runs.ts')).handleCancel),
  withHandler(resume, async () => (await import('./handlers/resume.ts')).handleResume),
  withHandler(archive, async () => (await import('./handlers/retention.ts')).handleArchive),
  withHandler(cleanup, async () => (await import('./handlers/retention.ts')).handleCleanup),
  withHandler(doctor, async () => (await import('./handlers/doctor.ts')).handleDoctor),
];

export { callTool, createContext, findRoot } from './call.ts';
export { clientSchema, objectSchema } from './schema.ts';
export { inputFor, type Tool, type ToolContext } from './tool.ts';
