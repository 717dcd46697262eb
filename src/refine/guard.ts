import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import picomatch from 'picomatch';
import { z } from 'zod';
import type { TamperedFile } from '../contracts/index.ts';
import { ensureDirectory, writeFileAtomic } from '../files/index.ts';
import { Snapshots, type TreeChange } from './snapshots.ts';

/** Files that test runners take for tests or for what tests compare with. New ones may be added. */
const TEST_FILES = [
  '**/{test,tests,__tests__,spec,specs,e2e,testdata,__snapshots__}/**',
  '**/*.{test,spec}.*',
  '**/*_test.*',
  '**/*_spec.rb',
  '**/test_*.py',
  '**/*.snap',
  '**/*{Test,Tests,IT}.{java,kt,cs,scala}',
];
/** What decides which tests run and how. A new one can weaken them as well as a changed one. */
const TEST_CONFIGURATION = [
  '**/{vitest,vite,jest,karma,ava,playwright,cypress,mocha,babel}.{config,setup}.*',
  '**/vitest.workspace.*',
  '**/{.mocharc,.nycrc,.c8rc,.taprc,.babelrc,.swcrc}*',
  '**/{.npmrc,.yarnrc,.yarnrc.yml,.pnpmfile.cjs,pnpm-workspace.yaml,bunfig.toml,deno.json,deno.jsonc}',
  '**/{package-lock.json,npm-shrinkwrap.json,pnpm-lock.yaml,yarn.lock,bun.lock,bun.lockb,deno.lock}',
  '**/{pytest.ini,.pytest.ini,tox.ini,setup.cfg,pyproject.toml,noxfile.py,conftest.py,sitecustomize.py}',
  '**/{uv.lock,poetry.lock,Pipfile.lock}',
  '**/{Cargo.lock,go.sum,go.work,nextest.toml}',
  '**/.cargo/**',
  '**/{GNUmakefile,makefile,Makefile,justfile}',
  '**/{build.gradle,settings.gradle,build.gradle.kts,settings.gradle.kts,gradle.properties,pom.xml,gradlew,mvnw}',
  '**/{gradle/wrapper,.mvn}/**',
  '**/*.{runsettings,sln,slnx}',
];
/** Parts of `package.json` that decide what the validator runs; dependencies may change. */
const MANIFEST_KEYS = ['scripts', 'jest', 'vitest', 'mocha', 'ava', 'tap', 'nyc', 'c8', 'packageManager'];
/** Copies of a runner's files are kept up to this size; a larger runner is watched, and its change ends the run. */
const MAX_COPY_BYTES = 256 * 1024 * 1024;
const MANIFEST = /(?:^|\/)package\.json$/;
const Manifest = z.record(z.string(), z.unknown());

/** A directory outside the snapshots (it is ignored) that the validator runs code from. */
interface Runner {
  /** Real path. */
  directory: string;
  /** As it is named in a report. */
  name: string;
  /** Its files as they were, in a store of their own: as plain copies a test runner would find them. */
  kept: { snapshots: Snapshots; tree: string } | undefined;
  marks: Map<string, string>;
}

export interface GuardOptions {
  /** The directory that is worked on. */
  directory: string;
  /** Arguments of the validator and of the metric. */
  commands: readonly (readonly string[])[];
  /** Further patterns; one that starts with `!` takes files out of the protection. */
  protect: readonly string[];
  onTamper: 'restore' | 'stop' | 'allow';
  /** Where copies of runners are kept. */
  store: string;
}

/**
 * Protects what decides whether a validator passes: test files, their configuration, lock files, the validator's own
 * files, and the runner's code among ignored files.
 */
export class TamperGuard {
  readonly #options: GuardOptions;
  readonly #snapshots: Snapshots;
  readonly #isTest: (path: string) => boolean;
  readonly #isConfiguration: (path: string) => boolean;
  readonly #isExempt: (path: string) => boolean;
  readonly #runners: Runner[] = [];

  private constructor(snapshots: Snapshots, options: GuardOptions) {
    this.#options = options;
    this.#snapshots = snapshots;
    const match = (patterns: readonly string[]) => picomatch([...patterns], { dot: true });
    const own = options.commands.flat().flatMap((argument) => {
      const path = pathBelow(options.directory, resolve(options.directory, argument));
      return path !== undefined && isFile(join(options.directory, path)) ? [escapeGlob(path)] : [];
    });
    const added = options.protect.filter((pattern) => !pattern.startsWith('!'));
    const exempt = options.protect
      .filter((pattern) => pattern.startsWith('!'))
      .map((pattern) => pattern.slice(1));
    this.#isTest = match(TEST_FILES);
    this.#isConfiguration = match([...TEST_CONFIGURATION, ...own, ...added]);
    this.#isExempt = exempt.length === 0 ? () => false : match(exempt);
  }

  static async open(snapshots: Snapshots, options: GuardOptions): Promise<TamperGuard> {
    const guard = new TamperGuard(snapshots, options);
    for (const directory of findRunners(options)) guard.#runners.push(await guard.#watch(directory));
    return guard;
  }

  /**
   * Looks at what a turn changed, and puts protected files back unless told otherwise.
   *
   * @param before tree of the snapshot before the turn
   * @returns the protected files that were changed (`restored` is false where that was not wanted or not possible), and
   *   the tree as it is then with its changes
   */
  async check(before: string): Promise<{ tampered: TamperedFile[]; tree: string; change: TreeChange }> {
    const tree = await this.#snapshots.take();
    const change = await this.#snapshots.compare(before, tree);
    const tampered = await this.#judge(before, change);
    if (!tampered.some(({ restored }) => restored)) return { tampered, tree, change };
    const now = await this.#snapshots.take();
    return { tampered, tree: now, change: await this.#snapshots.compare(before, now) };
  }

  async #judge(before: string, { files }: TreeChange): Promise<TamperedFile[]> {
    const changed = files.filter((file) => this.#isProtected(file));
    const restore = this.#options.onTamper === 'restore';
    const found: TamperedFile[] = [];
    const whole = changed.filter(({ path }) => !MANIFEST.test(path));
    if (restore && whole.length > 0)
      await this.#snapshots.restore(
        before,
        whole.map(({ path }) => path),
      );
    for (const { path, status } of whole) found.push({ path, change: status, restored: restore });
    for (const { path, status } of changed.filter((file) => MANIFEST.test(file.path))) {
      if (await this.#checkManifest(before, path, restore))
        found.push({ path, change: status, restored: restore });
    }
    for (const runner of this.#runners) {
      const paths = changedPaths(runner);
      if (paths.length === 0) continue;
      const restored = restore && (await putBack(runner));
      for (const path of paths.slice(0, 20)) {
        found.push({ path: join(runner.name, path), change: 'changed', restored });
      }
    }
    return found;
  }

  #isProtected({ path, status }: { path: string; status: string }): boolean {
    if (this.#isExempt(path)) return false;
    if (MANIFEST.test(path)) return true;
    return this.#isConfiguration(path) || (status !== 'added' && this.#isTest(path));
  }

  /** Whether keys of a manifest changed that decide what runs; they alone are put back. */
  async #checkManifest(before: string, path: string, restore: boolean): Promise<boolean> {
    const old = parseManifest(await this.#snapshots.read(before, path));
    const file = join(this.#options.directory, path);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    const now = parseManifest(text);
    // A new manifest in a new directory decides nothing that ran before.
    if (old === undefined) return false;
    const keys = MANIFEST_KEYS.filter((key) => JSON.stringify(old[key]) !== JSON.stringify(now?.[key]));
    if (keys.length === 0) return false;
    if (!restore) return true;
    if (now === undefined) await this.#snapshots.restore(before, [path]);
    else {
      const kept = Object.fromEntries(
        Object.entries(now).filter(([key]) => !keys.includes(key) || key in old),
      );
      for (const key of keys) if (key in old) kept[key] = old[key];
      const indent = /^([ \t]+)"/m.exec(text ?? '')?.[1] ?? '  ';
      writeFileAtomic(file, `${JSON.stringify(kept, null, indent)}\n`);
    }
    return true;
  }

  async #watch(directory: string): Promise<Runner> {
    const marks = marksOf(directory);
    const name = pathBelow(realpathSync(this.#options.directory), directory) ?? basename(directory);
    const bytes = [...marks.keys()].reduce((sum, path) => sum + lstatSync(join(directory, path)).size, 0);
    if (bytes > MAX_COPY_BYTES) return { directory, name, kept: undefined, marks };
    const store = join(this.#options.store, name.replaceAll('/', '+'));
    const snapshots = await Snapshots.open(directory, store, { all: true });
    const now = await snapshots.take();
    // What a turn changed whose driver was killed is not what the run began with.
    const path = join(store, 'first-tree');
    if (!existsSync(path)) writeFileAtomic(path, now);
    const tree = readFileSync(path, 'utf8');
    return { directory, name, kept: { snapshots, tree }, marks: tree === now ? marks : new Map() };
  }
}

/**
 * Directories of ignored files that the validator's programs lie in: the packages behind `node_modules/.bin` that a
 * script names, and a virtual environment's pytest.
 */
function findRunners({ directory, commands }: GuardOptions): string[] {
  const words = commands.flat().flatMap((argument) => argument.split(/[\s;&|"'()=]+/));
  const manifest = parseManifest(readIfThere(join(directory, 'package.json')));
  const scripts = z.record(z.string(), z.string()).safeParse(manifest?.scripts).data ?? {};
  for (const script of Object.values(scripts)) words.push(...script.split(/[\s;&|"'()=]+/));
  const found = new Set<string>();
  for (const word of new Set(words)) {
    const packaged = join(directory, 'node_modules', '.bin', word);
    if (/^[\w.@-]+$/.test(word) && existsSync(packaged)) {
      const home = packageOf(realpathSync(packaged));
      if (home !== undefined) found.add(home);
    }
  }
  const bins = join(directory, 'node_modules', '.bin');
  if (found.size > 0 && existsSync(bins)) found.add(realpathSync(bins));
  for (const environment of ['.venv', 'venv']) {
    const libraries = join(directory, environment, 'lib');
    for (const version of listIfThere(libraries)) {
      for (const name of ['pytest', '_pytest', 'pluggy']) {
        const path = join(libraries, version, 'site-packages', name);
        if (existsSync(path)) found.add(realpathSync(path));
      }
    }
  }
  return [...found];
}

/** The package that a program belongs to: the directory right below the last `node_modules`. */
function packageOf(program: string): string | undefined {
  const parts = program.split('/');
  const at = parts.lastIndexOf('node_modules');
  if (at === -1) return undefined;
  const length = parts[at + 1]?.startsWith('@') ? 3 : 2;
  return parts.slice(0, at + length).join('/');
}

/** How each file looks from outside; a changed content changes it (inode, size, times). */
function marksOf(directory: string): Map<string, string> {
  const marks = new Map<string, string>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = relative(directory, join(entry.parentPath, entry.name));
    // Runners keep caches among their own files.
    if (/(?:^|\/)(?:\.cache|\.vite|\.vitest|__pycache__)\//.test(path)) continue;
    const stat = lstatSync(join(directory, path), { bigint: true });
    marks.set(path, `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`);
  }
  return marks;
}

function changedPaths(runner: Runner): string[] {
  const now = existsSync(runner.directory) ? marksOf(runner.directory) : new Map<string, string>();
  return [...new Set([...runner.marks.keys(), ...now.keys()])].filter(
    (path) => runner.marks.get(path) !== now.get(path),
  );
}

async function putBack(runner: Runner): Promise<boolean> {
  if (runner.kept === undefined) return false;
  ensureDirectory(runner.directory);
  await runner.kept.snapshots.restoreAll(runner.kept.tree);
  runner.marks = marksOf(runner.directory);
  return true;
}

function parseManifest(text: string | undefined): Record<string, unknown> | undefined {
  try {
    return text === undefined ? undefined : Manifest.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  return isFile(path) ? readFileSync(path, 'utf8') : undefined;
}

function listIfThere(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

/** A path relative to a directory that it lies in; undefined for one outside. */
function pathBelow(directory: string, path: string): string | undefined {
  const inside = relative(directory, path);
  return inside === '' || inside.startsWith('..') ? undefined : inside;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}()!+@]/g, '\\$&');
}
