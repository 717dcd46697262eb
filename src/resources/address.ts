import { RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';

/** What an `rlm://` URI means. `cursor` asks for a further page. */
export type ResourceAddress =
  | { kind: 'runs'; cursor?: string | undefined }
  | { kind: 'archive'; cursor?: string | undefined }
  | { kind: 'run'; runId: string }
  | { kind: 'jobs' | 'events'; runId: string; cursor?: string | undefined }
  | { kind: 'job'; runId: string; jobId: string }
  | { kind: 'file'; runId: string; name: string; cursor?: string | undefined }
  | { kind: 'report'; runId: string; workerId: string; cursor?: string | undefined };

/** Single files of a run that can be read as resources: last part of the URI, to path in the run directory. */
export const RUN_PARTS: ReadonlyMap<string, string> = new Map([
  ['plan', RUN_FILES.plan],
  ['inventory', RUN_FILES.reduceState],
  ['deferred', RUN_FILES.deferred],
  ['final', RUN_FILES.final],
  ['evidence', RUN_FILES.evidence],
  ['answer', RUN_FILES.answer],
  ['preview', RUN_FILES.preview],
]);

/** The URI templates (RFC 6570) of everything that can be read, with what stands behind them. */
export const TEMPLATES = [
  ['rlm://runs{?cursor}', 'Runs', 'All runs of this root, newest first, a page at a time'],
  ['rlm://runs/{run_id}', 'Run', 'State, progress, tokens, cost and next step of one run'],
  ['rlm://runs/{run_id}/jobs{?cursor}', 'Jobs', 'Jobs of a run, a page at a time'],
  ['rlm://runs/{run_id}/jobs/{job_id}', 'Job', 'One job: what was asked, how it ended, its answer'],
  [
    'rlm://runs/{run_id}/events{?cursor}',
    'Events',
    'Journal of a run, a page at a time; cursor=tail gives the newest page',
  ],
  ['rlm://runs/{run_id}/plan{?cursor}', 'Plan', 'Plan of a map-reduce run'],
  ['rlm://runs/{run_id}/inventory{?cursor}', 'Inventory', 'How each task of a plan stands'],
  ['rlm://runs/{run_id}/deferred{?cursor}', 'Deferred', 'Deferred opportunities of a plan'],
  ['rlm://runs/{run_id}/final{?cursor}', 'Final', 'Conclusions of a plan with their evidence'],
  ['rlm://runs/{run_id}/evidence{?cursor}', 'Evidence', 'Verified evidence of a run'],
  ['rlm://runs/{run_id}/answer{?cursor}', 'Answer', 'Cited answer of a run'],
  ['rlm://runs/{run_id}/preview{?cursor}', 'Preview', 'What a question would take, of a dry run'],
  ['rlm://runs/{run_id}/reports/{worker_id}{?cursor}', 'Report', 'Report of one map or verify task'],
  ['rlm://archive{?cursor}', 'Archive', 'Archived runs, a page at a time, with their ttl and who uses them'],
] as const;

/**
 * Parses a resource URI. Ids are only split and decoded here; who opens them checks them.
 *
 * @throws RlmError `not_found` for anything that is not one of the templates
 */
export function parseAddress(uri: string): ResourceAddress {
  const unknown = () =>
    new RlmError('not_found', `no resource '${uri.slice(0, 300)}'`, {
      hint: `Resources are ${TEMPLATES.map(([template]) => template).join(', ')}.`,
    });
  let url: URL;
  let parts: string[];
  try {
    url = new URL(uri);
    parts = url.pathname.split('/').slice(1).map(decodeURIComponent);
  } catch {
    throw unknown();
  }
  if (url.protocol !== 'rlm:' || (url.host !== 'runs' && url.host !== 'archive')) throw unknown();
  if (parts.at(-1) === '') parts.pop();
  const cursor = url.searchParams.get('cursor') ?? undefined;
  if (url.host === 'archive') {
    if (parts.length > 0) throw unknown();
    return { kind: 'archive', cursor };
  }
  const [runId, part, id, ...rest] = parts;
  if (runId === undefined) return { kind: 'runs', cursor };
  if (rest.length > 0) throw unknown();
  if (part === undefined) return { kind: 'run', runId };
  if (id !== undefined) {
    if (part === 'jobs') return { kind: 'job', runId, jobId: id };
    if (part === 'reports') return { kind: 'report', runId, workerId: id, cursor };
    throw unknown();
  }
  if (part === 'jobs' || part === 'events') return { kind: part, runId, cursor };
  if (RUN_PARTS.has(part)) return { kind: 'file', runId, name: part, cursor };
  throw unknown();
}

/** The URI of one job; its id may hold anything. */
export function jobUri(runId: string, jobId: string): string {
  return `rlm://runs/${runId}/jobs/${encodeURIComponent(jobId)}`;
}
