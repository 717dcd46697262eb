import { z } from 'zod';
import type { Config } from '../config/index.ts';
import { Usage } from '../contracts/index.ts';
import { oneLine } from '../text/index.ts';

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

/** The token baseline: one real call, its usage interpreted. */
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

/** Where a doctor looks. */
export interface Surroundings {
  /** The root that `.rlm/` lies in. Nothing in it is written. */
  root: string;
  env: NodeJS.ProcessEnv;
  config: Config;
  /** A directory of the doctor's own, gone when it is done. */
  scratch: string;
  signal: AbortSignal;
}

/** Longest text that is passed on from elsewhere, characters: a report is under 8 kB. */
const MAX_TEXT = 300;

export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail: oneLine(detail, MAX_TEXT), fix: null };
}

export function warn(check: string, detail: string, fix: string): Finding {
  return { check, status: 'warn', detail: oneLine(detail, MAX_TEXT), fix: oneLine(fix, MAX_TEXT) };
}

export function fail(check: string, detail: string, fix: string): Finding {
  return { check, status: 'fail', detail: oneLine(detail, MAX_TEXT), fix: oneLine(fix, MAX_TEXT) };
}

/** Names of variables whose values nobody may see. */
const SECRET_NAME = /KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/i;
/** What keys look like wherever they turn up: providers quote them in their own messages. */
const SECRET_TEXT = /\b(?:sk|rk|pk)-[\w*.-]{6,}/g;
/** A shorter value would hide ordinary words. */
const MIN_LENGTH = 8;

/** The same value with every secret in its texts replaced; programs that we ask may say anything. */
export function hideSecrets(value: unknown, env: NodeJS.ProcessEnv): unknown {
  const secrets = Object.entries(env).flatMap(([name, text]) =>
    text !== undefined && text.length >= MIN_LENGTH && SECRET_NAME.test(name) ? [text] : [],
  );
  return hide(value, secrets);
}

function hide(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') {
    return secrets
      .reduce((text, secret) => text.replaceAll(secret, '(hidden)'), value)
      .replaceAll(SECRET_TEXT, '(hidden)');
  }
  if (Array.isArray(value)) return value.map((one) => hide(one, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hide(inner, secrets)]));
}
