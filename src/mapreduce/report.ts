import { closeSync, openSync, type Stats, statSync } from 'node:fs';
import type { LeftFile } from '../dispatch/index.ts';
import { systemCode } from '../errors.ts';
import { readAt } from '../files/index.ts';

import { readSections } from './sections.ts';

/** Bytes of a report that are looked at for its sections: a narrative report is far below this. */
const LOOK_BYTES = 512 * 1024;
/** Largest report that is read whole, in bytes. */
export const MAX_REPORT_BYTES = 16 * 1024 * 1024;
/** File times come from a clock that ticks every few milliseconds: a report may look that much too old. */
const CLOCK_TICK_MS = 20;

/** Size and time of a report, or undefined when there is none. Only a regular file is one. */
export function reportStat(path: string): Stats | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? stat : undefined;
}

/** Whether a report was written after a moment, such as its task's launch. */
export function writtenSince(modifiedMs: number, moment: number): boolean {
  return modifiedMs + CLOCK_TICK_MS >= moment;
}

/**
 * What keeps a report from being accepted: it must be there, have content, and be newer than its task's launch.
 *
 * @param launchedAt milliseconds since 1970
 * @returns undefined for one that will do
 */
export function judgeReport(report: LeftFile | undefined, launchedAt: number): string | undefined {
  if (report === undefined) return 'the report was not written';
  if (isBlank(report.bytes)) return 'the report is empty';
  if (!writtenSince(report.modifiedMs, launchedAt)) return 'the report was not touched since the launch';
  return undefined;
}

/** Nothing but white space. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/** What is seen of a report without quoting it. */
export interface ReportLook {
  blank: boolean;
  /** It has a section "Contract Compliance". */
  contractCompliance: boolean;
}

/**
 * Looks at a report's first 512 kB.
 *
 * @param size of the file, in bytes
 * @returns undefined when it is gone: a draft is published at any moment
 */
export function lookAtReport(path: string, size: number): ReportLook | undefined {
  const bytes = readStart(path, size);
  if (bytes === undefined) return undefined;
  if (isBlank(bytes)) return { blank: true, contractCompliance: false };
  return { blank: false, contractCompliance: hasComplianceSection(bytes.toString('utf8')) };
}

/** Lines of a report's last section "Progress": one more says that a worker goes on. Not what they say. */
export function countProgressNotes(path: string): number {
  const stat = reportStat(path);
  if (stat === undefined) return 0;
  const text = readStart(path, stat.size)?.toString('utf8') ?? '';
  if (!/progress/i.test(text)) return 0;
  const section = readSections(text, (title) => /^progress\b/.test(title)).at(-1);
  return (section?.body ?? '').split('\n').filter((line) => line.trim() !== '').length;
}

function readStart(path: string, size: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return readAt(fd, 0, Math.min(size, LOOK_BYTES));
  } finally {
    closeSync(fd);
  }
}

const COMPLIANCE = /contract compliance/i;
/** With the emphasis and wide spaces that a plain title has no more. */
const COMPLIANCE_ANYHOW = /contract[\s*_`]+compliance/i;
const COMPLIANCE_HEADING = /^#{1,6} contract compliance\s*$/im;

function hasComplianceSection(text: string): boolean {
  // Nearly every report says it in a plain heading and has no code block: 5,000 of them must not take long.
  if (!text.includes('```') && !text.includes('~~~') && COMPLIANCE_HEADING.test(text)) return true;
  return COMPLIANCE_ANYHOW.test(text) && readSections(text, (title) => COMPLIANCE.test(title)).length > 0;
}
