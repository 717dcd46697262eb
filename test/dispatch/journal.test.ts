import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_USAGE } from '../../src/contracts/index.ts';
import { Journal, ResultReader, readEvents, readHistory } from '../../src/dispatch/index.ts';
import { ownIdentity } from '../../src/files/index.ts';
import { temporaryDirectory } from '../support/runs.ts';

const usage = { ...NO_USAGE, input_tokens: 100, output_tokens: 10 };
const result = (id: string, status: 'accepted' | 'failed', errors: string[] = []) => ({
  type: 'result' as const,
  result: {
    id,
    status,
    attempts: 1,
    usage,
    cost_usd: null,
    duration_ms: 1,
    worker: 'command',
    model: null,
    cache_hit: false,
    failure_class: status === 'failed' ? ('crashed' as const) : null,
    errors,
    log_paths: [],
    key: 'k',
  },
});
const attempt = (id: string) => ({ type: 'attempt_started' as const, id, attempt: 1, worker: 'command' });
const ended = (id: string) => ({
  type: 'attempt_ended' as const,
  id,
  attempt: 1,
  usage,
  cost_usd: 0.01,
  duration_ms: 1,
});
const stage = (added: number, carried = 0) => ({
  type: 'assignments' as const,
  added,
  carried,
  concurrency: 4,
  worker: 'command/argv',
  why: 'test',
});

function firstDriver(path: string): Journal {
  const journal = new Journal(path);
  journal.append({ type: 'driver_started', generation: 1, driver: ownIdentity() });
  journal.append(stage(4));
  for (const id of ['a', 'b', 'c', 'd']) journal.append(attempt(id));
  for (const id of ['a', 'b', 'c']) journal.append(ended(id));
  journal.append(result('a', 'accepted'));
  journal.append(result('b', 'accepted', ['x'.repeat(50_000)]));
  journal.append(result('c', 'failed', ['attempt 1: crashed']));
  return journal;
}

describe('the journal', () => {
  it('counts as it writes, and a reader of the file counts the same', async () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    const journal = firstDriver(path);
    expect(journal.progress).toMatchObject({ total: 4, accepted: 2, failed: 1, running: 1, attempts: 4 });
    expect(journal.progress).toMatchObject({ usage: { input_tokens: 300 }, cost_usd: 0.03 });
    expect((await readHistory(path)).progress).toEqual(journal.progress);
    journal.close();
  });

  it('tells the next driver what stands, what was tried and where each result is', async () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    firstDriver(path).close();
    const history = await readHistory(path);
    expect(history).toMatchObject({ generation: 1, carried: 2 });
    expect(history.attempts.get('a')).toBeUndefined();
    expect(history.attempts.get('c')).toMatchObject({ last: 1, usage });
    expect(history.attempts.get('d')).toMatchObject({ last: 1, usage: NO_USAGE });
    const results = new ResultReader(path);
    for (const id of ['a', 'b']) expect(results.read(history.accepted.get(id) ?? -1)?.id).toBe(id);
    expect(results.read(history.failed.get('c') ?? -1)).toMatchObject({ id: 'c', status: 'failed' });
    results.close();
  });

  it('starts the counts of a stage anew under a new driver, and adds further stages to it', () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    const first = firstDriver(path);
    first.close();
    const journal = new Journal(path, first.history);
    journal.append({ type: 'driver_started', generation: 2, driver: ownIdentity() });
    journal.append(stage(4, 2));
    expect(journal.progress).toMatchObject({ total: 4, accepted: 2, failed: 0, running: 0, attempts: 4 });
    journal.append({ type: 'stale', id: 'b', why: 'its inputs changed' });
    journal.append(stage(3));
    expect(journal.progress).toMatchObject({ total: 7, accepted: 1 });
    journal.close();
  });

  it('survives a torn last line and lines of a newer version', async () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    firstDriver(path).close();
    appendFileSync(
      path,
      '{"ts":"2026-11-20T00:00:00.000Z","type":"of_tomorrow"}\nnonsense\n{"ts":"2026-11-20T',
    );
    const journal = new Journal(path, await readHistory(path));
    journal.append(result('d', 'accepted'));
    journal.close();
    const types: string[] = [];
    for await (const events of readEvents(path)) types.push(...events.map(({ event }) => event.type));
    expect(types.filter((type) => type === 'result')).toHaveLength(4);
    expect((await readHistory(path)).carried).toBe(3);
  });

  it('knows what it has written as a reader of the file does', async () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    const first = firstDriver(path);
    first.close();
    const before = await readHistory(path);
    const journal = new Journal(path, before);
    journal.append({ type: 'stale', id: 'a', why: 'its inputs changed' });
    journal.append(result('c', 'accepted'));
    journal.close();
    const after = await readHistory(path);
    for (const id of ['a', 'b', 'c', 'd']) {
      expect(journal.history.accepted.get(id)).toBe(after.accepted.get(id));
      expect(journal.history.failed.get(id)).toBe(after.failed.get(id));
      expect(journal.history.attempts.get(id)).toEqual(after.attempts.get(id));
    }
    expect(journal.history).toMatchObject({ carried: 2, generation: 1, progress: after.progress });
    // What an earlier driver left is told apart from what was written since.
    expect(before.carried).toBe(2);
    expect(before.accepted.get('c')).toBeUndefined();
  });

  it('passes over lines that are no events of its own', async () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    const ts = '2026-11-20T00:00:00.000Z';
    const lines = [
      { ts, type: 'result', result: { id: 'x', status: 'accepted' } },
      { ts, type: 'attempt_ended', id: 'x' },
      { ts, type: 'attempt_started' },
      { type: 'note', message: 'without a time' },
      ['no', 'object'],
    ];
    appendFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const history = await readHistory(path);
    expect(history).toMatchObject({ carried: 0, progress: { accepted: 0, attempts: 0 } });
  });

  it('is read by type without the rest', async () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    firstDriver(path).close();
    const ids: string[] = [];
    for await (const events of readEvents(path, 0, new Set(['result']))) {
      for (const { event } of events) if (event.type === 'result') ids.push(event.result.id);
    }
    expect(ids).toEqual(['a', 'b', 'c']);
  });
});
