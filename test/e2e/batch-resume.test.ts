import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BatchSummary } from '../../src/contracts/index.ts';
import { answerAbout, jobOf, LANES, startLane } from '../support/lanes.ts';

// Real CLIs on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

const IDS = ['r-1', 'r-2', 'r-3', 'r-4', 'r-5', 'r-6'];
const USAGE = { input: 1000, output: 100 };

/** Jobs over the real app-server lane, and which of them the model was asked about since the last look. */
async function start(textFor: (id: string) => string = answerAbout) {
  const lane = LANES.find(({ name }) => name === 'codex app-server');
  if (lane === undefined) throw new Error('no such lane');
  const started = await startLane(lane, IDS, {
    keyOf: jobOf,
    reply: ({ prompt }) => ({ kind: 'answer', text: textFor(jobOf(prompt)), usage: USAGE }),
  });
  onTestFinished(() => started.close());
  let seen = 0;
  return {
    ...started,
    asked() {
      const calls = started.model.calls.slice(seen);
      seen += calls.length;
      return calls.map(({ prompt }) => jobOf(prompt)).sort();
    },
  };
}

test('another run over the same chunks launches nothing, unless it is told to', async () => {
  const run = await start();
  expect((await run.rlm(...run.batch())).code).toBe(0);
  expect(run.asked()).toEqual(IDS);
  const again = await run.rlm(...run.batch('--run-dir', 'again'));
  expect(again.code, again.stderr).toBe(0);
  expect(run.asked()).toEqual([]);
  const summary = BatchSummary.parse(
    JSON.parse(readFileSync(join(run.fixture.root, 'again', 'summary.json'), 'utf8')),
  );
  expect(summary).toMatchObject({ jobs_succeeded: 6, cache_hits: 6, usage_totals: { input_tokens: 0 } });
  for (const id of IDS) {
    const result = (runDir: string) =>
      readFileSync(join(run.fixture.root, runDir, 'subresults', `${id}.json`), 'utf8');
    expect(result('again')).toBe(result('run'));
  }
  await run.rlm(...run.batch('--run-dir', 'fresh', '--no-cache'));
  expect(run.asked()).toEqual(IDS);
  // Another model, and another question, are other answers.
  await run.rlm(...run.batch('--run-dir', 'other', '--model', 'another-model'));
  expect(run.asked()).toEqual(IDS);
});

test('a resume runs what failed, what was edited and what is gone, and nothing else', async () => {
  let bad = ['r-6'];
  const run = await start((id) => (bad.includes(id) ? 'no' : answerAbout(id)));
  const { runDir } = run.fixture;
  expect((await run.rlm(...run.batch('--retries', '0', '--no-cache'))).code).toBe(2);
  expect(run.asked()).toEqual(IDS);
  bad = [];
  run.fixture.write('chunks/r-2.txt', 'The code word of r-2 is w-r-2.\nAnd more.\n');
  rmSync(join(runDir, 'subresults', 'r-3.json'));
  run.fixture.write('run/subresults/r-4.json', '{"chunk_id":"c-r-4","relevant":false}\n');
  const resumed = await run.rlm('resume', '--run-dir', 'run');
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(run.asked()).toEqual(['r-2', 'r-3', 'r-4', 'r-6']);
  for (const id of IDS) {
    expect(JSON.parse(readFileSync(join(runDir, 'subresults', `${id}.json`), 'utf8'))).toMatchObject({
      chunk_id: `c-${id}`,
      relevant: true,
      evidence: [{ loc: `chunks/${id}.txt:${id === 'r-2' ? '1-1' : '2-2'}` }],
    });
  }
  expect(run.fixture.summary()).toMatchObject({
    state: 'completed',
    jobs_succeeded: 6,
    usage_totals: { input_tokens: 10_000, output_tokens: 1000 },
  });
  const stale = run.fixture.events().flatMap((event) => (event.type === 'stale' ? [event.id] : []));
  expect(stale.sort()).toEqual(['r-2', 'r-3', 'r-4']);

  // A completed run is gone on with by naming its directory again; with nothing changed nothing is asked.
  const same = await run.rlm(...run.batch('--no-cache'));
  expect(same.code, same.stderr).toBe(0);
  expect(run.asked()).toEqual([]);
  run.fixture.write('chunks/r-1.txt', 'The code word of r-1 is w-r-1.\n');
  await run.rlm(...run.batch('--no-cache'));
  expect(run.asked()).toEqual(['r-1']);
});

test('a limit leaves a valid partial result; a larger one finishes, the other limits standing', async () => {
  const run = await start();
  const limited = run.batch('--parallel', '1', '--no-cache', '--max-tokens', '3500', '--max-attempts', '5');
  const partial = await run.rlm(...limited);
  expect(partial.code, partial.stderr).toBe(2);
  // Each call uses 1100: a fourth would go beyond 3500.
  expect(run.asked()).toEqual(IDS.slice(0, 3));
  const summary = BatchSummary.parse(run.fixture.summary());
  expect(summary).toMatchObject({
    state: 'input_required',
    jobs_succeeded: 3,
    jobs_failed: 3,
    usage_totals: { input_tokens: 3000, output_tokens: 300 },
  });
  expect(summary.reason).toContain('max_tokens 3500');
  expect(summary.results.map(({ failure_class }) => failure_class)).toEqual([
    ...Array(3).fill(null),
    ...Array(3).fill('budget'),
  ]);

  const further = await run.rlm('resume', '--run-dir', 'run', '--max-tokens', '1000000');
  expect(further.code).toBe(2);
  expect(run.asked()).toEqual(['r-4', 'r-5']);
  expect(run.fixture.summary()).toMatchObject({
    state: 'input_required',
    reason: expect.stringContaining('max_attempts 5'),
  });
  const finished = await run.rlm('resume', '--run-dir', 'run', '--max-attempts', '6');
  expect(finished.code).toBe(0);
  expect(run.asked()).toEqual(['r-6']);
  expect(run.fixture.summary()).toMatchObject({
    state: 'completed',
    jobs_succeeded: 6,
    usage_totals: { input_tokens: 6000, output_tokens: 600 },
  });
});

test('a limit in dollars needs a price: said at once, and nothing is asked', async () => {
  const run = await start();
  const exit = await run.rlm(...run.batch('--max-cost-usd', '1'));
  expect(exit.code).toBe(1);
  expect(exit.stderr).toContain('max_cost_usd needs the price of the model');
  expect(exit.stderr).toContain('"prices" in .rlm/config.json');
  expect(run.asked()).toEqual([]);
  expect(existsSync(run.fixture.runDir)).toBe(false);
});
