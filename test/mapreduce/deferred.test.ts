import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DeferredFile } from '../../src/contracts/index.ts';
import { collectDeferred } from '../../src/mapreduce/index.ts';
import { plannedRun, temporaryRoot, writeReport } from './fixture.ts';

async function itemsOf(text: string) {
  const root = temporaryRoot();
  const { plan, run } = plannedRun(root, { tasks: [{ worker_id: 'a', goal: 'g' }] });
  writeReport(root, plan, 'a', text);
  const file = await collectDeferred(root, run);
  expect(DeferredFile.parse(JSON.parse(readFileSync(join(run.dir, 'deferred.json'), 'utf8')))).toEqual(file);
  return file.items.map(({ what, why_deferred, how_to_validate, line }) => [
    line,
    what,
    why_deferred,
    how_to_validate,
  ]);
}

const full = (line: number) => [[line, 'Cache the index', 'out of scope', 'p95 below 5 ms']];
const entry = '- What: Cache the index. Why deferred: out of scope. How to validate: p95 below 5 ms';

describe('deferred opportunities are found', () => {
  const formats: [name: string, text: string, expected: unknown[]][] = [
    ['under a heading of level 1', `# Deferred opportunities\n${entry}\n`, full(2)],
    [
      'under a heading of level 6, in capitals, numbered',
      `###### 7. DEFERRED OPPORTUNITIES:\n\n${entry}`,
      full(3),
    ],
    ['under an underlined heading', `Deferred Opportunities\n----------------------\n${entry}`, full(3)],
    ['under a bold line', `text\n\n**Deferred opportunities**\n\n${entry}`, full(5)],
    ['under a bold line with underscores and a colon', `__Deferred Opportunity:__\n${entry}`, full(2)],
    ['under a heading with emphasis and wide spaces', `## *Deferred*  opportunities\n${entry}`, full(2)],
    ['with Windows line ends', `## Deferred opportunities\r\n\r\n${entry}\r\n`, full(3)],
    ['in a quote', `> ## Deferred opportunities\n> ${entry}`, full(2)],
    [
      'with bold labels',
      '## Deferred opportunities\n1. **What:** Cache the index — **Why deferred:** out of scope; **How to validate:** p95 below 5 ms',
      full(2),
    ],
    [
      'with labels in nested entries',
      '## Deferred opportunities\n- Cache the index\n  - Why: out of scope\n  - Validation: p95 below 5 ms\n',
      full(2),
    ],
    [
      'with one entry a label',
      '## Deferred opportunities\n- What: Cache the index\n- Why deferred: out of scope\n- How to validate: p95 below 5 ms\n- What: Other',
      [...full(2), [5, 'Other', null, null]],
    ],
    [
      'as headings with paragraphs',
      '## Deferred opportunities\n### 1. Cache the index\n**Reason:** out of scope\n\n**Success criteria:** p95 below 5 ms\n### Drop it\nWhy: risk\n## Next\n- no',
      [...full(2), [6, 'Drop it', 'risk', null]],
    ],
    [
      'as a table',
      '## Deferred opportunities\n\n| # | Opportunity | Why deferred | How to validate |\n|---|:---|---|---:|\n| 1 | Cache the index | out of scope | p95 below 5 ms |\n| 2 | a \\| b `x\\|y` | risk | |\n\nafter: not a row',
      [...full(5), [6, 'a | b x|y', 'risk', null], [8, 'after: not a row', null, null]],
    ],
    [
      'as a table whose head says nothing',
      '## Deferred opportunities\n| A | B | C |\n|--|--|--|\n| Cache the index | out of scope | p95 below 5 ms |',
      full(4),
    ],
    [
      'in continued lines',
      '## Deferred opportunities\n- Cache\n  the index\n  Why: out of\n  scope\n  Validate: p95 below\n  5 ms',
      full(2),
    ],
    [
      'as paragraphs after an introduction',
      '## Deferred opportunities\nThese were put off:\n\nCache the index. Why: out of scope. Validation: p95 below 5 ms\n\nRename things',
      [...full(4), [6, 'Rename things', null, null]],
    ],
    [
      'as a line of text with a colon',
      'x\n\nDeferred opportunities: cache the index',
      [[3, 'cache the index', null, null]],
    ],
    [
      'as tasks with boxes',
      '## Deferred opportunities\n* [ ] one\n* [x] two',
      [
        [2, 'one', null, null],
        [3, 'two', null, null],
      ],
    ],
    ['under the title "Deferred"', `## Deferred\n${entry}`, full(2)],
    ['under the title "Deferred work"', `### 4. Deferred work\n\n${entry}`, full(3)],
    [
      'in the entries below a bold one, up to the next entry',
      `- Findings: none\n- **Deferred opportunities:**\n    ${entry}\n    - Rename things\n- **Risks**\n  - not this`,
      [...full(3), [4, 'Rename things', null, null]],
    ],
    [
      'on the line of a bold entry',
      `- **Deferred:** cache the index. Why: scope\n- no`,
      [[1, 'cache the index', 'scope', null]],
    ],
    [
      'in two sections',
      `# Deferred opportunities\n- one\n# Other\n- no\n# Deferred opportunities\n- two`,
      [
        [2, 'one', null, null],
        [6, 'two', null, null],
      ],
    ],
    [
      'beyond a code block',
      '## Deferred opportunities\n- one\n  ```\n  - not this\n  ## nor this\n  ```\n- two',
      [
        [2, 'one', null, null],
        [7, 'two', null, null],
      ],
    ],
    [
      'without control characters',
      '## Deferred opportunities\n- a\u001b[31mb\u0007c',
      [[2, 'abc', null, null]],
    ],
    [
      'and capped',
      `## Deferred opportunities\n- ${'x'.repeat(2000)}`,
      [[2, `${'x'.repeat(499)}…`, null, null]],
    ],
  ];
  it.each(formats)('%s', async (_name, text, expected) => {
    expect(await itemsOf(text)).toEqual(expected);
  });
});

it('a section that is nested without end is read in little time', async () => {
  const started = performance.now();
  for (const part of ['> - ', '1. ', '_a*', '[']) {
    await itemsOf(`## Deferred opportunities\n${part.repeat(60_000 / part.length)}\n${entry}`);
  }
  expect(performance.now() - started).toBeLessThan(20_000);
});

describe('nothing is found', () => {
  it.each([
    ['in a code block', '```md\n## Deferred opportunities\n- no\n```'],
    ['in a longer fence', '````\n```\n## Deferred opportunities\n- no\n```\n````'],
    ['in prose', 'There are deferred opportunities in the other report.\n- not this'],
    ['where it says none', '## Deferred opportunities\nNone.'],
    ['where it says none identified', '## Deferred opportunities\n- None identified.\n'],
    ['where it says so on the bold line', '**Deferred opportunities:** none identified'],
    ['where it says so in text', 'Deferred opportunities: none identified'],
    ['in an empty section', '## Deferred opportunities\n\n## Next\n- item'],
    ['after the section ended', '## Findings\n### Deferred opportunities\n### Risks\n- not this'],
    ['in the same section of another name', '## Findings\n- one\n'],
  ])('%s', async (_name, text) => {
    expect(await itemsOf(text)).toEqual([]);
  });
});

it('several reports: each item names its report and line; one that cannot be read is listed; none says so', async () => {
  const root = temporaryRoot();
  const { plan, run } = plannedRun(root, {
    tasks: ['a', 'b', 'c', 'd'].map((worker_id) => ({ worker_id, goal: 'g' })),
  });
  expect((await collectDeferred(root, run)).summary).toBe('none identified');
  writeReport(root, plan, 'a', '# Deferred opportunities\n- one\n');
  writeReport(root, plan, 'b', '# r\n\n\n## deferred opportunities\n- two\n');
  writeReport(root, plan, 'c', `# r\n${'x'.repeat(17 * 1024 * 1024)}`);
  const file = await collectDeferred(root, run);
  expect(file).toMatchObject({
    summary: '2 deferred',
    reports_scanned: 2,
    reports_with_section: 2,
    items: [
      { worker_id: 'a', path: '.rlm/runs/run-1/artifacts/reports/a.md', line: 2 },
      { worker_id: 'b', path: '.rlm/runs/run-1/artifacts/reports/b.md', line: 5 },
    ],
    unreadable: [
      { path: '.rlm/runs/run-1/artifacts/reports/c.md', reason: expect.stringMatching(/more than 16777216/) },
    ],
  });
});
