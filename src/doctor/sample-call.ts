import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CHUNK_INSTRUCTIONS, chunkInput } from '../batch/index.ts';
import { WorkerAnswer } from '../contracts/index.ts';
import type { WorkRequest } from '../workers/index.ts';

const SAMPLE_CHUNK = 'The sky over the harbour is blue today.\n';
const CHUNK_ID = 'doctor';

/** An answer that passes as one about the sample chunk. */
export const SAMPLE_ANSWER = JSON.stringify({
  chunk_id: CHUNK_ID,
  relevant: true,
  summary: 'The sky is blue.',
  confidence: 1,
  evidence: [],
  gaps: [],
  errors: [],
} satisfies WorkerAnswer);

/**
 * A chunk job as the batch would send it: its instructions, its prompt, the schema of its answer.
 *
 * @param directory gets the prompt, the schema and the log
 */
export function sampleRequest(
  directory: string,
  choice: { model: string | null; effort: string | null; timeoutMs: number; signal: AbortSignal },
): WorkRequest {
  mkdirSync(directory, { recursive: true });
  const { $schema: _dialect, ...schema } = z.toJSONSchema(WorkerAnswer);
  const schemaPath = join(directory, 'schema.json');
  writeFileSync(schemaPath, JSON.stringify(schema));
  const input = chunkInput(
    'What colour is the sky?',
    { chunkId: CHUNK_ID, parts: [{ source: 'doctor.md', lineStart: 1, text: SAMPLE_CHUNK }] },
    'doctor.md',
  );
  const promptPath = join(directory, 'prompt.txt');
  writeFileSync(promptPath, `${CHUNK_INSTRUCTIONS}\n${input}`);
  return {
    id: 'doctor',
    attempt: 1,
    instructions: CHUNK_INSTRUCTIONS,
    input,
    schema: { path: schemaPath, value: schema },
    model: choice.model,
    effort: choice.effort,
    sandbox: { mode: 'read-only' },
    tools: false,
    cwd: directory,
    timeoutMs: choice.timeoutMs,
    idleTimeoutMs: choice.timeoutMs,
    promptPath,
    logPath: join(directory, 'log.jsonl'),
    marks: {},
    signal: choice.signal,
  };
}
