import { z } from 'zod';
import { WorkParams } from '../dispatch/index.ts';

/** What a batch was asked to do: who works, and where the paths of its jobs start and may lead. */
export const BatchParams = WorkParams.extend({
  /** Where relative `chunk_path` and `schema_path` start. */
  base_dir: z.string(),
  /** Directories that chunks and schemas must lie in; null for no such limit (a person at the command line). */
  allowed_roots: z.array(z.string()).nullable(),
  jobs_total: z.int().nonnegative(),
});
export type BatchParams = z.infer<typeof BatchParams>;
