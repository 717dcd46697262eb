import { z } from 'zod';

/** Limits of a worker's answer (CONTRACTS.md A). */
export const ANSWER_LIMITS = {
  chunkId: 128,
  summary: 1200,
  quote: 320,
  note: 400,
  loc: 512,
  evidence: 50,
  list: 30,
  item: 240,
} as const;

/** A quote and where it stands, `path:first_line-last_line`. Not described in the schema: the instructions say it, and each call pays. */
const EvidenceItem = z.strictObject({
  loc: z
    .string()
    .max(ANSWER_LIMITS.loc)
    .regex(/^.+:[0-9]+-[0-9]+$/),
  quote: z.string().min(1).max(ANSWER_LIMITS.quote),
  note: z.string().min(1).max(ANSWER_LIMITS.note),
});

/** What a worker answers about one chunk. */
export const WorkerAnswer = z.strictObject({
  chunk_id: z.string().min(1).max(ANSWER_LIMITS.chunkId),
  relevant: z.boolean(),
  summary: z.string().min(1).max(ANSWER_LIMITS.summary),
  confidence: z.number().min(0).max(1),
  evidence: z.array(EvidenceItem).max(ANSWER_LIMITS.evidence),
  gaps: z.array(z.string().min(1).max(ANSWER_LIMITS.item)).max(ANSWER_LIMITS.list),
  errors: z.array(z.string().min(1).max(ANSWER_LIMITS.item)).max(ANSWER_LIMITS.list),
});
export type WorkerAnswer = z.infer<typeof WorkerAnswer>;
