import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BatchFixture } from '../support/batch-run.ts';
import { answerAbout, jobOf, LANES, type Lane, refusal, startLane } from '../support/lanes.ts';
import { rlm } from '../support/rlm.ts';
import { place } from '../support/runs.ts';
import type { ScriptedReply } from '../support/script.ts';

/** Our own back-off, out of the way: what lies between two tries is what the provider asked for. */
const LIMITS = { backoff_ms: 1, backoff_max_ms: 1 };
const WAIT_MS = 2000;
const SAID = `The model is overloaded. Please try again in ${WAIT_MS / 1000}s.`;

/** How a provider asks for patience: before it has answered, and in the middle of its stream. */
const WAYS: { name: string; reply: (lane: Lane) => ScriptedReply }[] = [
  { name: 'status 503', reply: (lane) => refusal(lane, 503, { type: 'overloaded_error', message: SAID }) },
  {
    name: 'a failed stream',
    reply: () => ({ kind: 'failed', type: 'rate_limit_exceeded', message: SAID }),
  },
];

describe.each(LANES)('$name', (lane) => {
  test.each(WAYS)(
    'comes back no earlier than $name says',
    async ({ reply }) => {
      const started = await startLane(
        lane,
        ['a'],
        {
          keyOf: jobOf,
          reply: ({ prompt, earlier }) =>
            earlier === 0 ? reply(lane) : { kind: 'answer', text: answerAbout(jobOf(prompt)) },
        },
        { limits: LIMITS },
      );
      onTestFinished(() => started.close());
      const { code, stderr } = await started.rlm(...started.batch());
      const ended = started.fixture.events().filter((event) => event.type === 'attempt_ended');
      expect(code, stderr + JSON.stringify(ended)).toBe(0);
      const [first, second, ...more] = started.model.calls;
      expect(more).toEqual([]);
      expect(
        (second?.arrivedAt ?? 0) - (first?.repliedAt ?? 0),
        JSON.stringify(ended),
      ).toBeGreaterThanOrEqual(WAIT_MS - 1);
    },
    60_000,
  );
});

test('a runner script comes back no earlier than its log says', async () => {
  const fixture = new BatchFixture(['a']);
  place(join(fixture.root, '.rlm', 'config.json'), JSON.stringify({ limits: LIMITS }));
  const answer = JSON.stringify({ item: { type: 'agent_message', text: answerAbout('a') } });
  const failed = JSON.stringify({
    type: 'turn.failed',
    error: { message: `Rate limit reached: ${SAID}` },
  });
  const runner = fixture.script(
    'runner.sh',
    `date +%s%3N >> ${fixture.root}/tries
if [ "$(wc -l < ${fixture.root}/tries)" = 1 ]; then echo '${failed}'; exit 1; fi
echo '${answer}'`,
  );
  const args = ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--runner-script', runner];
  const { code, stderr } = await rlm(args, { cwd: fixture.root });
  expect(code, stderr).toBe(0);
  const tries = readFileSync(join(fixture.root, 'tries'), 'utf8').trim().split('\n').map(Number);
  expect(tries).toHaveLength(2);
  expect((tries[1] ?? 0) - (tries[0] ?? 0)).toBeGreaterThanOrEqual(WAIT_MS - 1);
});
