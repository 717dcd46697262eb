import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { runsDirectory } from '../contracts/index.ts';
import { findRoot, TOOLS, type Tool } from '../tools/index.ts';
import { type Field, fieldsOf } from './fields.ts';

/** Where a printed command is meant to be pasted: the root it works on, and the run it is about. */
export interface CommandPlace {
  root?: string;
  run?: { id: string; dir: string } | undefined;
}

/** A call of a tool, as a hint or a next step has it. */
interface Action {
  tool: string;
  args: Record<string, unknown>;
}

/** `rlm_run_batch` is `rlm batch`: its own command name, else the tool's without `rlm_`, dashed. */
export function commandName(tool: Pick<Tool, 'name' | 'command'>): string {
  return tool.command?.name ?? tool.name.slice('rlm_'.length).replaceAll('_', '-');
}

/** A call of a tool as a command line that a POSIX shell takes as it is. */
export function commandOf({ tool: name, args }: Action, { root, run }: CommandPlace): string {
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool === undefined) return name;
  const here = findRoot(root);
  const elsewhere = run !== undefined && run.dir !== directoryOf(here, run.id);
  const words = fieldsOf(tool).flatMap((field) => {
    const value = argumentAt(args, field.path);
    if (field.flag === '--run-id' && value !== undefined)
      return elsewhere && value === run.id ? ['--run-dir', run.dir] : ['--run', String(value)];
    return optionWords(field, value);
  });
  // A URI names the run by its id, which says nothing of a directory elsewhere.
  if (elsewhere && typeof args.uri === 'string' && args.uri.startsWith(`rlm://runs/${run.id}`))
    words.push('--run-dir', run.dir);
  const place = here === findRoot(undefined) ? [] : ['--root', here];
  return ['rlm', commandName(tool), ...words, ...place].map(quoteWord).join(' ');
}

/** Where a run of a root is, if it is there. */
function directoryOf(root: string, runId: string): string | undefined {
  const dir = join(runsDirectory(root), runId);
  return existsSync(dir) ? realpathSync(dir) : undefined;
}

/** Next steps for a person: a command a line, and below it what it is for. */
export function stepLines(steps: readonly (Action & { why: string })[], place: CommandPlace): string[] {
  return steps.flatMap((step) => [`  ${commandOf(step, place)}`, `    ${step.why}`]);
}

function argumentAt(args: Record<string, unknown>, path: readonly string[]): unknown {
  let value: unknown = args;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

function optionWords({ flag, schema }: Field, value: unknown): string[] {
  if (value === undefined || value === null || value === schema.default) return [];
  if (value === true) return [flag];
  if (value === false) return schema.default === true ? [flag.replace('--', '--no-')] : [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [flag, ...value];
  return [flag, typeof value === 'object' ? JSON.stringify(value) : String(value)];
}

/** One word of a shell's command line. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
