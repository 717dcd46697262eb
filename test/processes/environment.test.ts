import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { BatchFixture, RLM } from '../support/batch-run.ts';

test.runIf(process.platform === 'linux')(
  'a program that hides how deep it runs from its children cannot make workers start workers',
  () => {
    const fixture = new BatchFixture(['a']);
    const rlm = `env -i PATH="$PATH" HOME=/tmp ${process.execPath} ${RLM} batch --jobs jobs.jsonl --run-dir run --worker extractive`;
    const at = (depth: string) =>
      spawnSync('/bin/sh', ['-c', `${rlm}; exit $?`], {
        cwd: fixture.root,
        env: { ...process.env, RLM_DEPTH: depth },
        encoding: 'utf8',
      });
    expect(at('9')).toMatchObject({ status: 1, stderr: expect.stringContaining('max_depth') });
    expect(at('0').stderr).not.toContain('max_depth');
  },
);
