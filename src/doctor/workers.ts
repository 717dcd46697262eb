import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf, RlmError } from '../errors.ts';
import { runProgram, workerEnvironment } from '../processes/index.ts';
import { findClaude, findLogin as findClaudeLogin, probeClaude } from '../workers/claude/index.ts';
import { findCodex, findCodexLogin, inspectCodex } from '../workers/codex/index.ts';
import { createWorker } from '../workers/index.ts';
import { type Finding, fail, type InstalledWorker, ok, type Surroundings, warn } from './report.ts';
import {
  defaultWork,
  type Measurement,
  measureClaude,
  measureCodex,
  REQUEST_LIMIT_BYTES,
} from './sample-call.ts';

export interface WorkerExamination {
  worker: InstalledWorker | undefined;
  findings: Finding[];
}

/** Codex: found, version, login, both lanes measured, its sandbox tried. */
export async function examineCodex(surroundings: Surroundings): Promise<WorkerExamination> {
  const { env, root, config, scratch } = surroundings;
  const configured = config.codex_home === undefined ? undefined : resolve(root, config.codex_home);
  const codexHome = env.CODEX_SUBAGENT_CODEX_HOME || configured;
  return examine('codex', async () => {
    const { file, version } = await inspectCodex({ root: scratch, lane: 'auto', env }, root);
    const { kind, where } = findCodexLogin(codexHome, env);
    const login = kind === 'none' ? null : where;
    const findings = [
      ok('codex', `${version} at ${file}`),
      login === null
        ? warn('codex login', where, 'Run `codex login`, or set CODEX_API_KEY.')
        : ok('codex login', login),
    ];
    const lanes: InstalledWorker['lanes'] = [];
    for (const lane of ['exec', 'app-server'] as const) {
      const measured = await attempt(() => measureCodex(surroundings, lane));
      lanes.push({ lane, request_bytes: bytesOf(measured) });
      findings.push(judgeSize(`codex ${lane}`, measured));
    }
    findings.push(await checkSandbox(surroundings));
    return { worker: { worker: 'codex', path: file, version, login, lanes }, findings };
  });
}

/** Claude Code: found, version, login, its request measured. */
export async function examineClaude(surroundings: Surroundings): Promise<WorkerExamination> {
  const { env, scratch } = surroundings;
  return examine('claude', async () => {
    const path = findClaude(undefined, env);
    const { version } = await probeClaude(path, join(scratch, 'probes'), env);
    const kind = findClaudeLogin(env);
    const login = kind === 'none' ? null : describeClaudeLogin(kind, env);
    const measured = await attempt(() =>
      measureClaude(surroundings, kind === 'account' || kind === 'token' ? 'account' : 'key'),
    );
    return {
      worker: {
        worker: 'claude',
        path,
        version,
        login,
        lanes: [{ lane: 'print', request_bytes: bytesOf(measured) }],
      },
      findings: [
        ok('claude', `${version} at ${path}`),
        login === null
          ? warn('claude login', 'not logged in', 'Run `claude auth login`, or set ANTHROPIC_API_KEY.')
          : ok('claude login', login),
        judgeSize('claude print', measured),
      ],
    };
  });
}

/** A program that is not there is no fault: another worker serves. One whose set-up is wrong is. */
async function examine(
  name: 'codex' | 'claude',
  look: () => Promise<{ worker: InstalledWorker; findings: Finding[] }>,
): Promise<WorkerExamination> {
  try {
    return await look();
  } catch (error) {
    const hint = error instanceof RlmError ? error.hint.text : '';
    const absent = error instanceof RlmError && error.code === 'unavailable';
    const finding = absent ? warn : fail;
    return { worker: undefined, findings: [finding(name, messageOf(error), hint || `Run ${name} by hand.`)] };
  }
}

async function attempt(measure: () => Promise<Measurement>): Promise<Measurement> {
  try {
    return await measure();
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

function bytesOf(measured: Measurement): number | null {
  return 'bytes' in measured ? measured.bytes : null;
}

function judgeSize(check: string, measured: Measurement): Finding {
  if ('failure' in measured) {
    return fail(
      check,
      `a call to a model on loopback failed: ${measured.failure}`,
      'Update the program; if it stays so, its command line has changed: report it with this text.',
    );
  }
  const detail = `${measured.bytes} bytes a request besides question and chunk (limit ${REQUEST_LIMIT_BYTES})`;
  return measured.bytes <= REQUEST_LIMIT_BYTES
    ? ok(check, detail)
    : warn(check, detail, 'Every call costs that much more. Use another lane or worker where one is leaner.');
}

function describeClaudeLogin(kind: 'key' | 'token' | 'account', env: NodeJS.ProcessEnv): string {
  if (kind === 'account') return 'account of the user';
  const names = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'];
  const name = names.find((one) => env[one]);
  return name === undefined ? "a cloud provider's own credentials" : `environment variable ${name}`;
}

const SANDBOX_FIX =
  'Batches need no sandbox; workers with tools do. On Linux allow unprivileged user namespaces, or install bubblewrap.';

/** Runs a command in Codex's read-only sandbox: it must run, and it must not be able to write. */
async function checkSandbox({ env, scratch }: Surroundings): Promise<Finding> {
  const check = 'codex sandbox';
  if (process.platform === 'win32') return warn(check, 'not tried on Windows', SANDBOX_FIX);
  const directory = join(scratch, 'sandbox');
  const codexHome = join(directory, '.codex');
  // As a worker with tools has it: in a home below TMPDIR Codex makes no helper for its sandbox.
  const temporary = join(directory, 'tmp');
  for (const each of [codexHome, temporary]) mkdirSync(each, { recursive: true });
  const { file } = findCodex(undefined, env);
  const shell = ['/bin/sh', '-c', 'echo it-runs; : > written'];
  try {
    const { stdout, stderr, interrupted } = await runProgram(
      file,
      ['sandbox', '-c', 'sandbox_mode="read-only"', '--', ...shell],
      {
        env: workerEnvironment(
          { values: { HOME: directory, CODEX_HOME: codexHome, TMPDIR: temporary } },
          env,
        ),
        cwd: directory,
      },
    );
    if (existsSync(join(directory, 'written'))) {
      return warn(check, 'a command in the read-only sandbox could write', SANDBOX_FIX);
    }
    if (stdout.includes('it-runs')) return ok(check, 'read-only holds: a command ran and could not write');
    return warn(
      check,
      `a command did not run in it: ${interrupted ?? stderr.trim().split('\n').at(-1)}`,
      SANDBOX_FIX,
    );
  } catch (error) {
    return warn(check, messageOf(error), SANDBOX_FIX);
  }
}

/** The configured http model: its key must be where the configuration says. Nothing is sent to it. */
export function checkHttp({ env, config }: Surroundings): Finding[] {
  if (config.http === undefined) return [];
  const { model, base_url, api, key_variable } = config.http;
  const detail = `${model} at ${base_url ?? `the ${api} API`}`;
  if (key_variable === undefined) return [ok('http', `${detail}, without a key`)];
  return env[key_variable]
    ? [ok('http', `${detail}, key in ${key_variable}`)]
    : [
        fail(
          'http',
          `${detail}: the variable ${key_variable} is not set`,
          `Set ${key_variable} where rlm is started.`,
        ),
      ];
}

/** Programs of the configuration run as they are; only what Codex and Claude start is confined. */
export function checkCommands({ config }: Surroundings): Finding[] {
  const names = Object.keys(config.commands);
  if (names.length === 0) return [];
  const detail = `${names.join(', ')}: not confined; a program that detaches as a daemon would outlive a cancel`;
  return [ok('commands', detail)];
}

/** Who would answer a batch that names no worker, found out by making that worker. */
export async function checkChoice(surroundings: Surroundings): Promise<Finding> {
  const { env, config, scratch } = surroundings;
  const check = 'worker';
  if (config.worker === 'command' && config.runner_script === undefined) {
    return ok(check, 'the configuration says command: each batch names its program or runner script');
  }
  try {
    const place = { root: scratch, config, marks: {}, env };
    const { worker, why } = await createWorker(defaultWork(surroundings), place);
    await worker.close();
    const name = worker.lane === null ? worker.name : `${worker.name} (${worker.lane})`;
    const detail = `${config.worker} takes ${name}: ${why}`;
    return config.worker === 'auto' && worker.name === 'extractive'
      ? fail(check, detail, 'For answers by a model, install and log in to Codex or Claude Code.')
      : ok(check, detail);
  } catch (error) {
    const hint = error instanceof RlmError ? error.hint.text : undefined;
    return fail(
      check,
      `${config.worker}: ${messageOf(error)}`,
      hint ?? 'Set "worker" in .rlm/config.json to auto.',
    );
  }
}
