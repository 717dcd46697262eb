import { RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { truncate } from '../text/index.ts';

/** What an `rlm://` URI means. Ids are only split and decoded here; who opens them checks them. */
export interface ResourceAddress {
  /** `runs`, `archive`, `run`, or a part of a run. */
  kind: string;
  runId: string;
  /** Of one job or report. */
  id: string;
  /** Asks for a further page; opaque. */
  cursor: string | undefined;
  /** Of a list: only what is in this state, or of this kind. */
  state: string | undefined;
  runKind: string | undefined;
}

/** Single JSON files of a run that can be read as resources: last part of the URI, to path in the run directory. */
export const RUN_PARTS: ReadonlyMap<string, string> = new Map([
  ['answer', RUN_FILES.answer],
  ['evidence', RUN_FILES.evidence],
  ['coverage', RUN_FILES.coverage],
  ['preview', RUN_FILES.preview],
  ['summary', RUN_FILES.summary],
  ['plan', RUN_FILES.plan],
  ['inventory', RUN_FILES.reduceState],
  ['deferred', RUN_FILES.deferred],
  ['final', RUN_FILES.final],
]);

/** The URI templates (RFC 6570) of everything that can be read, with what each holds. */
export const TEMPLATES = [
  ['rlm://runs{?state,kind,cursor}', 'Runs', 'All runs of this root, newest first, a page at a time'],
  ['rlm://runs/{run_id}', 'Run', 'State, progress, tokens, cost, result and next step of one run'],
  ['rlm://runs/{run_id}/answer{?cursor}', 'Answer', 'Cited answer of a run'],
  ['rlm://runs/{run_id}/evidence{?cursor}', 'Evidence', 'Verified evidence of a run, a page at a time'],
  ['rlm://runs/{run_id}/coverage{?cursor}', 'Coverage', 'How much of each document was read'],
  [
    'rlm://runs/{run_id}/jobs{?state,cursor}',
    'Jobs',
    'Jobs of a run with their status and first error; state: accepted, failed or open',
  ],
  ['rlm://runs/{run_id}/jobs/{job_id}', 'Job', 'One job: what was asked, how it ended, its answer'],
  ['rlm://runs/{run_id}/results{?cursor}', 'Results', 'One line for each result of a run'],
  [
    'rlm://runs/{run_id}/events{?cursor}',
    'Events',
    'Journal of a run, a page at a time; cursor=tail gives the newest page',
  ],
  ['rlm://runs/{run_id}/summary', 'Summary', 'Totals of a batch'],
  ['rlm://runs/{run_id}/plan{?cursor}', 'Plan', 'Plan of a map-reduce run'],
  ['rlm://runs/{run_id}/inventory{?cursor}', 'Inventory', 'State of each task of a plan'],
  ['rlm://runs/{run_id}/deferred{?cursor}', 'Deferred', 'Deferred opportunities of a plan'],
  ['rlm://runs/{run_id}/final{?cursor}', 'Final', 'Conclusions of a plan with their evidence'],
  ['rlm://runs/{run_id}/iterations{?cursor}', 'Iterations', 'A row for each iteration of a refine loop'],
  ['rlm://runs/{run_id}/iterations/{n}', 'Iteration', 'One iteration of a refine loop, with its diff'],
  ['rlm://runs/{run_id}/preview{?cursor}', 'Preview', 'What a question would take, of a dry run'],
  ['rlm://runs/{run_id}/reports/{worker_id}{?cursor}', 'Report', 'Report of one map or verify task'],
  ['rlm://archive{?cursor}', 'Archive', 'Archived runs, a page at a time, with their ttl and who uses them'],
] as const;

/** Parts of a run that are read a page at a time. */
const LISTS: ReadonlySet<string> = new Set(['jobs', 'results', 'events', 'iterations']);

/** Query parameters that each kind of resource takes. */
const QUERIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['runs', ['state', 'kind', 'cursor']],
  ['jobs', ['state', 'cursor']],
  ['run', []],
  ['job', []],
  ['iteration', []],
  ['summary', []],
]);

/**
 * Parses a resource URI.
 *
 * @throws RlmError `not_found` for anything that is not one of the templates, `usage` for a query that it does not take
 */
export function parseAddress(uri: string): ResourceAddress {
  let url: URL;
  let parts: string[];
  try {
    url = new URL(uri);
    parts = url.pathname.split('/').slice(1).map(decodeURIComponent);
  } catch {
    throw unknownResource(uri);
  }
  if (url.protocol !== 'rlm:') throw unknownResource(uri);
  if (parts.at(-1) === '') parts.pop();
  const place = placeOf(url.host, parts);
  if (place === undefined) throw unknownResource(uri);
  const takes = QUERIES.get(place.kind) ?? ['cursor'];
  const unknown = [...url.searchParams.keys()].find((name) => !takes.includes(name));
  if (unknown !== undefined) {
    throw new RlmError('usage', `${truncate(uri, 200)} takes no query parameter '${truncate(unknown, 40)}'`, {
      hint: takes.length === 0 ? 'It takes none.' : `It takes: ${takes.join(', ')}.`,
    });
  }
  const query = (name: string) => url.searchParams.get(name) ?? undefined;
  return { ...place, cursor: query('cursor'), state: query('state'), runKind: query('kind') };
}

function placeOf(
  host: string,
  [runId, part, id, ...rest]: string[],
): Pick<ResourceAddress, 'kind' | 'runId' | 'id'> | undefined {
  if (host === 'archive') return runId === undefined ? { kind: 'archive', runId: '', id: '' } : undefined;
  if (host !== 'runs' || rest.length > 0) return undefined;
  if (runId === undefined) return { kind: 'runs', runId: '', id: '' };
  if (part === undefined) return { kind: 'run', runId, id: '' };
  if (id !== undefined) {
    if (part === 'jobs') return { kind: 'job', runId, id };
    if (part === 'iterations') return { kind: 'iteration', runId, id };
    return part === 'reports' ? { kind: 'report', runId, id } : undefined;
  }
  const known = RUN_PARTS.has(part) || LISTS.has(part);
  return known ? { kind: part, runId, id: '' } : undefined;
}

function unknownResource(uri: string): RlmError {
  return new RlmError('not_found', `no resource '${truncate(uri, 300)}'`, {
    hint: `Resources are ${TEMPLATES.map(([template]) => template).join(', ')}.`,
  });
}

/** The URI of one job; its id may hold anything. */
export function jobUri(runId: string, jobId: string): string {
  return `rlm://runs/${runId}/jobs/${encodeURIComponent(jobId)}`;
}
