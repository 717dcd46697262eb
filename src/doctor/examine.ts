import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { VERSION } from '../version.ts';
import { Baseline, measureBaseline } from './baseline.ts';
import { checkChoice } from './choice.ts';
import { Finding, type Surroundings } from './finding.ts';
import { checkMachine } from './machine.ts';
import { hideSecrets } from './secrets.ts';
import { checkSettings, Setting } from './settings.ts';
import { examineClaude, examineCodex, InstalledWorker } from './workers.ts';

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
      choice,
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
