import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { expect } from 'vitest';
import { ArchiveMeta, FinalReport } from '../../src/contracts/index.ts';
import { CLAUDE_CLIENT, CODEX_CLIENT, type RealClient } from './clients.ts';
import type { RecordedCall } from './model-server.ts';
import type { Script, ScriptedReply } from './script.ts';

const RUN = 'e2e-run';
/** What a shell or a template would stumble over. */
export const HOSTILE_GOAL =
  'Find `id`, $HOME and $(rm -rf /tmp/nothing) in "notes.txt"; don\'t \\ expand %s $\u007bx}\r\n\u2028🙂 $map-worker';

interface Dialect {
  call: RealClient['call'];
  /** The worker's way to write a file. */
  write(root: string, path: string, text: string): ScriptedReply;
}

export const CODEX: Dialect = {
  call: CODEX_CLIENT.call,
  write: (_, path, text) => ({
    kind: 'tool',
    name: 'exec_command',
    arguments: {
      // The report, and then what a task may or may not write.
      cmd: `cat > ${path}.tmp <<'EOF'\n${text}EOF\nmv ${path}.tmp ${path}
name=$(basename ${path} .md)
for file in stray-$name.txt src/owned-$name.txt .rlm/stray-$name.txt notes.txt; do echo x > $file; done
for other in map-0001 map-0002 map-0003 verify-0001; do
  echo over > .rlm/runs/${RUN}/artifacts/reports/$other.md
  [ $other = $name ] || echo over > .rlm/runs/${RUN}/artifacts/drafts/$other/$other.md
done`,
    },
  }),
};

export const CLAUDE: Dialect = {
  call: CLAUDE_CLIENT.call,
  write: (root, path, text) => ({
    kind: 'tool',
    name: 'Write',
    arguments: { file_path: join(root, path), content: text },
  }),
};

/**
 * One model for everybody: for the client it orchestrates a plan to its archive, one tool call a turn, going by what
 * the last result says; for a worker it writes the report and is done.
 */
export function orchestration(
  root: string,
  dialect: Dialect,
  options: { worker: string; workerDialect: Dialect; goal: string },
): Script {
  const id = { run_id: RUN };
  const report = (worker: string) => `.rlm/runs/${RUN}/artifacts/reports/${worker}.md`;
  const runReady = (stage: string) => ['rlm_run_ready', { ...id, stage, worker: options.worker }] as const;
  const wait = ['rlm_wait', id] as const;
  const steps: (readonly [string, Record<string, unknown>])[] = [
    [
      'rlm_plan',
      {
        ...id,
        goal_summary: 'Find the word',
        success_criteria: ['the word is known'],
        contract: {
          goal: 'Find the word.',
          non_goals: ['editing'],
          invariants: ['notes.txt stays as it is'],
        },
        tasks: [
          { worker_id: 'map-0001', goal: options.goal },
          { worker_id: 'map-0002', goal: 'Which word is it not?', owned_paths: ['src'] },
          {
            worker_id: 'map-0003',
            goal: 'Weigh both.',
            depends_on: ['map-0001', 'map-0002'],
            // A file in the root: its directory is the root, but the state of the runs stays closed.
            owned_paths: ['weights.txt'],
          },
        ],
      },
    ],
    runReady('map'),
    wait,
    ['rlm_status', id],
    runReady('map'),
    wait,
    ['rlm_reduce_inventory', id],
    [
      'rlm_plan',
      {
        ...id,
        verify: { key_claims: [{ claim: 'The word is xylophone.', paths: [report('map-0003')] }] },
      },
    ],
    runReady('verify'),
    wait,
    ['rlm_reduce_inventory', id],
    ['rlm_collect_deferred', id],
    [
      'rlm_finalize',
      {
        ...id,
        final: {
          conclusions: [
            {
              text: 'The word is xylophone.',
              evidence_paths: [`${report('verify-0001')}:1-3`, 'notes.txt:1'],
            },
          ],
          termination_decision: { should_finish: true, reason: 'the word is known' },
        },
      },
    ],
    ['rlm_archive', id],
  ];
  const said = new Map<number, ScriptedReply>();
  let step = -1;
  return {
    keyOf: (prompt) => prompt,
    reply({ prompt, body }) {
      const answers = answersIn(body);
      if (JSON.stringify(body.tools ?? []).includes('rlm_run_ready')) {
        const before = said.get(answers.length);
        if (before !== undefined) return before;
        const working = steps[step]?.[0] === 'rlm_wait' && answers.at(-1)?.includes('working\\"') === true;
        if (!working) step += 1;
        const next = steps[step];
        const reply: ScriptedReply =
          next === undefined
            ? { kind: 'answer', text: 'the run is archived' }
            : dialect.call(next[0], next[1]);
        said.set(answers.length, reply);
        return reply;
      }
      const path = /"report_path": "([^"]+)"/.exec(prompt)?.[1];
      if (path === undefined) return { kind: 'answer', text: 'ok' };
      if (answers.length > 0) return { kind: 'answer', text: path };
      return options.workerDialect.write(root, path, reportText(path));
    },
  };
}

/** What the model was answered so far, as JSON. */
function answersIn(body: Record<string, unknown>): string[] {
  const items = Array.isArray(body.input) ? body.input : Array.isArray(body.messages) ? body.messages : [];
  return items
    .map((item) => JSON.stringify(item))
    .filter((item) => item.includes('"function_call_output"') || item.includes('"tool_result"'));
}

const reportText = (path: string) => `# ${path}

## Contract Compliance
Contract read: yes.

Verdict: confirmed

## Findings
The word is xylophone (notes.txt:1-1).

## Deferred opportunities
- What: index the notes. Why deferred: scope. How to validate: time a search.
`;

/** What must be there and right after the whole loop. */
export function expectArchivedRun(root: string, calls: readonly RecordedCall[]): void {
  const run = join(root, '.rlm', 'runs', RUN);
  const archives = readdirSync(join(root, '.rlm', 'archive')).filter((name) => name.startsWith(RUN));
  expect(archives).toHaveLength(1);
  const archive = join(root, '.rlm', 'archive', archives[0] ?? '');
  for (const [schema, path] of [
    ['plan', join(run, 'plan.json')],
    ['reduce-state', join(run, 'reduce_state.json')],
    ['deferred', join(run, 'deferred.json')],
    ['final-report', join(run, 'final.json')],
    ['archived-to', join(run, 'archived_to.json')],
    ['archive-meta', join(archive, 'meta.json')],
    ['inflight', join(archive, 'run', 'artifacts', 'scheduler', 'inflight.json')],
    ['activity', join(run, 'activity.json')],
  ] as const)
    expectValid(schema, path);
  const final = FinalReport.parse(JSON.parse(readFileSync(join(run, 'final.json'), 'utf8')));
  expect(final).toMatchObject({ verify: { completed: true, tasks: ['verify-0001'] }, unfinished_tasks: [] });
  expect(final.deferred_opportunities).toHaveLength(4);
  for (const path of final.evidence_paths)
    expect(existsSync(join(root, path.replace(/:[\d-]+$/, ''))), path).toBe(true);
  expect(
    ArchiveMeta.parse(JSON.parse(readFileSync(join(archive, 'meta.json'), 'utf8'))).termination_reason,
  ).toBe('the word is known');
  expect(existsSync(join(root, '.rlm', 'locks', `${RUN}.lock`))).toBe(false);
  expect(readFileSync(join(root, 'notes.txt'), 'utf8')).toBe('The word is xylophone.\n');
  // The prompt reached the model byte for byte, with the skill that its first line names.
  for (const task of ['map-0001', 'map-0002', 'map-0003', 'verify-0001']) {
    const prompt = readFileSync(join(archive, 'run', 'prompts', `${task}.attempt1.txt`), 'utf8');
    const asked = calls.filter(({ body }) => JSON.stringify(body).includes(inJson(prompt)));
    expect(asked.length, task).toBeGreaterThan(0);
    expect(asked[0]?.prompt).toContain('Carry out one map or verify task of an rlm run');
    const { goal } = JSON.parse(prompt.slice(prompt.indexOf('\n{')));
    if (task === 'map-0001') expect(goal).toContain(HOSTILE_GOAL);
  }
  // The orchestrator saw paths and states, never what a report says.
  const orchestrator = calls.filter(({ body }) => JSON.stringify(body.tools ?? []).includes('rlm_run_ready'));
  expect(orchestrator.length).toBeGreaterThan(10);
  for (const answer of answersIn(orchestrator.at(-1)?.body ?? {})) {
    expect(answer).not.toContain('index the notes');
    expect(answer.length).toBeLessThan(9000);
  }
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function expectValid(schema: string, path: string): void {
  const ajv = new Ajv2020({ strict: false });
  ajvFormats.default(ajv);
  const file = fileURLToPath(new URL(`../../schemas/${schema}.schema.json`, import.meta.url));
  const validate = ajv.compile(JSON.parse(readFileSync(file, 'utf8')));
  expect(
    validate(JSON.parse(readFileSync(path, 'utf8'))),
    `${path}: ${JSON.stringify(validate.errors)}`,
  ).toBe(true);
}
