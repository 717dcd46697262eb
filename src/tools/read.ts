import { z } from 'zod';
import { ReadResult } from '../contracts/index.ts';
import { NextSteps } from '../resources/index.ts';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** A bounded piece of a document, by pointer. */
export const read = defineTool({
  name: 'rlm_read',
  title: 'Read a document or a result',
  description:
    'Reads a page of any rlm:// URI: an answer, evidence, jobs, results, reports. Or a bounded piece of an ingested document by pointer: a chunk_id of rlm_search, or a source with lines or bytes. Returns text or data, and where to read on.',
  input: z.object({
    uri: z
      .string()
      .optional()
      .describe('An rlm:// URI as results name them, such as rlm://runs/{run_id}/answer; else give run_id'),
    run_id: runIdInput.optional(),
    chunk_id: z.string().optional().describe('A chunk, such as c-000012'),
    source: z
      .string()
      .optional()
      .describe('A document as search hits and citations name it; with lines or bytes'),
    line_start: z.int().positive().optional().describe('First line, from 1'),
    line_end: z.int().positive().optional().describe('Last line, inclusive; default to the end'),
    byte_start: z.int().nonnegative().optional().describe('First byte, from 0, as in next'),
    byte_end: z.int().nonnegative().optional().describe('End of the bytes, exclusive; default to the end'),
    max_bytes: z
      .int()
      .min(100)
      .max(32_768)
      .default(6000)
      .describe('Bytes of text at most, as JSON: 100 to 32768, default 6000'),
  }),
  example: { run_id: 'my-documents', chunk_id: 'c-000012' },
  output: z.object({
    ...ReadResult.omit({ next: true }).partial().shape,
    uri: z.string().optional(),
    data: z.record(z.string(), z.unknown()).optional(),
    next: NextSteps,
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['run_id'],
    examples: [
      'read --uri rlm://runs/my-run/answer',
      'read my-documents --chunk-id c-000012',
      'read my-documents --source docs/unpdf.md --line-start 10 --line-end 40',
    ],
  },
});
