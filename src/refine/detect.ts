import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import type { ValidatorChoice } from '../contracts/index.ts';

/** A validator that was found, with every sign of it. */
export type Candidate = ValidatorChoice & { id: string; signals: string[] };

/** What was found in a directory, and what was looked at and not taken, each with its reason. */
export interface Detection {
  candidates: Candidate[];
  rejected: string[];
}

/** Manifests and test files are read whole: none is large. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * Finds the commands that test a repository, from the files in its root. Signs that lead to one command are one
 * candidate. Nothing is run.
 */
export function detectValidators(root: string): Detection {
  const found: Detection = { candidates: [], rejected: [] };
  const place = new Place(root);
  for (const look of [node, python, go, rust, deno, gradle, maven, dotnet]) look(place, found);
  make(place, found);
  return found;
}

/** The files of a directory, as the rules of detection ask for them. */
class Place {
  readonly root: string;
  readonly names: ReadonlySet<string>;

  constructor(root: string) {
    this.root = root;
    this.names = new Set(readdirSync(root));
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  /** The first of the names that is there. */
  first(...names: string[]): string | undefined {
    return names.find((name) => this.names.has(name));
  }

  matching(pattern: RegExp): string[] {
    return [...this.names].filter((name) => pattern.test(name)).sort();
  }

  read(name: string): string {
    const text = readFileSync(join(this.root, name), 'utf8');
    return text.length > MAX_MANIFEST_BYTES ? '' : text.replace(/^\ufeff/, '');
  }
}

function candidate(id: string, argv: string[], kind: string, signals: string[]): Candidate {
  return { id, argv, command: argv.join(' '), reason: `${kind}: ${signals.join(', ')}`, signals };
}

const Manifest = z.looseObject({
  packageManager: z.string().optional().catch(undefined),
  scripts: z.record(z.string(), z.unknown()).optional().catch(undefined),
});

const LOCK_FILES: Readonly<Record<string, string>> = {
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'package-lock.json': 'npm',
  'npm-shrinkwrap.json': 'npm',
  'bun.lock': 'bun',
  'bun.lockb': 'bun',
};
/** What `npm init` writes. */
const PLACEHOLDER = /no test specified/i;

function node(place: Place, found: Detection): void {
  if (!place.has('package.json')) return;
  let manifest: z.infer<typeof Manifest>;
  try {
    manifest = Manifest.parse(JSON.parse(place.read('package.json')));
  } catch {
    found.rejected.push('node: package.json is not valid JSON');
    return;
  }
  const script = manifest.scripts?.test;
  if (typeof script !== 'string' || script.trim() === '' || PLACEHOLDER.test(script)) {
    const why = typeof script === 'string' && script.trim() !== '' ? "is npm's placeholder" : 'is missing';
    found.rejected.push(`node: scripts.test in package.json ${why}`);
    return;
  }
  const named = /^(npm|pnpm|yarn|bun)(?:@|$)/.exec(manifest.packageManager ?? '')?.[1];
  const locks = Object.keys(LOCK_FILES).filter((name) => place.has(name));
  const managers =
    named === undefined ? [...new Set(locks.map((name) => LOCK_FILES[name] ?? 'npm'))] : [named];
  if (managers.length === 0) managers.push('npm');
  for (const manager of managers) {
    const signals =
      named === undefined
        ? locks.filter((name) => LOCK_FILES[name] === manager)
        : [`packageManager ${manifest.packageManager}`];
    // `bun test` would be bun's own runner, not the script.
    const argv = manager === 'bun' ? ['bun', 'run', 'test'] : [manager, 'test'];
    found.candidates.push(
      candidate(`${manager}-test`, argv, 'node', signals.length === 0 ? ['package.json'] : signals),
    );
  }
}

function python(place: Place, found: Detection): void {
  const strong = ['pytest.ini', '.pytest.ini', 'conftest.py'].filter((name) => place.has(name));
  const weak = ['pyproject.toml', 'requirements.txt', 'setup.cfg', 'setup.py'].filter((name) =>
    place.has(name),
  );
  if (place.has('tox.ini')) {
    const text = place.read('tox.ini');
    if (/^\[(?:tox|testenv)/m.test(text))
      found.candidates.push(candidate('tox', ['tox'], 'python', ['tox.ini']));
    else if (/^\[pytest\]/m.test(text)) strong.push('tox.ini');
  }
  if (place.has('pyproject.toml') && namesPytest(place.read('pyproject.toml'))) strong.push('pyproject.toml');
  if (place.has('setup.cfg') && /^\[tool:pytest\]/m.test(place.read('setup.cfg'))) strong.push('setup.cfg');
  if (strong.length === 0 && weak.length === 0) return;
  if (strong.length === 0 && !hasPythonTests(place)) {
    found.rejected.push(`python: ${weak.join(', ')}, but no tests (tests/, test_*.py, *_test.py)`);
    return;
  }
  const run = place.has('uv.lock') ? ['uv', 'run'] : place.has('poetry.lock') ? ['poetry', 'run'] : [];
  const signals = [...new Set([...strong, ...weak, ...run.slice(0, 1).map((tool) => `${tool}.lock`)])];
  found.candidates.push(candidate('pytest', [...run, 'pytest'], 'python', signals));
}

function namesPytest(text: string): boolean {
  try {
    const tool = z
      .looseObject({ tool: z.looseObject({ pytest: z.unknown() }).optional() })
      .parse(parseToml(text)).tool;
    return tool?.pytest !== undefined;
  } catch {
    return /^\[tool\.pytest/m.test(text);
  }
}

function hasPythonTests(place: Place): boolean {
  const isTest = (name: string) => /^(?:test_.*|.*_test)\.py$/.test(name);
  return ['.', 'tests', 'test'].some((directory) => {
    const path = join(place.root, directory);
    if (directory !== '.' && !place.has(directory)) return false;
    try {
      return readdirSync(path).some(isTest);
    } catch {
      return false;
    }
  });
}

function go(place: Place, found: Detection): void {
  if (place.has('go.mod'))
    found.candidates.push(candidate('go-test', ['go', 'test', './...'], 'go', ['go.mod']));
}

function rust(place: Place, found: Detection): void {
  if (place.has('Cargo.toml'))
    found.candidates.push(candidate('cargo-test', ['cargo', 'test'], 'rust', ['Cargo.toml']));
}

function deno(place: Place, found: Detection): void {
  const file = place.first('deno.json', 'deno.jsonc');
  if (file === undefined) return;
  const hasTask = /"tasks"\s*:\s*\{[^}]*"test"\s*:/.test(place.read(file));
  const argv = hasTask ? ['deno', 'task', 'test'] : ['deno', 'test'];
  found.candidates.push(candidate('deno-test', argv, 'deno', [file]));
}

function gradle(place: Place, found: Detection): void {
  const file = place.first('build.gradle', 'build.gradle.kts');
  if (file === undefined) return;
  const program = place.has('gradlew') ? './gradlew' : 'gradle';
  found.candidates.push(candidate('gradle-test', [program, 'test'], 'gradle', [file]));
}

function maven(place: Place, found: Detection): void {
  if (!place.has('pom.xml')) return;
  const program = place.has('mvnw') ? './mvnw' : 'mvn';
  found.candidates.push(candidate('maven-test', [program, 'test'], 'maven', ['pom.xml']));
}

function dotnet(place: Place, found: Detection): void {
  const [file] = [...place.matching(/\.slnx?$/), ...place.matching(/\.(?:cs|fs|vb)proj$/)];
  if (file !== undefined)
    found.candidates.push(candidate('dotnet-test', ['dotnet', 'test'], 'dotnet', [file]));
}

/** A Makefile whose target only calls a command that was found already is a further sign of that one. */
function make(place: Place, found: Detection): void {
  const file = place.first('GNUmakefile', 'makefile', 'Makefile');
  if (file === undefined) return;
  const recipe = /^test[ \t]*:(?!=)[^\n]*\n((?:\t[^\n]*\n?)*)/m.exec(place.read(file))?.[1];
  if (recipe === undefined) {
    found.rejected.push(`make: ${file} has no target test`);
    return;
  }
  const lines = recipe
    .split('\n')
    .map((line) => line.replace(/^\t[@-]*/, '').trim())
    .filter((line) => line !== '');
  const same = lines.length === 1 ? found.candidates.find(({ command }) => command === lines[0]) : undefined;
  if (same === undefined) {
    found.candidates.push(candidate('make-test', ['make', 'test'], 'make', [`${file} target test`]));
    return;
  }
  same.signals.push(file);
  same.reason = `${same.reason}, ${file}`;
}
