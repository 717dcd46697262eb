import type { RefineRole, ValidatorRun } from '../contracts/index.ts';
import { oneLine, sanitize, truncate } from '../text/index.ts';
import { endOf } from './digest.ts';

/** What the turns of one iteration are told. Everything in it has a limit, so prompts stay flat over any number of iterations. */
export interface TurnContext {
  goal: string;
  iteration: number;
  /** null: no limit. */
  maxIterations: number | null;
  /** How the goal is judged, as a person writes it; null without a validator. */
  validator: string | null;
  /** The last run of it, and the end of what it printed. */
  last: ValidatorRun | null;
  lastOutput: string;
  /** What git says of the tree, at most 2 kB. */
  workspace: string;
  /** What was tried and failed, newest last. */
  tried: readonly string[];
  /** Files of the validator that were changed and put back. */
  restored: readonly string[];
  /** The same failure came back: think again. */
  freshStart: boolean;
  /** What the roles before said in this iteration. */
  planner?: string;
  critic?: string;
  metric?: { command: string; minimize: boolean; best: number | null; last: number | null };
  feedbackBytes?: number;
}

const MAX_GOAL_CHARS = 8_000;
const MAX_OUTPUT_CHARS = 6_000;
const MAX_ROLE_CHARS = 4_000;
/** All that is kept of what was tried. */
const MAX_TRIED_CHARS = 2_000;

const RULES = `Rules:
- Work on the files of this repository only. Fix the cause in the product's source; keep changes small.
- Do not run the validator yourself: it runs after your turn, and its result reaches the next turn.
- Tests, their configuration, lock files and the validator's own files are protected: changes to them are undone. You may add new test files.
- Do not commit, stash, reset or switch branches. Do not touch .rlm/.
- End your last message with two lines:
Summary: what you changed, in one sentence
Next: what is left to do, or "nothing"`;

const ROLES: Readonly<Record<RefineRole, string>> = {
  single:
    'You improve a repository step by step until a validator passes. This is one step: find out what is wrong and fix it.',
  planner:
    'You are the planner of a loop that improves a repository until a validator passes. Read the code, find the cause of the failure, and write a short plan: which files, which change, why. Do not change any file. Your answer goes to a critic and then to the reviser who changes the files.',
  critic:
    'You are the critic of a loop that improves a repository until a validator passes. Check the plan below against the code: is the cause right, does the change break something else, is there a simpler one? Do not change any file. Answer with what the reviser must do differently, or "The plan holds."',
  reviser:
    'You are the reviser of a loop that improves a repository until a validator passes. Carry out the plan below with what the critic says of it.',
};

/** The part of a prompt that is the same in every iteration, for the provider's cache. */
export function turnInstructions(role: RefineRole): string {
  const rules = role === 'planner' || role === 'critic' ? RULES.replace(/^- Work on[^\n]*\n/m, '') : RULES;
  return `${ROLES[role]}\n\n${rules}`;
}

/** The part of a prompt that tells the state of things. */
export function turnInput(context: TurnContext): string {
  const { iteration, maxIterations } = context;
  const sections = [
    section('Goal', truncate(sanitize(context.goal), MAX_GOAL_CHARS)),
    section('Iteration', maxIterations === null ? `${iteration}` : `${iteration} of ${maxIterations}`),
    context.validator === null
      ? section('Validator', 'There is none: do what the goal asks for, as well as you can.')
      : section('Validator', context.validator),
    metricSection(context.metric),
    section('Workspace', context.workspace),
    context.tried.length === 0 ? '' : section('Tried before, without success', context.tried.join('\n')),
    context.restored.length === 0
      ? ''
      : section(
          'Undone',
          `These files decide what passes; your changes to them were undone:\n${context.restored.join('\n')}`,
        ),
    context.freshStart
      ? section(
          'Start afresh',
          'The same failure came back after the last turns: what was tried does not reach the cause. Doubt the assumption behind it and look elsewhere.',
        )
      : '',
    failureSection(context),
    context.planner === undefined ? '' : section('Plan', cutRole(context.planner)),
    context.critic === undefined ? '' : section('Critic', cutRole(context.critic)),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function metricSection(metric: TurnContext['metric']): string {
  if (metric === undefined) return '';
  const aim = metric.minimize ? 'lower is better' : 'higher is better';
  const said = [
    ...(metric.best === null ? [] : [`best so far ${metric.best}`]),
    ...(metric.last === null ? [] : [`last ${metric.last}`]),
  ].join(', ');
  return section(
    'Metric',
    `${metric.command} (${aim})${said === '' ? '' : `: ${said}`}. A worse result is taken back.`,
  );
}

function failureSection({ last, lastOutput }: TurnContext): string {
  if (last === null) return '';
  const how =
    last.ended_by === null
      ? `exit code ${last.exit_code ?? `none (signal ${last.signal})`}`
      : last.ended_by === 'silence'
        ? 'ended after it printed nothing for too long'
        : `ended by us: ${last.ended_by}`;
  const tests = last.tests === null ? '' : `; ${last.tests.ran} tests ran, ${last.tests.failed} failed`;
  const failures =
    last.failures.length === 0 ? '' : `\n${last.failures.map((line) => `- ${line}`).join('\n')}`;
  const output = endOf(lastOutput, MAX_OUTPUT_CHARS);
  return section(
    'Last result of the validator',
    `${how}${tests}${failures}\n\nThe end of its output:\n~~~\n${output.replaceAll('~~~', '~ ~ ~')}\n~~~`,
  );
}

function section(title: string, text: string): string {
  return `## ${title}\n${text}`;
}

function cutRole(text: string): string {
  return truncate(sanitize(text), MAX_ROLE_CHARS);
}

/** The two lines that a turn ends with; null for one that is missing. */
export function closingWords(answer: string): { summary: string | null; next: string | null } {
  const last = (label: string) => {
    const found = [
      ...sanitize(answer).matchAll(new RegExp(`^[\\s*#>-]*${label}\\s*:\\**\\s*(.+)$`, 'gim')),
    ].at(-1);
    return found?.[1] === undefined ? null : oneLine(found[1].replace(/\*+$/, ''), 500);
  };
  return { summary: last('Summary'), next: last('Next') };
}

/** Adds what was tried to what is kept of it: the oldest goes first. */
export function rememberTried(tried: readonly string[], line: string): string[] {
  const kept = [...tried, oneLine(line, 300)];
  while (kept.join('\n').length > MAX_TRIED_CHARS && kept.length > 1) kept.shift();
  return kept;
}
