import type { RunKind } from '../contracts/index.ts';
import type { Flow } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';

/** The flow behind a kind of run, loaded when its driver starts. */
export async function flowOf(kind: RunKind): Promise<Flow> {
  switch (kind) {
    case 'batch':
      return (await import('../batch/index.ts')).batchFlow;
    case 'ask':
      return (await import('../ask/index.ts')).askFlow;
    case 'ingest':
      return (await import('../ask/index.ts')).ingestFlow;
    case 'plan':
      return (await import('../mapreduce/index.ts')).planFlow;
    case 'refine':
      return (await import('../refine/index.ts')).refineFlow;
    default:
      throw new RlmError('unavailable', `no background work is known for a run of kind '${kind}'`);
  }
}
