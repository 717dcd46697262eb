import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AnswerCache } from '../../src/dispatch/index.ts';
import { temporaryDirectory } from '../support/runs.ts';

const KEY = AnswerCache.key(['chunk', 'question']);
const ANSWER = { text: '{}', worker: 'codex', model: 'm' };

/** The one file of a cache. */
function entryOf(state: string): string {
  const directory = join(state, '.rlm', 'cache', 'answers', KEY.slice(0, 2));
  const [name = ''] = readdirSync(directory);
  return join(directory, name);
}

describe('the cache of answers', () => {
  it('gives back what was put into it, under a key that no other list of parts has', () => {
    const cache = new AnswerCache(temporaryDirectory());
    expect(cache.get(KEY)).toBeUndefined();
    cache.put(KEY, ANSWER);
    expect(cache.get(KEY)).toMatchObject(ANSWER);
    for (const parts of [['chunkquestion'], ['chunk', 'question', null], ['question', 'chunk']]) {
      expect(cache.get(AnswerCache.key(parts))).toBeUndefined();
    }
  });

  it.each(['', '{"schema_version":1,"text":"{}"', '[]', '{"schema_version":2,"text":"{}"}'])(
    'passes over an entry that is damaged, and replaces it: %j',
    (damage) => {
      const state = temporaryDirectory();
      const cache = new AnswerCache(state);
      cache.put(KEY, ANSWER);
      writeFileSync(entryOf(state), damage);
      expect(cache.get(KEY)).toBeUndefined();
      cache.put(KEY, ANSWER);
      expect(cache.get(KEY)).toMatchObject(ANSWER);
    },
  );

  it('does not believe an entry that was edited, or is that of another key', () => {
    const state = temporaryDirectory();
    const cache = new AnswerCache(state);
    cache.put(KEY, ANSWER);
    const entry = JSON.parse(readFileSync(entryOf(state), 'utf8'));
    for (const edited of [{ text: '{"forged":true}' }, { model: 'another' }]) {
      writeFileSync(entryOf(state), JSON.stringify({ ...entry, ...edited }));
      expect(cache.get(KEY)).toBeUndefined();
    }
    const other = AnswerCache.key(['another question']);
    const place = join(state, '.rlm', 'cache', 'answers', other.slice(0, 2));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `${other.slice(2)}.json`), JSON.stringify(entry));
    expect(cache.get(other)).toBeUndefined();
  });

  it('does not wait for a pipe in the place of an entry', () => {
    const state = temporaryDirectory();
    const cache = new AnswerCache(state);
    cache.put(KEY, ANSWER);
    const path = entryOf(state);
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(cache.get(KEY)).toBeUndefined();
  });

  it('fails nobody where it cannot be written', () => {
    const state = temporaryDirectory();
    mkdirSync(join(state, '.rlm', 'cache'), { recursive: true });
    writeFileSync(join(state, '.rlm', 'cache', 'answers'), '');
    const blocked = new AnswerCache(state);
    blocked.put(KEY, ANSWER);
    expect(blocked.get(KEY)).toBeUndefined();

    const other = temporaryDirectory();
    const entry = join(other, '.rlm', 'cache', 'answers', KEY.slice(0, 2), `${KEY.slice(2)}.json`);
    mkdirSync(entry, { recursive: true });
    new AnswerCache(other).put(KEY, ANSWER);
    expect(readdirSync(dirname(entry))).toHaveLength(1);
  });
});
