import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IterationRecord, RefineState } from '../../src/contracts/index.ts';
import { rlm } from './rlm.ts';
import { temporaryDirectory } from './runs.ts';

export const BROKEN = 'export const add = (a, b) => a - b;\n';
export const FIXED = 'export const add = (a, b) => a + b;\n';

/** A small Node project with two tests, one of which fails. */
export const NODE_PROJECT: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "small", "type": "module", "scripts": { "test": "node --test" } }\n',
  'package-lock.json': '{}\n',
  'src/math.js': BROKEN,
  'test/math.test.js': `import test from 'node:test';
import assert from 'node:assert';
import { add } from '../src/math.js';
test('adds', () => assert.equal(add(1, 2), 3));
test('adds nothing', () => assert.equal(add(4, 0), 4));
`,
  '.gitignore': 'node_modules/\n.rlm/\n',
};

/** A repository with a command that plays the agent: its turns are shell scripts, the last of them again and again. */
export class Repository {
  readonly root = temporaryDirectory();
  /** Outside the repository: the agent, and a line for each of its turns. */
  readonly outside = temporaryDirectory();
  readonly agent = join(this.outside, 'agent.sh');

  constructor(files: Readonly<Record<string, string>> = NODE_PROJECT, options: { git?: boolean } = {}) {
    for (const [path, text] of Object.entries(files)) this.put(path, text);
    if (options.git === false) return;
    this.git('init', '--quiet');
    this.git('add', '--all');
    this.git('commit', '--quiet', '-m', 'start');
  }

  put(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (text.startsWith('#!')) chmodSync(file, 0o755);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  git(...args: string[]): string {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
    return execFileSync('git', [...identity, ...args], { cwd: this.root, encoding: 'utf8' });
  }

  /** @param turns each runs in the working directory of the agent; `$turn` is its number, from 1 */
  act(...turns: string[]): this {
    const count = join(this.outside, 'turns');
    const cases = turns.map(
      (turn, index) => `  ${index === turns.length - 1 ? '*' : index + 1})\n${turn}\n  ;;`,
    );
    const script = `#!/bin/sh
cat > "${this.outside}/prompt.$$"
echo $$ >> "${count}"
turn=$(wc -l < "${count}")
mv "${this.outside}/prompt.$$" "${this.outside}/prompt.$turn"
case $turn in
${cases.join('\n')}
esac
`;
    writeFileSync(this.agent, script);
    chmodSync(this.agent, 0o755);
    return this;
  }

  /** How often the agent was called. */
  get turns(): number {
    const path = join(this.outside, 'turns');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').length : 0;
  }

  prompt(turn: number): string {
    return readFileSync(join(this.outside, `prompt.${turn}`), 'utf8');
  }

  configure(config: Record<string, unknown>): this {
    this.put('.rlm/config.json', JSON.stringify(config));
    return this;
  }

  refine(...args: string[]) {
    return rlm(this.refineArgs(...args), { cwd: this.root, env: this.env });
  }

  refineArgs(...args: string[]): string[] {
    return ['refine', 'Fix the failing test', '--run', 'loop', '--command', this.agent, ...args];
  }

  /** Worktrees lie in the cache: that of the test. */
  get env(): Record<string, string> {
    return { XDG_CACHE_HOME: join(this.outside, 'cache') };
  }

  run(...args: string[]) {
    return rlm(args, { cwd: this.root, env: this.env });
  }

  path(run = 'loop'): string {
    return join(this.root, '.rlm', 'runs', run);
  }

  state(run = 'loop'): RefineState {
    return RefineState.parse(JSON.parse(readFileSync(join(this.path(run), 'refine/state.json'), 'utf8')));
  }

  iterations(run = 'loop'): IterationRecord[] {
    const directory = join(this.path(run), 'refine/iterations');
    const names = existsSync(directory)
      ? readdirSync(directory)
          .filter((name) => name.endsWith('.json'))
          .sort()
      : [];
    return names.map((name) =>
      IterationRecord.parse(JSON.parse(readFileSync(join(directory, name), 'utf8'))),
    );
  }
}

const say = (summary: string) => `echo "Summary: ${summary}"; echo "Next: more"`;
/** A turn that changes the product without fixing it. */
export const TRY = `echo "// turn $turn" >> src/math.js\n${say('tried')}`;
/** A turn that repairs the product. */
export const FIX = `echo 'export const add = (a, b) => a + b;' > src/math.js\n${say('fixed the sign')}`;
export const TALK = say('thought about it');
