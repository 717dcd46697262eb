import { cancel } from './cancel.ts';
import { doctor } from './doctor.ts';
import { resume } from './resume.ts';
import { runBatch } from './run-batch.ts';
import { status } from './status.ts';
import type { Tool } from './tool.ts';
import { wait } from './wait.ts';

/** Every tool, in the order in which a client lists them. */
export const TOOLS: readonly Tool[] = [runBatch, status, wait, cancel, resume, doctor];

export { callTool } from './call.ts';
export { createContext, findRoot } from './context.ts';
export { cut, jsonBytes, PAGE_BYTES, rowsOfOnePage } from './page.ts';
export { readReport, reportRun, runUri } from './report.ts';
export { type ObjectSchema, objectSchema } from './schema.ts';
export type { Tool, ToolContext } from './tool.ts';
