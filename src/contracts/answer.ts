import { z } from 'zod';

/** Limits of `out/answer.json` (CONTRACTS.md B). */
export const FINAL_LIMITS = {
  content: 20_000,
  citations: 500,
  claimId: 128,
  sourcesPerCitation: 20,
  source: 512,
  gaps: 200,
  gap: 500,
  artifacts: 100,
  artifact: 512,
} as const;

const Citation = z.strictObject({
  claim_id: z.string().min(1).max(FINAL_LIMITS.claimId),
  sources: z
    .array(z.string().min(1).max(FINAL_LIMITS.source))
    .min(1)
    .max(FINAL_LIMITS.sourcesPerCitation)
    .describe('Verified spans as path:first_line-last_line'),
});

/** `out/answer.json`. `[n]` in the content is the n-th citation. */
export const FinalAnswer = z.strictObject({
  content: z
    .string()
    .min(1)
    .max(FINAL_LIMITS.content)
    .describe('The answer; [n] refers to the n-th citation'),
  confidence: z.number().min(0).max(1),
  citations: z.array(Citation).max(FINAL_LIMITS.citations),
  gaps: z
    .array(z.string().min(1).max(FINAL_LIMITS.gap))
    .max(FINAL_LIMITS.gaps)
    .describe('What could not be answered, and why'),
  artifacts: z.array(z.string().min(1).max(FINAL_LIMITS.artifact)).max(FINAL_LIMITS.artifacts),
});
export type FinalAnswer = z.infer<typeof FinalAnswer>;

/** What a model answers that got the question and numbered evidence. */
export const SynthesisAnswer = z.strictObject({
  claims: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(1200).describe('One statement, without citation marks'),
        evidence: z.array(z.int().positive()).min(1).max(20).describe('Numbers of the evidence that says so'),
      }),
    )
    .max(100)
    .describe(
      'The answer, statement by statement, in reading order; empty when the evidence answers nothing',
    ),
  conflicts: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(400).describe('What the two sides say'),
        evidence: z
          .array(z.int().positive())
          .min(2)
          .max(20)
          .describe('Numbers of the evidence on both sides'),
      }),
    )
    .max(50),
  gaps: z.array(z.string().min(1).max(400)).max(50).describe('What the evidence leaves unanswered'),
  confidence: z.number().min(0).max(1),
});
export type SynthesisAnswer = z.infer<typeof SynthesisAnswer>;
