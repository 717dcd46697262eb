import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeferredFile, type DeferredItem, SCHEMA_VERSION } from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { readLineBatches, writeJsonAtomic } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { DeferredParser } from './deferred-parser.ts';
import { fromRoot, PLAN_FILES } from './layout.ts';
import { readPlan } from './plan.ts';
import { reportStat } from './report.ts';

/** Said when no report has any. */
const NONE_IDENTIFIED = 'none identified';

/** Scans the reports of all tasks, streaming, and writes `deferred.json`. */
export async function collectDeferred(root: string, run: RunHandle, now = new Date()): Promise<DeferredFile> {
  const items: DeferredItem[] = [];
  const unreadable: DeferredFile['unreadable'] = [];
  let scanned = 0;
  let withSection = 0;
  for (const task of readPlan(run).tasks) {
    const path = join(root, task.report_path);
    const stat = reportStat(path);
    if (stat === undefined) continue;
    const parser = new DeferredParser();
    try {
      if (stat.size <= SMALL_BYTES) parseSmall(path, parser);
      else for await (const batch of readLineBatches(path)) for (const line of batch) parser.push(line.text);
      parser.end();
    } catch (error) {
      if (!(error instanceof RlmError) && !(error instanceof Error && 'code' in error)) throw error;
      unreadable.push({ path: task.report_path, reason: messageOf(error).slice(0, 300) });
      continue;
    }
    scanned += 1;
    if (parser.hasSection) withSection += 1;
    for (const item of parser.items)
      items.push({ worker_id: task.worker_id, ...item, path: task.report_path });
  }
  const file: DeferredFile = {
    schema_version: SCHEMA_VERSION,
    run_id: run.id,
    generated_at: now.toISOString(),
    summary: items.length === 0 ? NONE_IDENTIFIED : `${items.length} deferred`,
    reports_scanned: scanned,
    reports_with_section: withSection,
    unreadable,
    items,
  };
  writeJsonAtomic(join(run.dir, PLAN_FILES.deferred), DeferredFile.parse(file));
  return file;
}

/** A report up to this size is read at once: opening a stream for each of 5,000 takes longer than reading them. */
const SMALL_BYTES = 256 * 1024;

function parseSmall(path: string, parser: DeferredParser): void {
  const text = readFileSync(path, 'utf8');
  // A heading may have emphasis or wide spaces between the two.
  if (!/deferred[\s*_`]+opportunit/i.test(text)) return;
  for (const line of text.split('\n')) parser.push(line);
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
    path: fromRoot(root, join(run.dir, PLAN_FILES.deferred)),
    summary: file.summary,
    total: file.items.length,
    reports_scanned: file.reports_scanned,
    reports_with_section: file.reports_with_section,
    unreadable: file.unreadable.slice(0, 5),
    items: file.items
      .slice(0, SHOWN_ITEMS)
      .map(({ what, worker_id, path, line }) => ({ what: what.slice(0, 160), worker_id, path, line })),
  };
}
