import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../version.ts';
import { checkClients } from './clients.ts';
import { checkMachine, checkSettings } from './machine.ts';
import { DoctorReport, hideSecrets, type Surroundings } from './report.ts';
import { measureBaseline } from './sample-call.ts';
import { checkChoice, checkCommands, checkHttp, examineClaude, examineCodex } from './workers.ts';

/**
 * Looks at the machine, the configuration and the workers, without a model call and without writing under the
 * root: what has to be written goes to a temporary directory.
 *
 * @param options.probeCost make one real call of the worker a batch would take, and read its usage
 */
export async function examine(
  root: string,
  options: { env: NodeJS.ProcessEnv; signal: AbortSignal; probeCost: boolean },
): Promise<DoctorReport> {
  const { env, signal } = options;
  const scratch = mkdtempSync(join(tmpdir(), 'rlm-doctor-'));
  try {
    const { finding, settings, config } = checkSettings(root, env);
    const surroundings: Surroundings = { root, env, config, scratch, signal };
    // One after the other would take twice as long; each has its own directories.
    const [codex, claude] = await Promise.all([examineCodex(surroundings), examineClaude(surroundings)]);
    const choice = await checkChoice(surroundings);
    const cost = options.probeCost ? await measureBaseline(surroundings) : undefined;
    const findings = [
      ...checkMachine(root),
      finding,
      ...codex.findings,
      ...claude.findings,
      ...checkHttp(surroundings),
      ...checkCommands(surroundings),
      choice,
      ...checkClients(surroundings),
      ...(cost === undefined ? [] : [cost.finding]),
    ];
    const report: DoctorReport = {
      healthy: findings.every(({ status }) => status !== 'fail'),
      version: VERSION,
      root,
      findings,
      workers: [codex.worker, claude.worker].filter((worker) => worker !== undefined),
      settings,
      ...(cost?.baseline === undefined ? {} : { baseline: cost.baseline }),
    };
    return DoctorReport.parse(hideSecrets(report, env));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
