import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunStatus } from '../activities/index.ts';
import { type IngestReport, RUN_FILES } from '../contracts/index.ts';
import { type RunReport, readSummaryHead, reportRun } from '../resources/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { oneLine } from '../text/index.ts';
import { formatResult } from './format.ts';

/** Exit codes of a refine loop, by how it ended. */
const REFINE_EXIT_CODES: Readonly<Record<string, number>> = {
  passed: 0,
  budget_complete: 0,
  no_validator: 2,
  max_iterations: 3,
  max_minutes: 3,
  stuck: 3,
  budget: 3,
  cancelled: 3,
  error: 4,
  invalid_config: 5,
  tampered: 6,
  quota: 75,
};
const EXIT_INTERNAL = 10;
/** What `sysexits.h` says of a failure that passes: the quota is used up until `resets_at`. */
const EXIT_QUOTA = 75;

/**
 * The exit code of work that has ended or paused: 0 all was accepted, 2 some, 3 none; 75 when it waits for a quota; 1
 * when it failed before there was anything to do, as without documents.
 */
export function exitCodeOf({
  kind,
  state,
  ended,
  outcome,
  failure,
  progress,
}: Pick<RunReport, 'kind' | 'state' | 'ended' | 'outcome' | 'failure' | 'progress'>): number {
  if (kind === 'refine') return REFINE_EXIT_CODES[ended ?? ''] ?? EXIT_INTERNAL;
  if (state === 'input_required' && failure?.class === 'quota') return EXIT_QUOTA;
  if (outcome === 'all') return 0;
  if (state === 'failed' && progress.total === 0) return 1;
  return outcome === 'some' ? 2 : 3;
}

/**
 * The last lines on stdout after a run was followed. For a batch that wrote its summary they are three that scripts
 * read; for any other run its report.
 */
export async function closingLines(run: RunHandle, status: RunStatus): Promise<string> {
  if (run.record.kind === 'ask' && status.record.kind === 'ask') return askLines(run, status);
  const path = join(run.dir, RUN_FILES.summary);
  if (run.record.kind !== 'batch' || !existsSync(path))
    return formatResult(reportRun(run, status), { run, root: run.record.root });
  const head = readSummaryHead(path) ?? headFromProgress(status);
  const usage = head.usage_totals;
  return [
    `summary: ${path}`,
    `jobs_total=${head.jobs_total} jobs_succeeded=${head.jobs_succeeded} jobs_failed=${head.jobs_failed}`,
    `usage_totals=input_tokens=${usage.input_tokens} cached_input_tokens=${usage.cached_input_tokens} output_tokens=${usage.output_tokens}`,
    '',
  ].join('\n');
}

/** Skipped documents that are named one by one; all of them are in `chunks/sources.jsonl`. */
const NAMED_SKIPPED = 5;

/** An answer with its citations, or a preview; then what it rests on, what was skipped, and what it cost. */
async function askLines(run: RunHandle, status: RunStatus): Promise<string> {
  const { readAskResult } = await import('../ask/index.ts');
  const { answer, text, state, ingest } = readAskResult(run);
  if (text === '') return formatResult(reportRun(run, status), { run, root: run.record.root });
  const { accepted, total, attempts, cache_hits, usage, cost_usd } = status.progress;
  const passes = state?.passes.length ?? 0;
  const route =
    state?.route === 'single'
      ? 'everything fitted one prompt: one job'
      : `${passes} ${passes === 1 ? 'pass' : 'passes'} over the best chunks`;
  const cost = cost_usd === null ? '' : `, ${cost_usd.toFixed(4)} USD`;
  return [
    text.trimEnd(),
    '',
    ...(status.state === 'completed' ? [] : [`${status.state}: ${oneLine(status.reason ?? '')}`]),
    ...(state?.notes ?? []).map((note) => `note: ${oneLine(note)}`),
    ...skippedLines(ingest),
    ...(answer === undefined
      ? []
      : [`answered by ${state?.answered_by ?? 'no rule'} (worker ${state?.worker ?? '?'}; ${route})`]),
    `cost: ${accepted} of ${total} calls answered in ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, ${cache_hits} from the cache, ${usage.input_tokens} input and ${usage.output_tokens} output tokens${cost}`,
    `run: ${run.id} (${run.dir})`,
    '',
  ].join('\n');
}

/** The documents that were not read, and why. One that is read under another name is not skipped. */
function skippedLines(ingest: IngestReport | undefined): string[] {
  const { duplicate: _, ...reasons } = ingest?.by_reason ?? {};
  const counts = Object.entries(reasons).map(([reason, count]) => `${count} ${reason}`);
  if (counts.length === 0) return [];
  const named = (ingest?.skipped ?? [])
    .filter(({ reason }) => reason !== 'duplicate')
    .slice(0, NAMED_SKIPPED)
    .map(({ path, reason, detail }) => `  ${oneLine(path)}: ${reason} (${oneLine(detail)})`);
  return [`skipped: ${counts.join(', ')} (all in chunks/sources.jsonl)`, ...named];
}

function headFromProgress({ progress }: RunStatus) {
  return {
    jobs_total: progress.total,
    jobs_succeeded: progress.accepted,
    jobs_failed: progress.failed,
    usage_totals: progress.usage,
  };
}
