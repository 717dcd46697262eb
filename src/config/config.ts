import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { Budget, configPath, Lane, WorkerChoice } from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';

/** US dollars a million tokens. */
const Price = z.strictObject({
  input: z.number().nonnegative(),
  cached_input: z.number().nonnegative().optional(),
  output: z.number().nonnegative(),
});

/** `model` and `effort` are for Codex; a Claude worker takes `claude_model`. */
const Tier = z.strictObject({
  model: z.string(),
  effort: z.string(),
  claude_model: z.string().default('sonnet'),
});

/** A role of a refine loop; what it leaves out is that of all workers. */
const Role = z.strictObject({
  model: z.string().optional(),
  effort: z.string().optional(),
  claude_model: z.string().optional(),
});

/** A day; Node takes a timer of more than 24 days for one of 1 ms. */
const MAX_BACKOFF_MS = 86_400_000;

/** `.rlm/config.json`: every number and name a person may want to change. All of it is optional there. */
export const ConfigFile = z.strictObject({
  worker: WorkerChoice.default('auto'),
  lane: Lane.default('auto'),
  models: z
    .strictObject({
      codex: z.string().default('gpt-5.3-codex-spark'),
      claude: z.string().default('haiku'),
    })
    .prefault({}),
  /** Reasoning effort of chunk workers, sent as it is. */
  effort: z.string().default('low'),
  /** Codex: a profile, a home and whether it works outside a git repository. Relative paths start at the root. */
  profile: z.string().min(1).optional(),
  codex_home: z.string().min(1).optional(),
  skip_git_repo_check: z.boolean().default(true),
  /** Working directory of the workers; the root unless given. */
  worker_cwd: z.string().min(1).optional(),
  /** A program that speaks the runner-script protocol, instead of the built-in workers. */
  runner_script: z.string().min(1).optional(),
  /** Programs that a client may choose as the worker, by name: the program and its arguments. */
  commands: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]*$/i), z.array(z.string().min(1)).min(1))
    .default({}),
  /** Programs that may judge a refine loop, by name: the program and its arguments. */
  validators: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i), z.array(z.string().min(1)).min(1))
    .default({}),
  /** The repository's defaults of refine loops. */
  refine: z
    .strictObject({
      validator: z.string().min(1).default('auto'),
      max_iterations: z.union([z.int().nonnegative(), z.string()]).default(88),
      max_minutes: z.number().nonnegative().default(2880),
      /** `roles`: single or triad; models of the roles of a triad stand under `models`. */
      roles: z.enum(['single', 'triad']).default('single'),
      models: z
        .strictObject({ planner: Role.optional(), critic: Role.optional(), reviser: Role.optional() })
        .prefault({}),
      isolate: z.enum(['none', 'worktree']).default('none'),
      setup: z.string().min(1).optional(),
      protect: z.array(z.string().min(1)).default([]),
      on_tamper: z.enum(['restore', 'stop', 'allow']).default('restore'),
      stop_after_same: z.int().nonnegative().default(3),
      allow_network: z.boolean().default(false),
      add_dirs: z.array(z.string().min(1)).default([]),
      /** Limits of an agent's turn and of the validator, and of their silence, seconds. */
      turn_timeout_sec: z.int().positive().default(3600),
      turn_idle_timeout_sec: z.int().positive().default(1200),
      validator_timeout_sec: z.int().positive().default(3600),
      validator_idle_timeout_sec: z.int().positive().default(1200),
    })
    .prefault({}),
  cache: z.boolean().default(true),
  /** Models of map and verify tasks by compute tier. */
  tiers: z
    .strictObject({
      standard: Tier.default({ model: 'gpt-5.1-codex-mini', effort: 'medium', claude_model: 'haiku' }),
      'standard-plus': Tier.default({
        model: 'gpt-5.2-codex',
        effort: 'medium',
        claude_model: 'sonnet',
      }),
      heavy: Tier.default({ model: 'gpt-5.2-codex', effort: 'xhigh', claude_model: 'opus' }),
    })
    .prefault({}),
  prices: z.record(z.string(), Price).default({}),
  budget: Budget.prefault({}),
  limits: z
    .strictObject({
      parallel: z.int().positive().max(256).default(Math.min(8, availableParallelism())),
      timeout_sec: z.int().positive().default(600),
      idle_timeout_sec: z.int().positive().default(300),
      /** The same for tasks of a plan, which are patient work: an hour, and as much silence as makes one stale. */
      task_timeout_sec: z.int().positive().default(3600),
      task_idle_timeout_sec: z.int().positive().default(1200),
      retries: z.int().nonnegative().max(20).default(2),
      /** Further attempts after throttling, server and network faults, which do not count as retries. */
      transient_retries: z.int().nonnegative().max(100).default(8),
      /** Back-off after a transient error: first and longest wait, milliseconds. */
      backoff_ms: z.int().positive().max(MAX_BACKOFF_MS).default(1000),
      backoff_max_ms: z.int().positive().max(MAX_BACKOFF_MS).default(60_000),
      /** A chunk up to this size is embedded in the prompt; a larger one goes by path. */
      embed_bytes: z.int().positive().max(900_000).default(400_000),
      /** What one PDF, DOCX, HTML page or notebook may take: seconds, besides two a megabyte, and megabytes of memory. */
      extract_sec: z.int().positive().default(30),
      extract_mb: z.int().min(128).default(1536),
      /** How deep workers inside workers may go. */
      max_depth: z.int().nonnegative().max(8).default(1),
    })
    .prefault({}),
  /** Directories outside the root that documents may be read from over MCP. */
  input_roots: z.array(z.string()).default([]),
  /** A model by its API, for the worker http: OpenAI's chat completions, which most servers speak, or Anthropic's. */
  http: z
    .strictObject({
      api: z.enum(['openai', 'anthropic']).default('openai'),
      /** Up to and without `/chat/completions` or `/v1/messages`; the provider's own by default. */
      base_url: z.url().optional(),
      model: z.string().min(1),
      /** Environment variable that holds the key; the key itself is never in a file. */
      key_variable: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
        .optional(),
      max_output_tokens: z.int().positive().default(8192),
    })
    .optional(),
  /** An OpenAI-compatible endpoint for the search modes vector and hybrid; none by default. */
  embeddings: z
    .strictObject({
      /** Up to and without `/embeddings`. */
      url: z.url(),
      model: z.string().min(1),
      /** Environment variable that holds the key. */
      key_variable: z.string().optional(),
    })
    .optional(),
  /** Names of further environment variables that workers may see. */
  worker_env: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).default([]),
  retention: z.strictObject({ ttl_days: z.int().positive().default(14) }).prefault({}),
});
export type Config = z.infer<typeof ConfigFile>;

export interface LoadedConfig {
  values: Config;
  /** Where a value came from: the configuration file's path, or `default`. `key` is dotted, such as `limits.parallel`. */
  origin(key: string): string;
}

/** Reads `.rlm/config.json` under `root` over the defaults. A file that is not valid is an error, never ignored. */
export function loadConfig(root: string): LoadedConfig {
  const path = configPath(root);
  let given: unknown = {};
  try {
    // Some editors put a byte order mark before UTF-8.
    given = JSON.parse(readFileSync(path, 'utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') {
      throw new RlmError('usage', `${path}: ${messageOf(error)}`, {
        hint: 'Fix or remove the configuration file.',
      });
    }
  }
  const parsed = ConfigFile.safeParse(given);
  if (!parsed.success) {
    throw new RlmError('usage', `${path}: ${z.prettifyError(parsed.error)}`, {
      hint: 'Fix or remove that setting.',
    });
  }
  return {
    values: parsed.data,
    origin: (key) => (isGiven(given, key) ? path : 'default'),
  };
}

/** Whether there is a value under a dotted key; a name in it may hold dots itself, such as that of a model. */
function isGiven(values: unknown, key: string): boolean {
  if (typeof values !== 'object' || values === null) return false;
  return Object.entries(values).some(
    ([name, value]) =>
      key === name || (key.startsWith(`${name}.`) && isGiven(value, key.slice(name.length + 1))),
  );
}
