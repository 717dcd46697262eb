import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { BUNDLE } from './support/rlm.ts';
import { temporaryDirectory } from './support/runs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const McpFile = z.object({
  mcpServers: z.object({ rlm: z.object({ command: z.string(), args: z.array(z.string()) }) }),
});

test('the bundle imports nothing but Node itself at its start', () => {
  const chunks = join(dirname(BUNDLE), 'chunks');
  const files = [BUNDLE, ...readdirSync(chunks).map((name) => join(chunks, name))];
  const imported = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^import [^;]*?from ["']([^"']+)["'];$/gm)].map(
      ([, name = '']) => name,
    ),
  );
  expect(imported.length).toBeGreaterThan(3);
  const foreign = imported.filter(
    (name) => !name.startsWith('node:') && !name.startsWith('.') && !builtinModules.includes(name),
  );
  expect(foreign, 'bundle it, or import it where it is needed').toEqual([]);
});

test('in a clone, npx finds it as mcp.json says', () => {
  const { command, args } = McpFile.parse(JSON.parse(readFileSync(join(root, 'mcp.json'), 'utf8'))).mcpServers
    .rlm;
  const said = execFileSync(command, [...args, '--help'], { cwd: root, encoding: 'utf8' });
  expect(said).toContain('Usage: rlm mcp');
});

test('the packed tarball, installed elsewhere, is a working rlm and serves MCP as mcp.json says', {
  timeout: 120_000,
}, async () => {
  const directory = temporaryDirectory();
  const npm = (args: string[]) =>
    execFileSync('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline'], {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const tarball = npm(['pack', root, '--ignore-scripts', '--silent']).trim().split('\n').at(-1) ?? '';
  writeFileSync(join(directory, 'package.json'), '{"name":"elsewhere","private":true}');
  npm(['install', join(directory, tarball)]);

  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const rlm = join(directory, 'node_modules', '.bin', 'rlm');
  expect(execFileSync(rlm, ['--version'], { encoding: 'utf8' })).toBe(`${version}\n`);
  expect(execFileSync(rlm, ['runs', '--json'], { cwd: directory, encoding: 'utf8' })).toContain('"total":0');

  // Nothing of this checkout, and no worker program: what the tarball brings must do.
  const bare = {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: dirname(process.execPath), HOME: directory },
  } as const;
  // Without a model only the extractive reader answers: that is said, and is not healthy.
  const doctor = spawnSync(rlm, ['doctor', '--json'], bare);
  expect(doctor.status).toBe(1);
  const report = z.object({ healthy: z.boolean(), version: z.string() }).parse(JSON.parse(doctor.stdout));
  expect(report).toEqual({ healthy: false, version });
  const demo = execFileSync(rlm, ['demo'], { ...bare, stdio: ['ignore', 'pipe', 'ignore'] });
  expect(demo).toMatch(/^\[1\] \S+\.md:\d+-\d+$/m);
  expect(demo).toContain(join(directory, '.rlm', 'runs'));

  // `npx -y rlm-mcp mcp`: the package's one bin has another name, which npx allows.
  const installed = join(directory, 'node_modules', 'rlm-mcp');
  expect(readFileSync(join(installed, 'skills', 'map-worker', 'SKILL.md'), 'utf8')).toContain(
    'name: map-worker',
  );
  const { command, args } = McpFile.parse(JSON.parse(readFileSync(join(installed, 'mcp.json'), 'utf8')))
    .mcpServers.rlm;
  const client = new Client({ name: 'rlm-test', version: '1.0.0' });
  onTestFinished(() => client.close());
  await client.connect(
    new StdioClientTransport({
      command,
      args,
      cwd: directory,
      env: { PATH: process.env.PATH ?? '', HOME: directory },
    }),
  );
  expect(client.getServerVersion()).toMatchObject({ name: 'rlm', version });
  expect((await client.listTools()).tools.length).toBeGreaterThan(0);
});
