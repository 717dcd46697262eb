import { dirname, join } from 'node:path';
import type { FinalAnswer } from '../contracts/index.ts';
import { RUN_FILES } from '../contracts/index.ts';
import type { Corpus } from '../corpus/index.ts';
import { gateAnswer, gateError, type Reduced } from '../evidence/index.ts';
import { ensureDirectory, writeJsonAtomic } from '../files/index.ts';
import { sourceReader } from './reduce-run.ts';

/**
 * Passes an answer through the gate and writes `out/answer.json`: the only way to it.
 *
 * @param options.checkStatements whether statements without a citation are looked for: somebody else wrote it
 * @returns the answer as it was written, the sentences that claimed an absence and became gaps in it, and the
 *   statements without a citation that its gaps name
 * @throws RlmError `usage` with every problem, in words that its author can act on
 */
export function finalizeAnswer(
  corpus: Corpus,
  candidate: unknown,
  reduced: Reduced,
  options: { checkStatements?: boolean } = {},
): { answer: FinalAnswer; moved: string[]; uncited: string[] } {
  const reader = sourceReader(corpus);
  try {
    const result = gateAnswer(candidate, { ...reduced, reader, ...options });
    if (!result.ok) throw gateError(result.problems);
    const path = join(corpus.runDir, RUN_FILES.answer);
    ensureDirectory(dirname(path));
    writeJsonAtomic(path, result.answer, { sync: true });
    const { answer, moved, uncited } = result;
    return { answer, moved, uncited };
  } finally {
    reader.close();
  }
}
