import { Expansion } from '../contracts/index.ts';
import type { Stop } from '../dispatch/index.ts';
import { runModelSteps, type StepContext } from './model-step.ts';

const INSTRUCTIONS = `You prepare a question for a word search over documents that you do not see.

Answer with one JSON object: {"terms": [], "phrasings": []}.
- "terms": up to 40 single words, identifiers or short names that a document answering the question may use instead of the question's own words: synonyms, technical terms, option names, abbreviations and what they stand for, in the language of the question and in English.
- "phrasings": up to 10 short phrases in which a document may say it.
Do not answer the question. Do not repeat words that are in the question.
`;

/**
 * Asks a model for words that the documents may use instead of the question's. One call, kept in the run.
 *
 * @returns null when the model gave none that can be used: the search then goes by the question's own words
 */
export async function expandQuestion(
  question: string,
  within: StepContext,
): Promise<{ expansion: Expansion | null; stop: Stop | undefined }> {
  const step = {
    id: 'expansion',
    instructions: INSTRUCTIONS,
    input: `Question: ${question}\n`,
    schema: Expansion,
    check: () => [],
  };
  const { answers, stop } = await runModelSteps([step], within);
  return { expansion: answers[0] ?? null, stop };
}
