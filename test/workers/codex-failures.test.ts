import { expect, test } from 'vitest';
import { failureOfMessage, failureOfTurn } from '../../src/workers/codex/output.ts';

const now = new Date(2026, 10, 21, 13, 0, 0);

test.each([
  ['exceeded retry limit, last status: 429 Too Many Requests', 'throttled'],
  ['You’ve hit your usage limit. Upgrade to Pro or try again at 1:02 AM.', 'quota'],
  ['Quota exceeded. Check your plan and billing details.', 'quota'],
  ['{"error":{"message":"no more","type":"insufficient_quota"}}', 'quota'],
  ['unexpected status 401 Unauthorized: bad key, url: http://x/v1/responses', 'auth'],
  ['unexpected status 403 Forbidden: no, url: http://x/v1/responses', 'auth'],
  ['Missing environment variable: `MY_KEY`.', 'auth'],
  ['{"error":{"message":"Invalid schema","code":"invalid_json_schema"}}', 'config'],
  ['Error: Unknown feature flag: nosuchfeature', 'config'],
  ['The model does not exist', 'config'],
  ['We’re currently experiencing high demand, which may cause temporary errors.', 'server'],
  ['Selected model is at capacity. Please try a different model.', 'server'],
  ['unexpected status 502 Bad Gateway', 'server'],
  ['stream disconnected before completion: Transport error: network error', 'network'],
  ['Connection failed: error sending request', 'network'],
  ["Codex ran out of room in the model's context window. Start a new thread.", 'overflow'],
  ['Input exceeds the maximum length of 1048576 characters.', 'overflow'],
  ['Killed', 'crashed'],
])('%s → %s', (message, failureClass) => {
  expect(failureOfMessage(message).class).toBe(failureClass);
});

test.each([
  ['usageLimitExceeded', 'quota'],
  ['contextWindowExceeded', 'overflow'],
  ['unauthorized', 'auth'],
  ['internalServerError', 'server'],
  ['serverOverloaded', 'server'],
  ['rateLimitExceeded', 'throttled'],
  ['modelNotFound', 'config'],
  [{ responseTooManyFailedAttempts: { httpStatusCode: 429 } }, 'throttled'],
  [{ httpConnectionFailed: { httpStatusCode: 401 } }, 'auth'],
  [{ httpConnectionFailed: { httpStatusCode: 403 } }, 'auth'],
  [{ httpConnectionFailed: { httpStatusCode: null } }, 'crashed'],
  [{ responseStreamDisconnected: { httpStatusCode: null } }, 'network'],
  ['some name of next year', 'crashed'],
  [undefined, 'crashed'],
])('the type %j → %s', (info, failureClass) => {
  expect(failureOfTurn(info, 'It failed.').class).toBe(failureClass);
});

test('a 429 that speaks of the allowance is quota, whatever its type', () => {
  const info = { responseTooManyFailedAttempts: { httpStatusCode: 429 } };
  expect(failureOfTurn(info, 'You have hit your usage limit.').class).toBe('quota');
});

test('what says when to come back is told', () => {
  expect(failureOfMessage('Rate limit reached. Please try again in 7.5s.').retry_after_ms).toBe(7500);
  expect(failureOfMessage('rate limit; try again in 250ms').retry_after_ms).toBe(250);
  expect(failureOfMessage('too many requests, retry after 2 minutes').retry_after_ms).toBe(120_000);
  expect(failureOfMessage('too many requests').retry_after_ms).toBeUndefined();
});

test.each([
  ['usage limit, try again in 2 weeks.', 14 * 86_400_000],
  ['usage limit, try again in 1 month 2 mins.', 30 * 86_400_000 + 120_000],
  ['usage limit, try again in 7 microseconds.', undefined],
  ['usage limit, try again in 99999999999999999999 days.', undefined],
])('%j is a quota, with the time only where one is meant', (message, waitMs) => {
  const now = new Date(2026, 10, 21, 12, 0);
  expect(failureOfMessage(message, now)).toEqual({
    class: 'quota',
    message,
    ...(waitMs === undefined ? {} : { resets_at: new Date(now.getTime() + waitMs).toISOString() }),
  });
});

test.each([
  ['usage limit, try again at 1:02 PM.', new Date(2026, 10, 21, 13, 2)],
  ['usage limit, try again at 1:02 AM.', new Date(2026, 10, 22, 1, 2)],
  ['usage limit, try again at 12:30 AM.', new Date(2026, 10, 22, 0, 30)],
  ['usage limit, try again at Nov 24th, 2026 3:15 PM.', new Date(2026, 10, 24, 15, 15)],
  ['usage limit. Try again in 1 day 2 hours 3 minutes.', new Date(2026, 10, 22, 15, 3)],
  [
    '{"error":{"type":"usage_limit_reached","message":"usage limit","resets_at":1795300000}}',
    new Date(1795300000_000),
  ],
])('%s resets in time', (message, resetsAt) => {
  expect(failureOfMessage(message, now)).toMatchObject({ class: 'quota', resets_at: resetsAt.toISOString() });
});

test('a message is one harmless line of bounded length', () => {
  const { message } = failureOfMessage(`bad\u001b[31m\n${'x'.repeat(5000)}`);
  expect(message.length).toBeLessThanOrEqual(1000);
  expect(message).not.toMatch(/[\u0000-\u001f]/);
});
