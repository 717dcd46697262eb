import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_FILES, runsDirectory } from '../contracts/index.ts';
import { runUri, TEMPLATES } from '../resources/index.ts';
import { listRuns } from '../runs/index.ts';
import { truncate } from '../text/index.ts';

export interface ListedResource {
  uri: string;
  name: string;
  title: string;
  description: string;
  mimeType: string;
}

/** Runs on one page of `resources/list`: about 250 bytes each. */
const RUNS_A_PAGE = 25;

/**
 * One page of what can be read: the list of runs, then each run, newest first, and its answer when it has one.
 *
 * @param cursor the last run id of the page before
 */
export function listResources(
  root: string,
  cursor: string | undefined,
): { resources: ListedResource[]; nextCursor?: string } {
  const page = listRuns(root, { cursor, limit: RUNS_A_PAGE });
  const resources: ListedResource[] = [];
  if (cursor === undefined) resources.push(listed('rlm://runs', 'runs', 'Runs', 'All runs, newest first'));
  for (const run of page.runs) {
    const about = `${run.kind}, ${run.state}, created ${run.created_at}`;
    resources.push(listed(runUri(run.run_id), run.run_id, truncate(run.title, 80) || run.run_id, about));
    if (existsSync(join(runsDirectory(root), run.run_id, RUN_FILES.answer))) {
      const name = `${run.run_id}/answer`;
      resources.push(listed(`${runUri(run.run_id)}/answer`, name, 'Answer', 'The cited answer of that run'));
    }
  }
  return page.next_cursor === null ? { resources } : { resources, nextCursor: page.next_cursor };
}

function listed(uri: string, name: string, title: string, description: string): ListedResource {
  return { uri, name, title, description, mimeType: 'text/markdown' };
}

/** What is read as Markdown; where there is JSON too, that comes second. */
const MARKDOWN: ReadonlySet<string> = new Set(['Runs', 'Run', 'Answer', 'Report']);

/** What can be read by putting ids into a URI. */
export function listTemplates() {
  return TEMPLATES.map(([uriTemplate, title, description]) => ({
    uriTemplate,
    name: title.toLowerCase(),
    title,
    description,
    mimeType: MARKDOWN.has(title) ? 'text/markdown' : 'application/json',
  }));
}
