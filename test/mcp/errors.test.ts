import { expect, test } from 'vitest';
import { RlmError } from '../../src/errors.ts';
import { describeError } from '../../src/mcp/errors.ts';

test.each([
  ['an error of ours', new RlmError('internal', 'journal of /home/me/secret is odd')],
  ['an error of the system', new TypeError('cannot read /home/me/secret')],
  ['something thrown that is no error', '/home/me/secret'],
])('a client learns that rlm failed, and not with which words: %s', (_what, thrown) => {
  const described = describeError(thrown);
  expect(described).toMatchObject({ code: 'internal', retryable: false });
  expect(JSON.stringify(described)).not.toContain('secret');
  expect(described.hint.text).not.toBe('');
});

test('a mistake of the caller is told in full', () => {
  expect(describeError(new RlmError('usage', 'jobs is blank'))).toMatchObject({
    code: 'usage',
    message: 'jobs is blank',
  });
});
