/** What is left of an answer's confidence when its evidence seems to contradict itself. */
const CONFLICT_FACTOR = 0.8;

/** The confidence of an answer: between 0 and 1, with two digits. */
export function answerConfidence(value: number, conflicting: boolean): number {
  const weighed = value * (conflicting ? CONFLICT_FACTOR : 1);
  return Math.round(Math.min(1, Math.max(0, weighed)) * 100) / 100;
}
