import { AskOptions } from '../contracts/index.ts';
import { RunReport } from '../resources/index.ts';
import { waitSecInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** A question over documents, end to end. */
export const ask = defineTool({
  name: 'rlm_ask',
  title: 'Ask a question over documents',
  description:
    'Answers a question over documents too large for one context (files, directories, globs; gigabytes), with citations that were each checked against the bytes of the source, and says what was not read. The result carries the answer; a longer one goes on in the background: then rlm_wait with the run_id.',
  input: AskOptions.extend({ wait_sec: waitSecInput }),
  example: { question: 'What is the default time limit?', input: ['docs'] },
  output: RunReport,
  // It calls models, which are outside of this machine; it writes only inside its run directory.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  startsWork: true,
  command: {
    name: 'ask',
    positional: ['question'],
    examples: [
      'ask "How do I extract images?" --input docs README.md',
      'ask "What changed in the API?" --input "src/**/*.ts" --dry-run --sample 5',
      'ask "Who signed?" --input contracts --worker claude --max-cost-usd 2',
    ],
  },
});
