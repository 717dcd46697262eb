import { z } from 'zod';
import { ReadResult } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { jsonBytes } from './page.ts';
import { runIdInput } from './report.ts';
import { defineTool } from './tool.ts';

/** A bounded piece of a document, by pointer. */
export const read = defineTool({
  name: 'rlm_read',
  title: 'Read a piece of a document',
  description:
    'Reads a bounded piece of an ingested document by pointer: a chunk_id of rlm_search, or a source with lines or bytes. Returns the text with its line numbers, and where to read on.',
  input: z.object({
    run_id: runIdInput,
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
  output: ReadResult,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['run_id'],
    examples: [
      'read my-documents --chunk-id c-000012',
      'read my-documents --source docs/unpdf.md --line-start 10 --line-end 40',
    ],
  },
  async run(input, context) {
    const { readSpan } = await import('../corpus/index.ts');
    const run = context.openRun(input.run_id);
    const result = await readSpan(run.dir, requestOf(input), { maxBytes: input.max_bytes });
    const bytes = jsonBytes(result.text);
    if (bytes <= input.max_bytes * 1.15) return result;
    // Quotes, backslashes and control characters take up to six times their bytes in JSON.
    const maxBytes = Math.floor((input.max_bytes * Buffer.byteLength(result.text)) / bytes);
    return readSpan(run.dir, requestOf(input), { maxBytes });
  },
});

interface Pointer {
  chunk_id?: string | undefined;
  source?: string | undefined;
  line_start?: number | undefined;
  line_end?: number | undefined;
  byte_start?: number | undefined;
  byte_end?: number | undefined;
}

function requestOf({ chunk_id, source, line_start, line_end, byte_start, byte_end }: Pointer) {
  if (chunk_id !== undefined && source === undefined) return { chunk_id };
  if (source !== undefined && chunk_id === undefined) {
    if (byte_start !== undefined && line_start === undefined) return { source, byte_start, byte_end };
    if (byte_start === undefined) return { source, line_start: line_start ?? 1, line_end };
  }
  throw new RlmError('usage', 'give a chunk_id, or a source with either lines or bytes');
}
