import { join } from 'node:path';
import { messageOf, RlmError } from '../errors.ts';
import { findClaude, findLogin as findClaudeLogin, probeClaude } from '../workers/claude/index.ts';
import { findCodexLogin, inspectCodex } from '../workers/codex/index.ts';
import { fail, ok, type Surroundings, warn } from './finding.ts';
import type { Finding, InstalledWorker } from './report.ts';
import { type Measurement, measureClaude, measureCodex, REQUEST_LIMIT_BYTES } from './request-size.ts';
import { checkSandbox } from './sandbox.ts';

export interface WorkerExamination {
  worker: InstalledWorker | undefined;
  findings: Finding[];
}

/** Codex: found, version, login, both lanes measured, its sandbox tried. */
export async function examineCodex(surroundings: Surroundings): Promise<WorkerExamination> {
  const { env, root, scratch } = surroundings;
  const codexHome = env.CODEX_SUBAGENT_CODEX_HOME || undefined;
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
