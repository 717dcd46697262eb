import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processStart } from '../../src/files/index.ts';
import { createCommandWorker } from '../../src/workers/command.ts';
import { temporaryDirectory, until, workRequest } from './request.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function script(body: string, mode = 0o700): string {
  const path = join(directory, 'runner.sh');
  writeFileSync(path, `#!/usr/bin/env bash\n${body}\n`);
  chmodSync(path, mode);
  return path;
}

function runner(body: string, options: Partial<Parameters<typeof createCommandWorker>[0]> = {}) {
  return createCommandWorker({ ...options, runner_script: script(body) });
}

describe('runner script', () => {
  test('gets the arguments of the protocol, in order, and no more of our environment than is allowed', async () => {
    process.env.RLM_TEST_SECRET = 'secret';
    process.env.RLM_TEST_ALLOWED = 'allowed';
    const worker = runner(
      'printf "%s\\n" "$@" > args.txt; env > env.txt; echo \'{"item":{"type":"agent_message","text":"ok"}}\'',
      {
        profile: 'lean',
        codex_home: join(directory, 'home'),
        worker_cwd: directory,
        skip_git_repo_check: true,
        environment: ['RLM_TEST_ALLOWED'],
      },
    );
    const request = workRequest(directory, { timeoutMs: 2_500, model: 'm "$(x)' });
    const result = await worker.run(request);
    expect(result.answer).toBe('ok');
    expect(readFileSync(join(directory, 'args.txt'), 'utf8').trimEnd().split('\n')).toEqual([
      ...['--timeout-sec', '3', '--model', 'm "$(x)', '--profile', 'lean', '--cd', directory],
      ...['--skip-git-repo-check', '--prompt-file', request.promptPath],
    ]);
    const environment = readFileSync(join(directory, 'env.txt'), 'utf8');
    expect(environment).toContain(`CODEX_HOME=${join(directory, 'home')}`);
    expect(environment).toContain('RLM_DEPTH=1');
    expect(environment).toContain('RLM_TEST_ALLOWED=allowed');
    expect(environment).not.toContain('RLM_TEST_SECRET');
  });

  test('its log is the last printed .jsonl that exists', async () => {
    const worker = runner(`
      echo '{"item":{"type":"agent_message","text":"stdout"}}'
      echo '{"item":{"type":"agent_message","text":"first"}}' > a.jsonl
      echo '{"item":{"type":"agent_message","text":"last"}}' > "b c.jsonl"
      echo a.jsonl; echo "  $PWD/b c.jsonl  "; echo missing.jsonl; echo done`);
    const result = await worker.run(workRequest(directory));
    expect(result).toMatchObject({ answer: 'last', extraLogPath: join(directory, 'b c.jsonl') });
  });

  test('its log in another directory is copied beside the log of its call', async () => {
    const elsewhere = temporaryDirectory();
    const worker = runner(`
      echo '{"item":{"type":"agent_message","text":"far away"}}' > ${elsewhere}/log.jsonl
      echo ${elsewhere}/log.jsonl`);
    const request = workRequest(directory);
    const { answer, extraLogPath = '' } = await worker.run(request);
    expect(answer).toBe('far away');
    expect(extraLogPath).toBe(request.logPath.replace('.jsonl', '.runner.jsonl'));
    expect(readFileSync(extraLogPath, 'utf8')).toContain('far away');
    expect(statSync(extraLogPath).mode & 0o777).toBe(0o600);
  });

  test('the answer is the last agent_message of any event type, usage the sum of all turns', async () => {
    const worker = runner(`cat <<'JSONL'
not json
[1,2]
{"type":"item.completed","item":{"type":"agent_message","text":"draft"}}
{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":4,"output_tokens":3,"reasoning_output_tokens":1}}
{"type":"turn.completed"}
{"type":"turn.completed","usage":{"input_tokens":5,"output_tokens":null}}
{"type":"whatever","item":{"type":"agent_message","text":"final"}}
{"type":"item.completed","item":{"type":"error","message":"a warning"}}
{"item":{"type":"agent_message","text":"torn
JSONL`);
    const result = await worker.run(workRequest(directory));
    expect(result.answer).toBe('final');
    expect(result.failure).toBeUndefined();
    expect(result.usage).toEqual({
      input_tokens: 15,
      cached_input_tokens: 4,
      output_tokens: 3,
      reasoning_output_tokens: 1,
    });
  });

  test('an absurdly long line is passed over, what stands around it is not', async () => {
    const worker = runner(`
      echo '{"item":{"type":"agent_message","text":"kept"}}'
      head -c 40000000 /dev/zero | tr '\\0' x; echo
      echo '{"type":"turn.completed","usage":{"input_tokens":7}}'`);
    const result = await worker.run(workRequest(directory));
    expect(result.answer).toBe('kept');
    expect(result.usage.input_tokens).toBe(7);
  });

  test('exit 124 is a time-out, another code a crash with its last words made harmless; tokens count all the same', async () => {
    const usage = `echo '{"type":"turn.completed","usage":{"input_tokens":9}}'`;
    const late = await runner(`${usage}; exit 124`).run(workRequest(directory));
    expect(late).toMatchObject({ failure: { class: 'timeout' }, usage: { input_tokens: 9 } });
    expect(late.answer).toBeUndefined();
    const body = `${usage}; head -c 5000 /dev/zero | tr '\\0' y >&2; printf '\\033[31mred\\033[0m\\nend\\007' >&2; exit 3`;
    const crashed = await runner(body).run(workRequest(directory, { id: 'j-2' }));
    expect(crashed).toMatchObject({ failure: { class: 'crashed' }, usage: { input_tokens: 9 } });
    expect(crashed.failure?.message).toContain('code 3');
    expect(crashed.failure?.message).toMatch(/yred end$/);
    expect(crashed.failure?.message.length).toBeLessThan(2200);
  });

  test('an exit without an answer is a crash that says so', async () => {
    const result = await runner('echo hello').run(workRequest(directory));
    expect(result.failure).toMatchObject({ class: 'crashed' });
    expect(result.failure?.message).toContain('no agent_message');
  });

  test('the error events of its log tell the class', async () => {
    const body = `echo '{"type":"turn.failed","error":{"message":"You have hit your usage limit. Try again in 2 hours."}}'; exit 1`;
    const result = await runner(body).run(workRequest(directory));
    expect(result.failure?.class).toBe('quota');
    expect(result.failure?.resets_at).toBeDefined();
  });

  test('a script that is missing is refused, one that cannot be executed is a config failure', async () => {
    expect(() => createCommandWorker({ runner_script: join(directory, 'none.sh') })).toThrow(
      /not an existing file/,
    );
    const worker = createCommandWorker({ runner_script: script('true', 0o600) });
    const result = await worker.run(workRequest(directory));
    expect(result.failure?.class).toBe('config');
    expect(result.failure?.message).toContain('EACCES');
  });
});

describe('argv', () => {
  test('fills the placeholders once, gives the prompt on stdin, takes stdout as it is', async () => {
    const worker = createCommandWorker({
      argv: [
        'bash',
        '-c',
        'cat; printf "|%s" "$@"',
        'x',
        '{chunk_id}:{model}',
        '{prompt_file}',
        '{schema_file}',
        '{other}',
      ],
    });
    const placeholders = { chunkId: '{model} $(id)', schemaPath: '/s.json' };
    const request = workRequest(directory, { instructions: 'I', input: 'größer\n', placeholders });
    const result = await worker.run(request);
    expect(result.answer).toBe(`I\n\ngrößer\n|{model} $(id):model-x|${request.promptPath}|/s.json|{other}`);
    expect(existsSync(request.logPath.replace('.jsonl', '.stderr.log'))).toBe(false);
  });

  test('a program that is not there is a config failure, an empty command is refused', async () => {
    const result = await createCommandWorker({ argv: ['/no/such/program'] }).run(workRequest(directory));
    expect(result.failure?.class).toBe('config');
    expect(result.failure?.message).toContain('ENOENT');
    expect(() => createCommandWorker({ argv: [] })).toThrow(/empty/);
  });

  test('100 MB of output stay on disk and out of memory', async () => {
    const argv = ['bash', '-c', 'head -c 100000000 /dev/zero | tr "\\0" x'];
    const worker = createCommandWorker({ argv });
    const request = workRequest(directory);
    await worker.run(workRequest(directory, { id: 'warm' }));
    const before = process.memoryUsage().rss;
    let peak = before;
    const sampling = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    const result = await worker.run(request);
    clearInterval(sampling);
    expect(result.failure?.class).toBe('invalid_output');
    expect(statSync(request.logPath).size).toBe(100_000_000);
    expect(Math.max(peak, process.memoryUsage().rss) - before).toBeLessThan(30_000_000);
  });

  test('a log of 100 MB is read with flat memory', async () => {
    const line = `{"type":"item.completed","item":{"type":"command_execution","text":"${'z'.repeat(1000)}"}}`;
    const worker = runner(`
      yes '${line}' | head -n 95000
      echo '{"item":{"type":"agent_message","text":"found"}}'`);
    await worker.run(workRequest(directory, { id: 'warm' }));
    const before = process.memoryUsage().rss;
    let peak = before;
    const sampling = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    const result = await worker.run(workRequest(directory));
    clearInterval(sampling);
    expect(result.answer).toBe('found');
    expect(peak - before).toBeLessThan(60_000_000);
  });

  test('a silent program is ended at the idle limit, with the grandchild that ignores SIGTERM', async () => {
    const body = `bash -c 'trap "" TERM; echo $$ > grandchild.pid; while :; do sleep 1; done' & wait`;
    const worker = createCommandWorker({ argv: ['bash', '-c', body] });
    const result = await worker.run(workRequest(directory, { idleTimeoutMs: 400 }));
    expect(result.failure).toMatchObject({ class: 'timeout' });
    expect(result.failure?.message).toContain('printed nothing');
    const pid = Number(readFileSync(join(directory, 'grandchild.pid'), 'utf8'));
    expect(pid).toBeGreaterThan(1);
    await until(() => (processStart(pid) === undefined ? true : undefined));
  });

  test('close ends what runs', async () => {
    const worker = createCommandWorker({
      argv: ['bash', '-c', 'trap "" TERM; echo $$ > own.pid; while :; do sleep 1; done'],
    });
    const running = worker.run(workRequest(directory));
    const pid = await until(() => pidIn(join(directory, 'own.pid')));
    await worker.close();
    expect((await running).failure?.class).toBe('crashed');
    expect(processStart(pid)).toBeUndefined();
    expect((await worker.run(workRequest(directory))).failure?.class).toBe('cancelled');
  });
});

function pidIn(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const pid = Number(readFileSync(path, 'utf8'));
  return pid > 0 ? pid : undefined;
}
