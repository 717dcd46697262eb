import { z } from 'zod';
import { Usage } from '../contracts/index.ts';

/** One thing that was looked at: how it is, and what to do when it is not well. */
export const Finding = z.object({
  check: z.string().describe('What was looked at, such as codex or disk'),
  status: z
    .enum(['ok', 'warn', 'fail'])
    .describe('fail: something asked for cannot work; warn: it can, with less'),
  detail: z.string().describe('What was found'),
  fix: z.string().nullable().describe('What to do about it; null when there is nothing to do'),
});
export type Finding = z.infer<typeof Finding>;

/** A worker program as it is installed. */
export const InstalledWorker = z.object({
  worker: z.enum(['codex', 'claude']),
  path: z.string(),
  version: z.string(),
  login: z
    .string()
    .nullable()
    .describe('Where the login is; null when none was found. The login itself is never read'),
  lanes: z.array(
    z.object({
      lane: z.string(),
      request_bytes: z
        .int()
        .nullable()
        .describe(
          'One request besides its question and chunk, measured against a model on loopback; null when it failed',
        ),
    }),
  ),
});
export type InstalledWorker = z.infer<typeof InstalledWorker>;

/** A value that is not the default, and who says so. */
export const Setting = z.object({
  key: z.string(),
  value: z.string(),
  origin: z.string().describe('A file, or environment'),
});
export type Setting = z.infer<typeof Setting>;

/** The token baseline of the controller's document: one real call, its usage interpreted. */
export const Baseline = z.object({
  worker: z.string(),
  model: z.string().nullable(),
  usage: Usage,
  cost_usd: z.number().nonnegative().nullable().describe('As the worker says; null when it does not'),
  duration_ms: z.int().nonnegative(),
  prompt_tokens: z.int().describe('Of what we sent, estimated'),
  answer_tokens: z.int().describe('Of the text that came back, estimated'),
  reading: z.array(z.string()).describe('What the numbers mean'),
});
export type Baseline = z.infer<typeof Baseline>;

/** Everything a doctor found; under 8 kB. */
export const DoctorReport = z.object({
  healthy: z.boolean().describe('Nothing failed'),
  version: z.string().describe('Of rlm-mcp'),
  root: z.string(),
  findings: z.array(Finding),
  workers: z.array(InstalledWorker).describe('The worker programs that are installed'),
  settings: z.array(Setting).describe('Values that are not the default; at most 20'),
  baseline: Baseline.optional().describe('With probe_cost, when the call succeeded'),
});
export type DoctorReport = z.infer<typeof DoctorReport>;
