import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { answerAbout, jobOf, LANES, startLane } from '../support/lanes.ts';
import { place } from '../support/runs.ts';

test.each([
  ['no word of it leaves the default of Claude', {}, [], 'medium'],
  ['that of the configuration is used', { effort: 'high' }, [], 'high'],
  ['a flag beats the configuration', { effort: 'high' }, ['--effort', 'low'], 'low'],
])('the effort of a Claude worker: %s', async (_, settings, flags, sent) => {
  const lane = LANES.find(({ name }) => name === 'claude -p');
  if (lane === undefined) throw new Error('no Claude lane');
  const setup = await startLane(lane, ['j-01'], {
    keyOf: jobOf,
    reply: ({ prompt }) => ({ kind: 'answer', text: answerAbout(jobOf(prompt)) }),
  });
  onTestFinished(() => setup.close());
  place(join(setup.fixture.root, '.rlm', 'config.json'), JSON.stringify(settings));
  expect(await setup.rlm(...setup.batch('--model', 'opus', ...flags))).toMatchObject({ code: 0 });
  expect(setup.model.calls.map(({ body }) => body.output_config)).toEqual([{ effort: sent }]);
});
