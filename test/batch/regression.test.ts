import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BatchFixture, RLM } from '../support/batch-run.ts';
import { type Exit, exitOf, rlm } from '../support/rlm.ts';
import { temporaryDirectory } from '../support/runs.ts';

/** How the document calls its program, and how ours is called. */
const ORIGINAL = 'python3 ~/.codex/skills/rlm-batch-runner/scripts/rlm_batch.py';
const OURS = `'${process.execPath}' '${RLM}' batch`;

/** The two checks of the batch runner's document ("Model Regression Checks"), letter by letter. */
const EMPTY_MODEL = String.raw`mkdir -p .codex_tmp/rlm-regression
: > .codex_tmp/rlm-regression/jobs.empty.jsonl
python3 ~/.codex/skills/rlm-batch-runner/scripts/rlm_batch.py \
  --jobs .codex_tmp/rlm-regression/jobs.empty.jsonl \
  --run-dir .codex_tmp/rlm-regression/run-empty-model \
  --model ""
`;
const FORWARDED_MODEL = String.raw`mkdir -p .codex_tmp/rlm-regression
cat > .codex_tmp/rlm-regression/chunk.txt <<'EOF'
chunk
EOF
cat > .codex_tmp/rlm-regression/schema.json <<'EOF'
{}
EOF
cat > .codex_tmp/rlm-regression/jobs.one.jsonl <<'EOF'
{"job_id":"j-001","chunk_id":"c-001","chunk_path":".codex_tmp/rlm-regression/chunk.txt","question":"q","output_path":"subresults/j-001.json","schema_path":".codex_tmp/rlm-regression/schema.json","sandbox":"read-only","timeout_sec":30}
EOF
cat > .codex_tmp/rlm-regression/mock-runner.sh <<'EOF'
#!/usr/bin/env bash
set -euo pipefail
expected="gpt-5.3-codex-spark"
model=""
while [[ $# -gt 0 ]]; do
  case "$1" in
    --model) model="$2"; shift 2 ;;
    --timeout-sec|--prompt-file) shift 2 ;;
    *) shift ;;
  esac
done
if [[ "$model" != "$expected" ]]; then
  echo "unexpected model: $model" >&2
  exit 13
fi
run_dir="$(mktemp -d)"
jsonl="$run_dir/run.jsonl"
cat > "$jsonl" <<'JSONL'
{"item":{"type":"agent_message","text":"{\"chunk_id\":\"c-001\",\"relevant\":true,\"summary\":\"ok\",\"confidence\":0.7,\"evidence\":[{\"loc\":\"x.md:1-1\",\"quote\":\"q\",\"note\":\"n\"}],\"gaps\":[],\"errors\":[]}"}}
JSONL
echo "$jsonl"
EOF
chmod +x .codex_tmp/rlm-regression/mock-runner.sh
python3 ~/.codex/skills/rlm-batch-runner/scripts/rlm_batch.py \
  --jobs .codex_tmp/rlm-regression/jobs.one.jsonl \
  --run-dir .codex_tmp/rlm-regression/run-model-forward \
  --runner-script .codex_tmp/rlm-regression/mock-runner.sh \
  --model gpt-5.3-codex-spark \
  --parallel 1 \
  --retries 0
`;

/** Runs a script of the document in bash, with our program in place of its own. */
function bash(script: string, cwd: string): Promise<Exit> {
  expect(script.split(ORIGINAL)).toHaveLength(2);
  const env = { ...process.env, TMPDIR: cwd };
  return exitOf(spawn('bash', ['-c', script.replace(ORIGINAL, OURS)], { cwd, env }));
}

describe("the document's own regression checks", () => {
  test('an empty model fails fast', async () => {
    const cwd = temporaryDirectory();
    const { code, stdout, stderr } = await bash(EMPTY_MODEL, cwd);
    expect(code).toBe(1);
    expect(stderr).toContain('--model must be a non-empty string');
    expect(stdout).toBe('');
    expect(existsSync(join(cwd, '.codex_tmp/rlm-regression/run-empty-model'))).toBe(false);
  });

  test('an explicit model is forwarded to the runner', async () => {
    const cwd = temporaryDirectory();
    const { code, stdout, stderr } = await bash(FORWARDED_MODEL, cwd);
    const runDir = join(cwd, '.codex_tmp/rlm-regression/run-model-forward');
    expect(code, stderr).toBe(0);
    expect(lastLines(stdout)).toEqual([
      `summary: ${join(runDir, 'summary.json')}`,
      'jobs_total=1 jobs_succeeded=1 jobs_failed=0',
      'usage_totals=input_tokens=0 cached_input_tokens=0 output_tokens=0',
    ]);
    expect(JSON.parse(readFileSync(join(runDir, 'subresults/j-001.json'), 'utf8'))).toMatchObject({
      chunk_id: 'c-001',
      evidence: [{ loc: 'x.md:1-1', quote: 'q', note: 'n' }],
    });
    for (const file of ['prompts/j-001.attempt1.txt', 'logs/j-001.attempt1.jsonl'])
      expect(existsSync(join(runDir, file)), file).toBe(true);
  });

  test('another model than the runner expects fails the job, with its last words', async () => {
    const script = FORWARDED_MODEL.replace('--model gpt-5.3-codex-spark \\', '--model another \\');
    const { code, stderr } = await bash(script, temporaryDirectory());
    expect(code).toBe(3);
    expect(stderr).toContain('unexpected model: another');
  });
});

/** A runner that notes how it was called, uses tokens, and answers unless the job's id holds `bad`. */
const RUNNER = String.raw`here=$(dirname "$0")
for last; do :; done
job=$(basename "$last" | sed 's/\.attempt.*//')
{ printf '%s\n' "$@"; echo "CODEX_HOME=$CODEX_HOME"; echo "PWD=$(pwd)"; } > "$here/called.$job"
echo '{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":40,"output_tokens":7}}'
case $job in *bad*) exit 1 ;; esac
sed "s/JOB/$job/" <<'END'
{"item":{"type":"agent_message","text":"{\"chunk_id\":\"c-JOB\",\"relevant\":true,\"summary\":\"ok\",\"confidence\":1,\"evidence\":[]}"}}
END`;

describe('a batch with a runner script', () => {
  test.each([
    { jobs: ['a', 'b'], code: 0, succeeded: 2 },
    { jobs: ['a', 'b-bad'], code: 2, succeeded: 1 },
    { jobs: ['a-bad', 'b-bad'], code: 3, succeeded: 0 },
  ])('of jobs $jobs ends with $code, and the last three lines say how', async (expected) => {
    const fixture = new BatchFixture(expected.jobs);
    const runner = fixture.script('runner.sh', RUNNER);
    const args = ['--jobs', 'jobs.jsonl', '--run-dir', 'run', '--runner-script', runner, '--retries', '0'];
    const exit = await rlm(['batch', ...args], { cwd: fixture.root });
    expect(exit.code, exit.stderr).toBe(expected.code);
    // Usage counts every attempt, the failed ones too.
    expect(lastLines(exit.stdout)).toEqual([
      `summary: ${join(fixture.runDir, 'summary.json')}`,
      `jobs_total=2 jobs_succeeded=${expected.succeeded} jobs_failed=${2 - expected.succeeded}`,
      'usage_totals=input_tokens=200 cached_input_tokens=80 output_tokens=14',
    ]);
    expect(fixture.summary().results.map(({ job_id, status }) => [job_id, status])).toEqual(
      expected.jobs.map((id) => [id, id.includes('bad') ? 'failed' : 'success']),
    );
  });

  test('wrong usage and a wrong jobs file end with 1, and leave nothing behind', async () => {
    const fixture = new BatchFixture(['a'], () => ({ sandbox: 'workspace-write' }));
    const base = ['batch', '--run-dir', 'run', '--jobs'];
    const wrong: [string[], string][] = [
      [[...base, 'none.jsonl'], 'does not exist'],
      [[...base, 'jobs.jsonl'], "line 1: sandbox must be 'read-only'"],
      [[...base, 'jobs.jsonl', '--runner-script', 'none.sh'], '--runner-script'],
      [[...base, 'jobs.jsonl', '--worker-cwd', 'jobs.jsonl'], 'is not a directory'],
      [[...base, 'jobs.jsonl', '--retries', '-1'], '--retries'],
      [[...base, 'jobs.jsonl', '--timeout-sec', '0'], '--timeout-sec'],
      [[...base, 'jobs.jsonl', '--command', ''], 'the command of the worker is empty'],
      [['batch', '--jobs', 'jobs.jsonl', '--run-dir', ''], '--run-dir'],
    ];
    for (const [args, message] of wrong) {
      const exit = await rlm(args, { cwd: fixture.root });
      expect(exit, args.join(' ')).toMatchObject({ code: 1, stdout: '' });
      expect(exit.stderr).toContain(message);
    }
    expect(existsSync(fixture.runDir)).toBe(false);
    expect(existsSync(join(fixture.root, '.rlm'))).toBe(false);
  });

  /** How the runner was called by a batch of one job: its arguments but the prompt file, and what it saw. */
  async function calledWith(flags: string[], env: Record<string, string>) {
    const fixture = new BatchFixture(['a']);
    const runner = fixture.script('runner.sh', RUNNER);
    const args = ['--jobs', 'jobs.jsonl', '--run-dir', 'run', '--runner-script', runner];
    const exit = await rlm(['batch', ...args, ...flags], { cwd: fixture.root, env });
    expect(exit.code, exit.stderr).toBe(0);
    const told = readFileSync(join(fixture.root, 'called.a'), 'utf8').trimEnd().split('\n');
    const seen = told.splice(-2);
    expect(told.splice(-2)).toEqual(['--prompt-file', join(fixture.runDir, 'prompts/a.attempt1.txt')]);
    return { argv: told, seen };
  }

  test('without flags: the default model and time limit, outside of git', async () => {
    const { argv } = await calledWith([], {});
    expect(argv).toEqual(['--timeout-sec', '600', '--model', 'gpt-5.3-codex-spark', '--skip-git-repo-check']);
  });

  test('flags reach the runner and beat the environment; CODEX_HOME is made', async () => {
    const place = temporaryDirectory();
    const home = join(place, 'new', 'home');
    const { argv, seen } = await calledWith(
      [
        ...['--model', 'm', '--profile', 'rlm-worker', '--codex-home', home, '--worker-cwd', place],
        ...['--no-skip-git-repo-check', '--timeout-sec', '41'],
      ],
      { CODEX_SUBAGENT_MODEL: 'other', CODEX_SUBAGENT_PROFILE: 'other', CODEX_SUBAGENT_CWD: '/other' },
    );
    expect(argv).toEqual([
      ...['--timeout-sec', '41', '--model', 'm', '--profile', 'rlm-worker', '--cd', place],
    ]);
    expect(seen).toEqual([`CODEX_HOME=${home}`, `PWD=${place}`]);
    expect(existsSync(home)).toBe(true);
  });

  test('the environment stands in for flags that are not given', async () => {
    const place = temporaryDirectory();
    const home = join(place, 'home');
    const { argv, seen } = await calledWith([], {
      CODEX_SUBAGENT_MODEL: 'model-of-env',
      CODEX_SUBAGENT_PROFILE: 'profile-of-env',
      CODEX_SUBAGENT_CODEX_HOME: home,
      CODEX_SUBAGENT_CWD: place,
    });
    expect(argv).toEqual([
      ...['--timeout-sec', '600', '--model', 'model-of-env', '--profile', 'profile-of-env'],
      ...['--cd', place, '--skip-git-repo-check'],
    ]);
    expect(seen).toEqual([`CODEX_HOME=${home}`, `PWD=${place}`]);
    expect(existsSync(home)).toBe(true);
  });

  test('a blank model in the environment is as wrong as a blank flag', async () => {
    const exit = await rlm(['batch', '--jobs', 'none.jsonl', '--run-dir', 'run'], {
      cwd: temporaryDirectory(),
      env: { CODEX_SUBAGENT_MODEL: ' ' },
    });
    expect(exit.stderr).toContain('--model must be a non-empty string');
    expect(exit.code).toBe(1);
  });
});

function lastLines(stdout: string): string[] {
  return stdout.trimEnd().split('\n').slice(-3);
}
