import { z } from 'zod';
import { Budget } from '../contracts/index.ts';

/** What a batch was asked to do, kept in `activity.json`, so that any process can take it up again. Paths are absolute. */
export const BatchParams = z.object({
  /** Where relative `chunk_path` and `schema_path` start. */
  base_dir: z.string(),
  /** Directories that chunks and schemas must lie in; null for no such limit (a person at the command line). */
  allowed_roots: z.array(z.string()).nullable(),
  jobs_total: z.int().nonnegative(),
  worker: z.enum(['auto', 'codex', 'claude', 'command', 'extractive']),
  lane: z.enum(['auto', 'exec', 'app-server']),
  runner_script: z.string().nullable(),
  command: z.array(z.string()).nullable(),
  model: z.string().nullable(),
  effort: z.string().nullable(),
  profile: z.string().nullable(),
  codex_home: z.string().nullable(),
  worker_cwd: z.string().nullable(),
  skip_git_repo_check: z.boolean(),
  parallel: z.int().positive(),
  timeout_sec: z.int().positive(),
  idle_timeout_sec: z.int().positive(),
  retries: z.int().nonnegative(),
  budget: Budget,
  cache: z.boolean(),
});
export type BatchParams = z.infer<typeof BatchParams>;
