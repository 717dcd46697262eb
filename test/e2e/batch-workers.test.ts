import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NO_USAGE, type Usage } from '../../src/contracts/index.ts';
import { answerAbout, jobOf, LANES, type Lane, refusal, startLane } from '../support/lanes.ts';
import type { RecordedCall } from '../support/model-server.ts';
import type { Exit } from '../support/rlm.ts';
import type { ScriptedReply, ScriptedUsage } from '../support/script.ts';

const IDS = Array.from({ length: 24 }, (_, at) => `j-${String(at + 1).padStart(2, '0')}`);
/** Long enough for a real CLI to start on a busy machine; one job meets each limit. */
const IDLE_SEC = 12;
const WALL_SEC = 10;

/** What the model does to the jobs that do not simply succeed: the nth entry is its nth reply. */
type Fault = (lane: Lane, id: string) => ScriptedReply;
const throttled: Fault = (lane) =>
  refusal(lane, 429, { type: 'rate_limit_error', message: 'Slow down.' }, { 'retry-after': '1' });
const broken: Fault = (lane) => refusal(lane, 500, { type: 'api_error', message: 'boom' });
const cut: Fault = () => ({ kind: 'cut' });
const hang: Fault = () => ({ kind: 'hang' });
const says =
  (text: (id: string) => string): Fault =>
  (_, id) => ({ kind: 'answer', text: text(id) });
const noJson = says(() => 'The answer is: {');
const offSchema = says((id) => answerAbout(id, { confidence: 0.95 }));
const otherChunk = says(() => answerAbout('another'));
const FAULTS: Readonly<Record<string, Fault[]>> = {
  'j-01': [throttled],
  'j-02': [broken],
  'j-03': [cut],
  'j-04': [noJson],
  'j-05': [offSchema],
  'j-06': [otherChunk],
  'j-07': [hang],
  'j-08': [noJson, offSchema, otherChunk],
  // Faults that pass do not use up the two retries.
  'j-10': [throttled, broken, cut, throttled],
  'j-11': [hang],
};
const OVERFLOWING = 'j-09';
/** Its lines; `The same line.` stands in both halves. */
const LONG_CHUNK = [
  'First line.',
  'The same line.',
  'Third line.',
  'Fourth line.',
  'The same line.',
  'Last line.',
];

/** What is asked again in two halves: a chunk of several lines that did not fit, or took too long. */
const SLOW = 'j-07';
const SPLIT: ReadonlySet<string> = new Set([OVERFLOWING, SLOW]);
/** A chunk of one line, which cannot be split, of a worker that falls silent. */
const ONE_LINE = 'j-11';

function usageOf(id: string, call: number): ScriptedUsage {
  const job = Number(id.slice(2));
  return { input: 1000 + 10 * job + call, cached: 100 + job, output: 40 + job, reasoning: 5 };
}

/** The reply to the nth call (from 0) about a job. */
function replyTo(lane: Lane, prompt: string, call: number): ScriptedReply {
  const id = jobOf(prompt);
  const reply = id === OVERFLOWING ? overflow(lane, prompt) : FAULTS[id]?.[call]?.(lane, id);
  const chosen: ScriptedReply = reply ?? { kind: 'answer', text: answerAbout(id) };
  return chosen.kind === 'answer' ? { ...chosen, usage: usageOf(id, call) } : chosen;
}

/** Too long as a whole; about a half it quotes all three lines of it. */
function overflow(lane: Lane, prompt: string): ScriptedReply {
  if (prompt.includes('First line.') && prompt.includes('Last line.')) {
    return lane.api === 'messages'
      ? refusal(lane, 400, {
          type: 'invalid_request_error',
          message: 'prompt is too long: 250000 tokens > 200000 maximum',
        })
      : refusal(lane, 400, {
          type: 'invalid_request_error',
          code: 'context_length_exceeded',
          message: 'Too long.',
        });
  }
  const from = Number(/from line (\d+)/.exec(prompt)?.[1]);
  const evidence = LONG_CHUNK.slice(from - 1, from + 2).map((quote, at) => ({
    loc: `chunks/${OVERFLOWING}.txt:${from + at}-${from + at}`,
    quote,
    note: `of the half at line ${from}`,
  }));
  return { kind: 'answer', text: answerAbout(OVERFLOWING, { evidence, summary: `From line ${from}.` }) };
}

/** What the script implies for a job: how often it is called, and the usage of every answer that was completed. */
function implied(lane: Lane, id: string): { attempts: number; usage: Usage; failed: boolean } {
  const faults = FAULTS[id]?.map((fault) => fault(lane, id)) ?? [];
  const failed = faults.filter(({ kind }) => kind === 'answer').length > 2;
  const attempts = SPLIT.has(id) ? 3 : faults.length + (failed ? 0 : 1);
  const answered = Array.from({ length: attempts }, (_, call) => call).filter((call) =>
    id === OVERFLOWING ? call > 0 : (faults[call]?.kind ?? 'answer') === 'answer',
  );
  return { attempts, failed, usage: sum(answered.map((call) => ofLane(lane, usageOf(id, call)))) };
}

/** Claude's own count has no reasoning tokens apart. */
function ofLane(lane: Lane, usage: ScriptedUsage): Usage {
  return {
    input_tokens: usage.input,
    cached_input_tokens: usage.cached ?? 0,
    output_tokens: usage.output,
    reasoning_output_tokens: lane.api === 'responses' ? (usage.reasoning ?? 0) : 0,
  };
}

function sum(usages: Usage[]): Usage {
  const total = { ...NO_USAGE };
  for (const usage of usages) {
    total.input_tokens += usage.input_tokens;
    total.cached_input_tokens += usage.cached_input_tokens;
    total.output_tokens += usage.output_tokens;
    total.reasoning_output_tokens += usage.reasoning_output_tokens;
  }
  return total;
}

type Run = Awaited<ReturnType<typeof startLane>> & { exit: Exit };
const runs = new Map<string, Run>();

/** All lanes at once: most of the time they wait for the model that says nothing. */
beforeAll(async () => {
  await Promise.all(
    LANES.map(async (lane) => {
      const started = await startLane(
        lane,
        IDS,
        { keyOf: jobOf, reply: ({ prompt, earlier }) => replyTo(lane, prompt, earlier) },
        { job: (id) => (id === SLOW ? { timeout_sec: WALL_SEC } : {}) },
      );
      started.fixture.write(`chunks/${OVERFLOWING}.txt`, `${LONG_CHUNK.join('\n')}\n`);
      started.fixture.write(`chunks/${ONE_LINE}.txt`, `The code word of ${ONE_LINE} is w-${ONE_LINE}.\n`);
      const exit = await started.rlm(
        ...started.batch('--idle-timeout-sec', String(IDLE_SEC), '--model', 'haiku'),
      );
      runs.set(lane.name, { ...started, exit });
    }),
  );
}, 240_000);
afterAll(() => Promise.all([...runs.values()].map((run) => run.close())));

describe.each(LANES)('24 jobs through $name', (lane) => {
  const run = (): Run => {
    const found = runs.get(lane.name);
    if (found === undefined) throw new Error('the batch did not run');
    return found;
  };
  const callsOf = (id: string): RecordedCall[] =>
    run().model.calls.filter(({ prompt }) => jobOf(prompt) === id);

  test('every job ends as the script implies', () => {
    const { exit, fixture } = run();
    const summary = fixture.summary();
    expect(
      summary.results.map(({ job_id, status, attempts, failure_class, usage, quotes_missing, errors }) => ({
        job_id,
        status,
        attempts,
        failure_class,
        usage,
        quotes_missing,
        faults: errors.length,
      })),
      exit.stderr,
    ).toEqual(
      IDS.map((id) => {
        const { attempts, failed, usage } = implied(lane, id);
        return {
          job_id: id,
          status: failed ? 'failed' : 'success',
          attempts,
          failure_class: failed ? 'invalid_output' : null,
          usage,
          quotes_missing: 0,
          faults: SPLIT.has(id) ? 1 : (FAULTS[id]?.length ?? 0),
        };
      }),
    );
    expect(summary).toMatchObject({ state: 'completed', jobs_total: 24, jobs_succeeded: 23, jobs_failed: 1 });
  });

  test('the totals are the sum of what the provider reported, and nothing else was called', () => {
    const { exit, fixture, model, proxied } = run();
    const total = sum(IDS.map((id) => implied(lane, id).usage));
    expect(fixture.summary().usage_totals).toEqual(total);
    expect(exit.code).toBe(2);
    expect(exit.stdout.trimEnd().split('\n').slice(-3)).toEqual([
      `summary: ${join(fixture.runDir, 'summary.json')}`,
      'jobs_total=24 jobs_succeeded=23 jobs_failed=1',
      `usage_totals=input_tokens=${total.input_tokens} cached_input_tokens=${total.cached_input_tokens} output_tokens=${total.output_tokens}`,
    ]);
    for (const id of IDS) expect(callsOf(id), id).toHaveLength(implied(lane, id).attempts);
    expect(model.calls).toHaveLength(IDS.reduce((calls, id) => calls + implied(lane, id).attempts, 0));
    expect(model.maxConcurrent).toBeLessThanOrEqual(4);
    expect(model.strays).toEqual([]);
    expect(proxied).toEqual([]);
    expect(fixture.workers()).toEqual([]);
  });

  test('every fault is told with its class', () => {
    const told = new Map<string, string[]>();
    for (const event of run().fixture.events()) {
      if (event.type !== 'attempt_ended' || event.failure === undefined) continue;
      told.set(event.id, [...(told.get(event.id) ?? []), event.failure.class]);
    }
    const invalid = 'invalid_output';
    expect(Object.fromEntries([...told].sort())).toEqual({
      'j-01': ['throttled'],
      'j-02': ['server'],
      'j-03': ['network'],
      'j-04': [invalid],
      'j-05': [invalid],
      'j-06': [invalid],
      'j-07': ['timeout'],
      'j-08': [invalid, invalid, invalid],
      'j-09': ['overflow'],
      'j-10': ['throttled', 'server', 'network', 'throttled'],
      'j-11': ['timeout'],
    });
  });

  test("the limits of time are the job's own and that of silence", () => {
    const ended = (id: string) =>
      run()
        .fixture.events()
        .flatMap((event) =>
          event.type === 'attempt_ended' && event.id === id && event.failure ? [event.failure.message] : [],
        );
    expect(ended(SLOW)).toEqual([expect.stringContaining(`limit of ${WALL_SEC * 1000} ms`)]);
    expect(ended(ONE_LINE)).toEqual([
      expect.stringMatching(new RegExp(`(silent|nothing) for ${IDLE_SEC * 1000} ms`)),
    ]);
  });

  test('a chunk that did not fit is answered in halves, every quote at its own lines', () => {
    const path = join(run().fixture.runDir, 'subresults', `${OVERFLOWING}.json`);
    const answer = JSON.parse(readFileSync(path, 'utf8'));
    const source = `chunks/${OVERFLOWING}.txt`;
    expect(answer).toMatchObject({
      chunk_id: `c-${OVERFLOWING}`,
      relevant: true,
      summary: 'From line 1. From line 4.',
      evidence: LONG_CHUNK.map((quote, at) => ({ quote, loc: `${source}:${at + 1}-${at + 1}` })),
    });
  });

  test('prompts share one prefix; the chunk comes last, a correction after it', () => {
    const { calls } = run().model;
    const prefixes = new Set(calls.map(({ prompt }) => prompt.slice(0, prompt.indexOf('Question: '))));
    expect([...prefixes]).toHaveLength(1);
    expect([...prefixes][0]).toContain('You read one chunk of a larger document');
    for (const id of IDS) {
      const [first = '', ...later] = callsOf(id).map(({ prompt }) => prompt.trimEnd());
      const chunk = readFileSync(join(run().fixture.root, 'chunks', `${id}.txt`), 'utf8');
      // After the chunk comes a line that says so, and nothing else.
      expect(first.length - first.indexOf(chunk) - chunk.length, id).toBeLessThan(40);
      expect(first.indexOf(chunk), id).toBeGreaterThan(0);
      if (SPLIT.has(id)) continue;
      later.forEach((prompt, at) => {
        expect(prompt.startsWith(first), id).toBe(true);
        const corrected = FAULTS[id]?.[at]?.(lane, id).kind === 'answer';
        expect(prompt.slice(first.length).includes('Your last answer was not accepted'), `${id} ${at}`).toBe(
          corrected,
        );
      });
    }
    expect(callsOf('j-05').at(-1)?.prompt).toMatch(/\/confidence:? must be <= 0\.9/);
    expect(callsOf('j-06').at(-1)?.prompt).toContain("chunk_id is 'c-another' but this chunk is 'c-j-06'");
  });
});
