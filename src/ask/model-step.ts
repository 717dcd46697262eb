import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { findJsonObject } from '../batch/index.ts';
import { type ResultRecord, RUN_FILES } from '../contracts/index.ts';
import {
  type Acceptance,
  AnswerCache,
  type Assignment,
  type FlowContext,
  ResultReader,
  type Stop,
  type WorkSession,
} from '../dispatch/index.ts';
import { ensureDirectory, readTextFile, writeFileAtomic, writeJsonAtomic } from '../files/index.ts';
import { sha256 } from '../text/index.ts';

/** One call that a flow makes of its own, besides the jobs over chunks. */
export interface ModelStep<Answer> {
  /** Id of the assignment, unique in the run. */
  id: string;
  instructions: string;
  input: string;
  /** What the answer must be, for us and for the provider's strict mode. */
  schema: z.ZodType<Answer>;
  /** Checks beyond the schema: messages for the model. */
  check(answer: Answer): string[];
}

/** What a flow makes its calls within. */
export interface StepContext {
  session: WorkSession;
  context: FlowContext;
  /** Of each attempt. */
  timeoutSec: number;
}

/**
 * Makes model calls of a flow through dispatch, several at a time: retries with what was wrong, cache, budget
 * and resume are those of jobs. Answers lie under `ask/`.
 *
 * @returns an answer for each step, undefined for one that failed; why the last of those failed; and why it
 *   stopped early, if it did
 */
export async function runModelSteps<Answer>(
  steps: ModelStep<Answer>[],
  within: StepContext,
): Promise<{ answers: Array<Answer | undefined>; failure: string | undefined; stop: Stop | undefined }> {
  const { session, context } = within;
  const { history, run } = context;
  const carried = steps.filter((step) => history.accepted.get(step.id)).length;
  // Steps that were called now, and those of them whose answer was accepted: an older file counts only for a
  // step that was skipped because its answer is still valid.
  const called = new Set<string>();
  const accepted = new Set<string>();
  const assignments = steps.map((step) => assignmentOf(step, within, { called, accepted }));
  const stop = await session.dispatch(assignments, { added: steps.length, carried });
  const answers = steps.map((step) => {
    const path = answerPath(run.dir, step.id);
    const isValid = history.accepted.get(step.id) && !called.has(step.id);
    if ((!isValid && !accepted.has(step.id)) || !existsSync(path)) return undefined;
    return step.schema.safeParse(JSON.parse(readTextFile(path))).data;
  });
  const failed = stop === undefined ? steps.findLast((_, index) => answers[index] === undefined) : undefined;
  const errors = failed === undefined ? [] : (readResult(context, failed.id)?.errors ?? []);
  return { answers, failure: errors.at(-1), stop };
}

/** The last result of an assignment, from the journal. */
export function readResult({ run, journal }: FlowContext, id: string): ResultRecord | undefined {
  const { accepted, failed } = journal.history;
  const offset = accepted.get(id) || failed.get(id);
  if (offset === undefined) return undefined;
  const results = new ResultReader(join(run.dir, RUN_FILES.events));
  try {
    return results.read(offset);
  } finally {
    results.close();
  }
}

function assignmentOf<Answer>(
  step: ModelStep<Answer>,
  { session, context, timeoutSec }: StepContext,
  seen: { called: Set<string>; accepted: Set<string> },
): Assignment {
  const { dir } = context.run;
  const output = answerPath(dir, step.id);
  const schemaPath = join(dir, 'ask', `${step.id}.schema.json`);
  const schema: Record<string, unknown> = { ...z.toJSONSchema(step.schema) };
  const key = AnswerCache.key([step.instructions, step.input, JSON.stringify(schema), session.model]);
  return {
    id: step.id,
    async prepare() {
      ensureDirectory(dirname(schemaPath));
      writeJsonAtomic(schemaPath, schema);
      return {
        key,
        cacheKey: key,
        call() {
          seen.called.add(step.id);
          return {
            instructions: step.instructions,
            input: step.input,
            schema: { path: schemaPath, value: schema },
            model: session.model,
            effort: session.effort,
            sandbox: { mode: 'read-only' },
            tools: false,
            cwd: session.cwd,
            timeoutMs: timeoutSec * 1000,
          };
        },
        accept: (text) => acceptJson(text, step),
        commit(text) {
          writeFileAtomic(output, text);
          seen.accepted.add(step.id);
          return { output_path: output, output_sha256: sha256(text) };
        },
      };
    },
  };
}

function acceptJson<Answer>(text: string, step: ModelStep<Answer>): Acceptance {
  const value = findJsonObject(text);
  if (value === undefined) return { ok: false, errors: ['there is no JSON object in the answer'] };
  const parsed = step.schema.safeParse(value);
  if (!parsed.success) return { ok: false, errors: [z.prettifyError(parsed.error)] };
  const errors = step.check(parsed.data);
  return errors.length > 0
    ? { ok: false, errors }
    : { ok: true, text: `${JSON.stringify(parsed.data, null, 2)}\n` };
}

function answerPath(runDir: string, id: string): string {
  return join(runDir, 'ask', `${id}.json`);
}
