import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DeferredFile, type DeferredItem, RUN_FILES, SCHEMA_VERSION } from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';
import { writeJsonAtomic } from '../files/index.ts';
import { type RunHandle, requireNotArchived } from '../runs/index.ts';
import { truncate } from '../text/index.ts';
import { readDeferredItems } from './deferred-items.ts';
import { readPlan } from './plan.ts';
import { fromRoot } from './plan-rules.ts';
import { MAX_REPORT_BYTES } from './report.ts';

/** Collects the deferred opportunities of all reports, and writes `deferred.json`. */
export async function collectDeferred(root: string, run: RunHandle, now = new Date()): Promise<DeferredFile> {
  requireNotArchived(run);
  const items: DeferredItem[] = [];
  const unreadable: DeferredFile['unreadable'] = [];
  let scanned = 0;
  let withSection = 0;
  for (const [index, { worker_id, report_path: path }] of readPlan(run).tasks.entries()) {
    // Parsing thousands of sections takes more than a second, and a server has others to answer meanwhile.
    if (index % 100 === 99) await nextTurn();
    try {
      const text = readReport(join(root, path));
      if (text === undefined) continue;
      scanned += 1;
      const found = await readDeferredItems(text);
      if (found !== undefined) withSection += 1;
      for (const item of found ?? []) items.push({ worker_id, ...item, path });
    } catch (error) {
      if (!(error instanceof RlmError) && systemCode(error) === undefined) throw error;
      unreadable.push({ path, reason: truncate(messageOf(error), 300) });
    }
  }
  const file: DeferredFile = {
    schema_version: SCHEMA_VERSION,
    run_id: run.id,
    generated_at: now.toISOString(),
    summary: items.length === 0 ? 'none identified' : `${items.length} deferred`,
    reports_scanned: scanned,
    reports_with_section: withSection,
    unreadable,
    items,
  };
  writeJsonAtomic(join(run.dir, RUN_FILES.deferred), DeferredFile.parse(file));
  return file;
}

function readReport(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) return undefined;
  if (stat.size <= MAX_REPORT_BYTES) return readFileSync(path, 'utf8');
  throw new RlmError('limit', `it has ${stat.size} bytes, more than ${MAX_REPORT_BYTES}`);
}

/** What a result may say of it. */
export interface DeferredSummary {
  run_id: string;
  path: string;
  summary: string;
  total: number;
  reports_scanned: number;
  reports_with_section: number;
  unreadable: DeferredFile['unreadable'];
  /** The first items: what, where. The rest is in the file. */
  items: { what: string; worker_id: string; path: string; line: number }[];
}

/** At 160 characters each within the 8 kB of a result. */
const SHOWN_ITEMS = 15;

/** Cuts the collection to the size of a result. */
export function summarizeDeferred(root: string, run: RunHandle, file: DeferredFile): DeferredSummary {
  return {
    run_id: run.id,
    path: fromRoot(root, join(run.dir, RUN_FILES.deferred)),
    summary: file.summary,
    total: file.items.length,
    reports_scanned: file.reports_scanned,
    reports_with_section: file.reports_with_section,
    unreadable: file.unreadable.slice(0, 5),
    items: file.items
      .slice(0, SHOWN_ITEMS)
      .map(({ what, worker_id, path, line }) => ({ what: truncate(what, 160), worker_id, path, line })),
  };
}
