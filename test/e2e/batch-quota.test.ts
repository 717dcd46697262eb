import { describe, expect, onTestFinished, test } from 'vitest';
import { answerAbout, jobOf, LANES, type Lane, refusal, startLane } from '../support/lanes.ts';
import { exitOf } from '../support/rlm.ts';
import type { ScriptedReply } from '../support/script.ts';
import { until } from '../workers/request.ts';

const IDS = Array.from({ length: 10 }, (_, at) => `q-${at}`);
/** How long a test waits for what must come, on a busy machine; milliseconds. */
const PATIENCE_MS = 40_000;
/** The one whose call meets the end of the allowance. */
const UNLUCKY = 'q-1';
const RESET = Math.floor(Date.now() / 1000) + 3600;

/** A used-up allowance, as the provider of each CLI tells of it. */
function usedUp(lane: Lane): ScriptedReply {
  return lane.api === 'messages'
    ? refusal(
        lane,
        429,
        { type: 'rate_limit_error', message: 'limit' },
        {
          'anthropic-ratelimit-unified-status': 'rejected',
          'anthropic-ratelimit-unified-reset': String(RESET),
          'anthropic-ratelimit-unified-representative-claim': 'five_hour',
        },
      )
    : refusal(lane, 429, {
        type: 'usage_limit_reached',
        message: 'The usage limit has been reached',
        plan_type: 'plus',
        resets_at: RESET,
      });
}

/** An allowance is what an account has, not a key. */
const ACCOUNT = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' };

describe.each(LANES)('a quota met by $name', (lane) => {
  test('nothing is launched after it, and resume runs the rest and only the rest', async () => {
    let toldAll: () => void = () => {};
    const told = new Promise<void>((resolve) => {
      toldAll = resolve;
    });
    let filled = false;
    const started = await startLane(lane, IDS, {
      keyOf: jobOf,
      async reply({ prompt }) {
        const answer: ScriptedReply = {
          kind: 'answer',
          text: answerAbout(jobOf(prompt)),
          usage: { input: 9, output: 1 },
        };
        if (filled) return answer;
        if (jobOf(prompt) === UNLUCKY) {
          // The others are under way, and stay so until the quota was understood.
          await until(() => (started.model.open === 4 ? true : undefined), PATIENCE_MS);
          return usedUp(lane);
        }
        await told;
        return answer;
      },
    });
    onTestFinished(() => started.close());
    Object.assign(started.env, ACCOUNT);
    const exit = exitOf(started.start(started.batch()));
    await until(
      () =>
        started.fixture
          .events()
          .find((event) => event.type === 'attempt_ended' && event.failure?.class === 'quota'),
      PATIENCE_MS,
    );
    toldAll();
    expect(await exit).toMatchObject({ code: 75 });
    expect(started.model.calls.map(({ prompt }) => jobOf(prompt)).sort()).toEqual(IDS.slice(0, 4));
    expect(started.fixture.summary()).toMatchObject({
      state: 'input_required',
      jobs_total: 10,
      jobs_succeeded: 3,
      jobs_failed: 7,
      usage_totals: { input_tokens: 27, output_tokens: 3 },
    });
    const status = JSON.parse((await started.rlm('status', '--run-dir', 'run', '--json')).stdout).run;
    expect(status).toMatchObject({ state: 'input_required', driver: 'ended' });
    const reset = /until (\S+Z)/.exec(status.reason)?.[1] ?? '';
    // Codex tells the time of day, to the minute.
    expect(Math.abs(Date.parse(reset) / 1000 - RESET)).toBeLessThanOrEqual(60);

    filled = true;
    const resumed = await started.rlm('resume', '--run-dir', 'run');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(
      started.model.calls
        .slice(4)
        .map(({ prompt }) => jobOf(prompt))
        .sort(),
    ).toEqual([UNLUCKY, ...IDS.slice(4)]);
    const { results, ...summary } = started.fixture.summary();
    expect(summary).toMatchObject({
      state: 'completed',
      jobs_succeeded: 10,
      usage_totals: { input_tokens: 90, output_tokens: 10 },
    });
    expect(results.map(({ attempts }) => attempts)).toEqual(IDS.map((id) => (id === UNLUCKY ? 2 : 1)));
    expect(started.model.strays).toEqual([]);
    expect(started.proxied).toEqual([]);
  }, 90_000);
});

test('a job that waits for its next try does not hold up the pause', async () => {
  const [, lane] = LANES;
  if (lane === undefined) throw new Error('no such lane');
  const started = await startLane(
    lane,
    IDS,
    {
      keyOf: jobOf,
      async reply({ prompt }) {
        if (jobOf(prompt) !== UNLUCKY) return refusal(lane, 500, { type: 'api_error', message: 'boom' });
        await until(() =>
          started.fixture
            .events()
            .find((event) => event.type === 'attempt_ended' && event.failure?.class === 'server'),
        );
        return usedUp(lane);
      },
    },
    { limits: { backoff_ms: 3_000_000, backoff_max_ms: 3_000_000 } },
  );
  onTestFinished(() => started.close());
  expect((await started.rlm(...started.batch('--parallel', '2'))).code).toBe(75);
  expect(started.fixture.summary()).toMatchObject({ state: 'input_required', jobs_succeeded: 0 });
  expect(started.model.calls).toHaveLength(2);
});
