import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { DoctorReport } from '../../src/doctor/index.ts';
import { isolatedCodex, SECRET_LOGIN } from '../support/codex-home.ts';
import { startModelServer } from '../support/model-server.ts';
import { connectClient, type Exit, rlm } from '../support/rlm.ts';
import { temporaryDirectory } from '../support/runs.ts';

const BINARIES = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
/** A secret that looks like one, and one that does not. */
const SECRETS = {
  OPENAI_API_KEY: 'sk-planted-0123456789',
  ANTHROPIC_API_KEY: 'planted anthropic 0123456789',
};

/** A root with a user who has nothing but Node, and the programs in `path`. */
function patient(...path: string[]): { root: string; env: Record<string, string> } {
  const base = temporaryDirectory();
  const [root, home, temporary, programs] = ['root', 'home', 'tmp', 'programs'].map((name) => {
    mkdirSync(join(base, name));
    return join(base, name);
  });
  symlinkSync(process.execPath, join(programs ?? base, 'node'));
  return {
    root: root ?? base,
    env: {
      // What Node itself keeps there is not of interest.
      NODE_DISABLE_COMPILE_CACHE: '1',
      HOME: home ?? base,
      CODEX_HOME: join(home ?? base, '.codex'),
      CLAUDE_CONFIG_DIR: join(home ?? base, '.claude'),
      TMPDIR: temporary ?? base,
      PATH: [...path, programs].join(':'),
      OPENAI_API_KEY: '',
      ANTHROPIC_API_KEY: '',
      RLM_CODEX: '',
      RLM_CLAUDE: '',
    },
  };
}

function configure(root: string, text: string): void {
  mkdirSync(join(root, '.rlm'));
  writeFileSync(join(root, '.rlm', 'config.json'), text);
}

function reportOf(exit: Exit): DoctorReport {
  return DoctorReport.parse(JSON.parse(exit.stdout));
}

function finding(report: DoctorReport, check: string) {
  return report.findings.find((one) => one.check === check);
}

test('measures every lane of the real Codex and Claude below 4 kB a request, and shows no secret', async () => {
  const { root, env } = patient(BINARIES, '/usr/bin', '/bin');
  mkdirSync(env.CODEX_HOME ?? '');
  writeFileSync(join(env.CODEX_HOME ?? '', 'auth.json'), JSON.stringify({ OPENAI_API_KEY: SECRET_LOGIN }));
  const exit = await rlm(['doctor', '--json'], { cwd: root, env: { ...env, ...SECRETS } });
  const report = reportOf(exit);
  expect(report.findings.filter(({ status }) => status === 'fail')).toEqual([]);
  expect(exit.code).toBe(0);
  const sizes = report.workers.flatMap(({ worker, lanes }) =>
    lanes.map(({ lane, request_bytes }) => [`${worker} ${lane}`, request_bytes] as const),
  );
  console.info('request bytes besides question and chunk:', Object.fromEntries(sizes));
  expect(sizes.map(([name]) => name)).toEqual(['codex exec', 'codex app-server', 'claude print']);
  for (const [name, bytes] of sizes) {
    // Instructions and schema alone are more than 2 kB: less would not be a whole request.
    expect(bytes, name).toBeGreaterThan(2000);
    expect(bytes, name).toBeLessThanOrEqual(4096);
  }
  for (const worker of report.workers) expect(worker.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(finding(report, 'codex login')).toMatchObject({
    status: 'ok',
    detail: expect.stringMatching(/^login file .*auth\.json$/),
  });
  expect(finding(report, 'claude login')).toMatchObject({
    detail: 'environment variable ANTHROPIC_API_KEY',
  });
  expect(finding(report, 'worker')?.detail).toContain('auto takes codex (app-server)');
  // Whether it holds is the machine's; that Codex finds its own helper for it is ours.
  expect(finding(report, 'codex sandbox')?.detail).not.toContain('codex-linux-sandbox');

  const said = exit.stdout + exit.stderr;
  for (const secret of [...Object.values(SECRETS), SECRET_LOGIN]) expect(said).not.toContain(secret);
  expect(Buffer.byteLength(exit.stdout)).toBeLessThan(8000);
  // It says that it is read-only.
  expect(readdirSync(root)).toEqual([]);
  expect(readdirSync(env.TMPDIR ?? '')).toEqual([]);
});

test('without a model it says how to get one, on aligned lines, and is not healthy', async () => {
  const { root, env } = patient();
  const { code, stdout } = await rlm(['doctor'], { cwd: root, env });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^✓ node {2,}\d+\.\d+\.\d+$/m);
  expect(stdout).toMatch(
    /^! codex {2,}no codex on PATH\n {6,}→ Install it with 'npm install -g @openai\/codex'/m,
  );
  expect(stdout).toMatch(/^! claude {2,}no claude on PATH\n {6,}→ Install it with .*claude-code'/m);
  expect(stdout).toMatch(/^✗ worker {2,}auto takes extractive: no Codex/m);
  expect(stdout).toContain('1 failed, 2 to look at');
  const columns = stdout
    .split('\n')
    .flatMap((line) => /^[✓!✗] \S+(?: \S+)* {2,}/.exec(line)?.[0].length ?? []);
  expect(columns.length).toBeGreaterThan(6);
  expect(new Set(columns).size).toBe(1);
});

test.each([
  [
    'a configuration that is no JSON',
    (root: string) => configure(root, '{'),
    'configuration',
    /Fix or remove/,
  ],
  [
    'a setting that does not exist',
    (root: string) => configure(root, '{"limit":{}}'),
    'configuration',
    /Fix or remove/,
  ],
  [
    'a file where the state goes',
    (root: string) => writeFileSync(join(root, '.rlm'), ''),
    'state',
    /Move it away/,
  ],
  [
    'a configured worker that is not there',
    (root: string) => configure(root, '{"worker":"claude"}'),
    'worker',
    /npm install -g @anthropic-ai\/claude-code/,
  ],
])('%s fails, exit 1, with how to fix it', async (_, spoil, check, fix) => {
  const { root, env } = patient();
  spoil(root);
  const exit = await rlm(['doctor', '--json'], { cwd: root, env });
  expect(exit.code).toBe(1);
  const report = reportOf(exit);
  expect(report.healthy).toBe(false);
  expect(finding(report, check)).toMatchObject({ status: 'fail', fix: expect.stringMatching(fix) });
});

test('says which values are not the default and where each comes from', async () => {
  const { root, env } = patient();
  configure(root, '{"limits":{"parallel":3},"models":{"codex":"other-model"}}');
  const report = reportOf(
    await rlm(['doctor', '--json'], { cwd: root, env: { ...env, CODEX_SUBAGENT_MODEL: 'third-model' } }),
  );
  const file = join(root, '.rlm', 'config.json');
  expect(report.settings).toEqual([
    { key: 'models.codex', value: 'other-model', origin: file },
    { key: 'limits.parallel', value: '3', origin: file },
    { key: 'CODEX_SUBAGENT_MODEL', value: 'third-model', origin: 'environment' },
  ]);
});

test('says that programs of the configuration are not confined', async () => {
  const { root, env } = patient();
  configure(root, '{"commands":{"answer":["./answer.sh"]}}');
  const report = reportOf(await rlm(['doctor', '--json'], { cwd: root, env }));
  expect(finding(report, 'commands')).toMatchObject({
    status: 'ok',
    detail: expect.stringMatching(/^answer: not confined; .* would outlive a cancel$/),
  });
});

test('a program that is another, and one that fails its call, are told apart; what they say holds no key', async () => {
  const { root, env } = patient('/usr/bin', '/bin');
  const program = (name: string, body: string) => {
    const path = join(dirname(root), 'programs', name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
  };
  program('codex', 'echo a code editor');
  program(
    'claude',
    `case "$1" in
--version) echo "9.9.9 (Claude Code)";;
--help) echo "--json-schema --output-format --system-prompt --tools --verbose --bare";;
*) echo "key ${SECRETS.OPENAI_API_KEY} is not ${SECRETS.ANTHROPIC_API_KEY}" >&2; exit 3;;
esac`,
  );
  const exit = await rlm(['doctor', '--json'], { cwd: root, env: { ...env, ...SECRETS } });
  expect(exit.code).toBe(1);
  const report = reportOf(exit);
  expect(finding(report, 'codex')).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining("says 'a code editor'"),
    fix: expect.stringContaining('RLM_CODEX'),
  });
  expect(finding(report, 'claude print')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('key (hidden) is not (hidden)'),
  });
  expect(report.workers).toMatchObject([{ worker: 'claude', lanes: [{ request_bytes: null }] }]);
});

test('over MCP it answers even where the configuration is broken', async () => {
  const { root, env } = patient();
  configure(root, '[');
  const client = await connectClient(root, env);
  const result = await client.callTool({ name: 'rlm_doctor', arguments: {} });
  expect(result.isError).toBeUndefined();
  const report = DoctorReport.parse(result.structuredContent);
  expect(finding(report, 'configuration')?.status).toBe('fail');
  expect(existsSync(join(root, '.rlm', 'cache'))).toBe(false);
});

test('says who answers as the configuration has it: its runner script, the login of its Codex home', async () => {
  const { root, env } = patient(BINARIES, '/usr/bin', '/bin');
  const { codexHome } = isolatedCodex(dirname(root), 'http://127.0.0.1:9');
  writeFileSync(join(root, 'runner.sh'), '#!/bin/sh\n', { mode: 0o755 });
  configure(root, JSON.stringify({ codex_home: codexHome, runner_script: 'runner.sh' }));
  const report = reportOf(await rlm(['doctor', '--json'], { cwd: root, env }));
  expect(finding(report, 'codex login')).toMatchObject({ status: 'ok' });
  expect(finding(report, 'worker')).toMatchObject({
    status: 'ok',
    detail: expect.stringContaining('a runner script was given'),
  });
});

test('calls the model only when asked for the cost, and reads its usage', async () => {
  const model = await startModelServer({
    keyOf: () => 'any',
    reply: () => ({
      kind: 'answer',
      text: '{"chunk_id":"doctor"}',
      usage: { input: 9000, cached: 4000, output: 900, reasoning: 850 },
    }),
  });
  onTestFinished(() => model.close());
  const { root, env } = patient(BINARIES, '/usr/bin', '/bin');
  const { codexHome } = isolatedCodex(dirname(root), model.url);
  const options = { cwd: root, env: { ...env, CODEX_HOME: codexHome } };

  const free = reportOf(await rlm(['doctor', '--json'], options));
  expect(finding(free, 'codex login')).toMatchObject({
    status: 'ok',
    detail: "the provider 'fake' needs none",
  });
  expect(free.baseline).toBeUndefined();
  expect(model.calls).toHaveLength(0);

  const costly = reportOf(await rlm(['doctor', '--probe-cost', '--json'], options));
  expect(model.calls).toHaveLength(1);
  expect(costly.baseline).toMatchObject({
    worker: 'codex/app-server',
    usage: {
      input_tokens: 9000,
      cached_input_tokens: 4000,
      output_tokens: 900,
      reasoning_output_tokens: 850,
    },
  });
  const reading = costly.baseline?.reading.join('\n');
  expect(reading).toMatch(/^Reasoning dominates the output: about \d+ of 900 tokens/m);
  expect(reading).toMatch(/^A fixed prefix dominates the input: about 8\d\d\d tokens/m);
  expect(reading).toMatch(/^Caching is active for 4000 tokens: it lowers cost and delay, not the count/m);
});

test('says how Codex and Claude may call the tools when nobody is there to approve', async () => {
  const { root, env } = patient();
  const config = join(env.CODEX_HOME ?? '', 'config.toml');
  mkdirSync(env.CODEX_HOME ?? '');
  const server = '[mcp_servers.chunks]\ncommand = "rlm"\nargs = ["mcp"]\n';
  writeFileSync(config, server);
  writeFileSync(
    join(root, '.mcp.json'),
    JSON.stringify({ mcpServers: { many: { command: 'node', args: ['/opt/rlm/dist/rlm.js', 'mcp'] } } }),
  );
  const examine = async () => reportOf(await rlm(['doctor', '--json'], { cwd: root, env }));
  const before = await examine();
  expect(finding(before, 'codex approval')).toMatchObject({
    status: 'warn',
    fix: expect.stringContaining(
      `default_tools_approval_mode = "approve" under [mcp_servers.chunks] in ${config}`,
    ),
  });
  expect(finding(before, 'claude approval')?.detail).toContain('--allowedTools mcp__many');
  writeFileSync(config, `${server}default_tools_approval_mode = "approve"\n`);
  expect(finding(await examine(), 'codex approval')).toMatchObject({ status: 'ok' });
});
