import { z } from 'zod';
import { ActivityState, DocumentOptions, IngestReport, RunId } from '../contracts/index.ts';
import { NextSteps } from '../resources/index.ts';
import { waitSecInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Documents to chunks. */
export const ingest = defineTool({
  name: 'rlm_ingest',
  title: 'Ingest documents',
  description:
    'Reads documents (files, directories, globs: text, Markdown, code, JSON, CSV, HTML, PDF, DOCX, notebooks) into chunks with a manifest, so that rlm_search, rlm_read and rlm_build_jobs can work on them. Says what was skipped and why. Documents stay where they are; ingesting again touches only what changed. Large ones continue in the background.',
  input: z.object({
    ...DocumentOptions.shape,
    run_id: RunId.optional().describe(
      'Run to ingest into: a new one, or one that exists; generated when absent',
    ),
    wait_sec: waitSecInput,
  }),
  example: { input: ['docs', 'src/**/*.ts'], run_id: 'my-documents' },
  output: z.object({
    run_id: RunId,
    run_dir: z.string(),
    uri: z.string(),
    state: ActivityState.describe('working: it goes on in the background, wait with rlm_wait'),
    report: IngestReport.nullable().describe('What was read and what was skipped; null while it is working'),
    next: NextSteps,
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['input'],
    examples: ['ingest docs --run my-documents', 'ingest "logs/**/*.log"'],
  },
});
