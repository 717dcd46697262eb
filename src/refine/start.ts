import { basename, resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import { type RefineOptions, RefineParams, type ValidatorChoice } from '../contracts/index.ts';
import { type Caller, resolveWork } from '../dispatch/index.ts';
import { type Choices, type Hint, RlmError } from '../errors.ts';
import { createRun, type RunHandle, requireFreeWorkingTree } from '../runs/index.ts';
import { oneLine } from '../text/index.ts';
import { type Candidate, type Detection, detectValidators } from './detect.ts';
import { canFindProgram, splitCommand } from './validator.ts';

const DEFAULT_MAX_ITERATIONS = 88;
const DEFAULT_MAX_MINUTES = 2880;
const UNLIMITED = new Set(['0', 'unlimited', 'unbounded', 'infinite', 'infinity']);

/** Of the command, by why a loop was not started. */
const EXIT_CODES = { no_validator: 2, error: 4, invalid_config: 5 } as const;

/** Why a loop is not started. Nothing was written yet. */
function notStarted(
  ended: keyof typeof EXIT_CODES,
  message: string,
  options: { hint?: string | Hint; choices?: Choices } = {},
): RlmError {
  const code = ended === 'error' ? 'unavailable' : 'usage';
  return new RlmError(code, message, { ...options, exitCode: EXIT_CODES[ended] });
}

/**
 * Puts defaults under what a caller says (the caller's word, the environment, the configuration, ours) and chooses the
 * validator. Nothing is written before everything is known to be right.
 *
 * @throws RlmError with the exit code of a loop that is not started: 2 where no validator is chosen, 4 where it cannot
 *   be started, 5 for a wrong value or combination
 */
export async function prepareRefine(
  options: RefineOptions,
  caller: Caller,
): Promise<{ run: RunHandle; params: RefineParams }> {
  const began = performance.now();
  const { config, environment, root } = caller;
  const given = config.refine;
  const variable = (name: string) => environment[name] || undefined;
  const goal = (options.goal ?? variable('RLM_GOAL') ?? '').trim();
  if (goal === '')
    throw invalid('there is no goal', 'Say what to reach, such as rlm refine "Fix the failing tests".');
  const roles = options.roles ?? readRoles(variable('RLM_ROLES')) ?? given.roles;
  const maxIterations = readIterations(
    options.max_iterations ?? variable('RLM_MAX_ITERATIONS') ?? given.max_iterations,
  );
  const maxMinutes = readMinutes(options.max_minutes ?? variable('RLM_MAX_MINUTES') ?? given.max_minutes);
  const candidates = options.candidates ?? 1;
  const metric = options.metric === undefined ? null : commandOf(options.metric, caller, 'metric');
  const isolate = options.isolate ?? (candidates > 1 || metric !== null ? 'worktree' : given.isolate);
  if (isolate === 'none' && (candidates > 1 || metric !== null)) {
    throw invalid('candidates and metric need isolate worktree', 'Leave isolate out, or say worktree.');
  }
  if (isolate === 'none') requireFreeWorkingTree(root);
  if (options.minimize !== undefined && metric === null) throw invalid('minimize needs a metric');

  const asked = options.validator ?? variable('RLM_VALIDATOR') ?? given.validator;
  const validator = chooseValidator(asked, caller);
  if (validator === null && maxIterations === null && maxMinutes === undefined) {
    throw invalid(
      'without a validator, a limit of iterations or minutes is needed',
      'Give max_iterations or max_minutes.',
    );
  }
  if (validator !== null) requireProgram(validator.argv, root);
  const work = resolveWork(
    {
      ...options,
      max_minutes: maxMinutes,
      timeout_sec: options.timeout_sec ?? given.turn_timeout_sec,
      idle_timeout_sec: options.idle_timeout_sec ?? given.turn_idle_timeout_sec,
    },
    caller,
  );
  if (work.worker === 'extractive')
    throw invalid('the extractive reader cannot change files', 'Use codex, claude or a command.');
  const params = RefineParams.parse({
    ...work,
    max_minutes: maxMinutes,
    parallel: candidates,
    cache: false,
    goal,
    task_id: taskId(options.task ?? variable('MCP_RUNNER_TASK_ID'), root),
    validator,
    validator_chosen_ms: Math.round(performance.now() - began),
    metric:
      metric === null
        ? null
        : { argv: metric.argv, command: metric.command, minimize: options.minimize ?? false },
    max_iterations: maxIterations,
    roles,
    isolate,
    candidates,
    protect: [...given.protect, ...(options.protect ?? [])],
    on_tamper: options.on_tamper ?? given.on_tamper,
    stop_after_same: options.stop_after_same ?? given.stop_after_same,
    setup: splitOrNull(options.setup ?? given.setup),
    allow_network: options.allow_network ?? given.allow_network,
    add_dirs: [
      ...given.add_dirs.map((path) => resolve(root, path)),
      ...(options.add_dir ?? []).map((path) => resolve(caller.cwd, path)),
    ],
    validator_timeout_sec: given.validator_timeout_sec,
    validator_idle_sec: given.validator_idle_timeout_sec,
  });
  const run = createRun(root, {
    kind: 'refine',
    title: oneLine(goal, 200),
    runId: options.run_id,
    task: params.task_id,
  });
  return { run, params };
}

function invalid(message: string, hint?: string): RlmError {
  return notStarted('invalid_config', message, hint === undefined ? {} : { hint });
}

function readRoles(text: string | undefined): 'single' | 'triad' | undefined {
  if (text === undefined) return undefined;
  if (text === 'single' || text === 'triad') return text;
  throw invalid(`RLM_ROLES is '${text}'`, 'It is single or triad.');
}

/** @returns null for no limit */
function readIterations(given: string | number | undefined): number | null {
  const text = String(given ?? DEFAULT_MAX_ITERATIONS)
    .trim()
    .toLowerCase();
  if (UNLIMITED.has(text)) return null;
  if (!/^\d+$/.test(text))
    throw invalid(`max_iterations is '${text}'`, 'Give a whole number; 0 or unlimited is no limit.');
  return Number(text);
}

/** @returns undefined for no limit */
function readMinutes(given: string | number | undefined): number | undefined {
  const minutes = Number(given ?? DEFAULT_MAX_MINUTES);
  if (!Number.isFinite(minutes) || minutes < 0)
    throw invalid(`max_minutes is '${given}'`, 'Give a number of minutes; 0 is no limit.');
  return minutes === 0 ? undefined : minutes;
}

/** The name that runs of one task share: `rlm-<directory>` when nobody gives one. */
function taskId(given: string | undefined, root: string): string {
  if (given !== undefined) return given;
  const slug = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'rlm-adhoc' : `rlm-${slug.slice(0, 60)}`;
}

function splitOrNull(command: string | undefined): string[] | null {
  return command === undefined ? null : split(command);
}

function split(command: string): string[] {
  try {
    return splitCommand(command);
  } catch (error) {
    if (!(error instanceof RlmError)) throw error;
    throw notStarted('invalid_config', error.message, { hint: error.hint.text });
  }
}

function chooseValidator(asked: string, caller: Caller): ValidatorChoice | null {
  if (asked === 'none') return null;
  if (asked !== 'auto') return commandOf(asked, caller, 'validator');
  const detection = detectValidators(caller.root);
  const [only, ...more] = detection.candidates;
  if (only !== undefined && more.length === 0) return toChoice(only);
  throw notStarted('no_validator', describeDetection(detection), {
    hint: 'Name one with validator (an id from the list, or at the command line a command), or say none.',
    choices: {
      field: 'validator',
      question: 'What says that the goal is reached?',
      options: [
        ...detection.candidates.map(({ id, command, reason }) => ({
          value: id,
          label: `${command} (${reason})`,
        })),
        { value: 'none', label: 'none: go on until the limits are used up' },
      ],
    },
  });
}

function describeDetection({ candidates, rejected }: Detection): string {
  const seen = rejected.length === 0 ? '' : ` (${rejected.join('; ')})`;
  if (candidates.length === 0) return `no validator was found${seen}`;
  const listed = candidates.map(({ id, command, reason }) => `${id}: ${command} (${reason})`).join('; ');
  return `several validators were found: ${listed}`;
}

/**
 * The program behind a name: one under `validators` in the configuration, a detected candidate's id, or, from a person,
 * a command.
 */
function commandOf(
  name: string,
  { config, root, allowedRoots }: Caller,
  what: 'validator' | 'metric',
): ValidatorChoice {
  const configured = namedCommand(config, name);
  if (configured !== undefined) {
    return { id: name, argv: configured, command: configured.join(' '), reason: 'configuration' };
  }
  const detected = detectValidators(root).candidates.find(({ id }) => id === name);
  if (detected !== undefined) return toChoice(detected);
  if (allowedRoots !== null) {
    throw notStarted(
      'invalid_config',
      `${what} '${name}' is no detected candidate and no name under "validators" in .rlm/config.json`,
      {
        hint: 'A person adds programs to that file; auto detects the one of the repository.',
      },
    );
  }
  const argv = split(name);
  return { id: null, argv, command: name, reason: 'given' };
}

function namedCommand(config: Config, name: string): string[] | undefined {
  return Object.hasOwn(config.validators, name) ? config.validators[name] : undefined;
}

function toChoice({ id, argv, command, reason }: Candidate): ValidatorChoice {
  return { id, argv, command, reason };
}

/** @throws RlmError with exit code 4 for a program that is not there: no turn is paid for before that is known */
function requireProgram(argv: readonly string[], root: string): void {
  const [program = ''] = argv;
  if (canFindProgram(program, root)) return;
  throw notStarted('error', `the validator cannot be started: ${program} was not found`, {
    hint: 'Install it, or name another with validator.',
  });
}
