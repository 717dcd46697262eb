import { z } from 'zod';
import { ActivityState, ASK_DEFAULTS, IngestReport, RunId } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import type { RunHandle } from '../runs/index.ts';
import { jsonBytes, PAGE_BYTES, rowsOfOnePage } from './page.ts';
import { runUri } from './report.ts';
import { defineTool, type ToolContext } from './tool.ts';
import { callerOf } from './work-input.ts';

/** How long the call waits for the ingest to end; larger ones go on in the background. */
const WAIT_MS = 20_000;

/** Documents to chunks. */
export const ingest = defineTool({
  name: 'rlm_ingest',
  title: 'Ingest documents',
  description:
    'Reads documents (files, directories, globs: text, Markdown, code, JSON, CSV, HTML, PDF, DOCX, notebooks) into chunks with a manifest, so that rlm_search, rlm_read and rlm_build_jobs can work on them. Says what was left out and why. Documents stay where they are; ingesting again touches only what changed. Large ones go on in the background.',
  input: z.object({
    input: z.array(z.string()).min(1).describe('Files, directories and globs; .gitignore is honoured'),
    run_id: RunId.optional().describe(
      'Run to ingest into: a new one, or one that exists; made up when absent',
    ),
    chunk_tokens: z
      .int()
      .min(100)
      .max(50_000)
      .optional()
      .describe(`Size of a chunk, tokens; default ${ASK_DEFAULTS.chunkTokens}`),
    index: z
      .enum(['auto', 'now', 'never'])
      .default('auto')
      .describe(
        'An index of every word, for repeated questions: auto (default) makes one in the background when more than 64 MB are asked a second time; now, before the ingest ends; never leaves it at scans',
      ),
  }),
  output: z.object({
    run_id: RunId,
    run_dir: z.string(),
    uri: z.string(),
    state: ActivityState.describe('working: it goes on in the background, wait with rlm_wait'),
    report: IngestReport.nullable().describe('What was read and what was left out; null while it is working'),
    next: z.string(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['input'],
    examples: ['ingest docs --run my-documents', 'ingest "logs/**/*.log" --index now'],
  },
  async run(input, context) {
    const [{ startActivity, waitForChange }, { prepareIngest, readIngestReport }] = await Promise.all([
      import('../activities/index.ts'),
      import('../ask/index.ts'),
    ]);
    const known = input.run_id === undefined ? undefined : runOrNone(context, input.run_id);
    const { run, params } = await prepareIngest(
      {
        inputs: input.input,
        run: known,
        runId: input.run_id,
        chunkTokens: input.chunk_tokens,
        index: input.index,
      },
      callerOf(context),
    );
    await startActivity(run, 'ingest', params);
    const timeoutMs = context.caller === 'cli' ? Number.POSITIVE_INFINITY : WAIT_MS;
    const status = await waitForChange(run, { timeoutMs, signal: context.signal, until: 'end' });
    if (status.state === 'failed') {
      throw new RlmError('usage', `nothing was ingested: ${status.reason ?? 'no reason given'}`, {
        hint: `Fix that and ingest again into run '${run.id}'.`,
      });
    }
    const report = status.state === 'completed' ? readIngestReport(run) : null;
    const id = `{"run_id": "${run.id}"}`;
    return {
      run_id: run.id,
      run_dir: run.dir,
      uri: runUri(run.id),
      state: status.state,
      report: report === null ? null : small(report),
      next:
        report === null
          ? (status.reason ?? status.next)
          : `Look into it with rlm_search ${id}, or build jobs with rlm_build_jobs ${id}.`,
    };
  },
});

/** The run with that id; undefined when there is none yet. */
function runOrNone(context: ToolContext, runId: string): RunHandle | undefined {
  try {
    return context.openRun(runId);
  } catch (error) {
    if (error instanceof RlmError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** As much of the lists as fits a result; all of them are in `chunks/sources.jsonl`. */
function small(report: IngestReport): IngestReport {
  const room = PAGE_BYTES - jsonBytes({ ...report, skipped: [], notes: [] });
  return {
    ...report,
    skipped: rowsOfOnePage(report.skipped, room * 0.6),
    notes: rowsOfOnePage(report.notes, room * 0.3),
  };
}
