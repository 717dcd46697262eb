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

/** Limits of a synthesis; lengths in characters. */
export const SYNTHESIS_LIMITS = {
  claims: 100,
  claim: 1200,
  conflicts: 50,
  conflict: 400,
  evidence: 20,
  gaps: 50,
  gap: 400,
} as const;

/** What a model answers that got the question and numbered evidence. */
export const SynthesisAnswer = z.strictObject({
  claims: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(SYNTHESIS_LIMITS.claim).describe('One statement, without citation marks'),
        evidence: z
          .array(z.int().positive())
          .min(1)
          .max(SYNTHESIS_LIMITS.evidence)
          .describe('Numbers of the evidence that says so'),
      }),
    )
    .max(SYNTHESIS_LIMITS.claims)
    .describe(
      'The answer, statement by statement, in reading order; empty when the evidence answers nothing',
    ),
  conflicts: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(SYNTHESIS_LIMITS.conflict).describe('What the two sides say'),
        evidence: z
          .array(z.int().positive())
          .min(2)
          .max(SYNTHESIS_LIMITS.evidence)
          .describe('Numbers of the evidence on both sides'),
      }),
    )
    .max(SYNTHESIS_LIMITS.conflicts),
  gaps: z
    .array(z.string().min(1).max(SYNTHESIS_LIMITS.gap))
    .max(SYNTHESIS_LIMITS.gaps)
    .describe('What the evidence leaves unanswered'),
  confidence: z.number().min(0).max(1),
});
export type SynthesisAnswer = z.infer<typeof SynthesisAnswer>;
