import type { ContractInput, RunContract } from '../contracts/index.ts';

export const EMPTY_CONTRACT: RunContract = {
  goal: '',
  non_goals: null,
  scope: { include: null, avoid: null },
  invariants: null,
  sequence_rules: null,
  verification: { required: null, interpreter: '', environment: null, working_directory: '' },
  failure_policy: null,
};

/** A contract with the given parts put in. */
export function mergeContract(old: RunContract, given: ContractInput): RunContract {
  return {
    goal: given.goal ?? old.goal,
    non_goals: given.non_goals ?? old.non_goals,
    scope: {
      include: given.scope?.include ?? old.scope.include,
      avoid: given.scope?.avoid ?? old.scope.avoid,
    },
    invariants: given.invariants ?? old.invariants,
    sequence_rules: given.sequence_rules ?? old.sequence_rules,
    verification: {
      required: given.verification?.required ?? old.verification.required,
      interpreter: given.verification?.interpreter ?? old.verification.interpreter,
      environment: given.verification?.environment ?? old.verification.environment,
      working_directory: given.verification?.working_directory ?? old.verification.working_directory,
    },
    failure_policy: given.failure_policy ?? old.failure_policy,
  };
}

/** A part of the run contract that nobody gave, and what to ask the user for. */
export interface MissingPart {
  field: string;
  ask: string;
}

const PARTS: [field: string, given: (contract: RunContract) => boolean, ask: string][] = [
  ['goal', (c) => c.goal !== '', 'What is to be reached?'],
  ['non_goals', (c) => c.non_goals !== null, 'What is out of bounds for this run, however tempting?'],
  [
    'scope',
    (c) => c.scope.include !== null || c.scope.avoid !== null,
    'Which directories or files are in scope, and which must not be touched?',
  ],
  [
    'invariants',
    (c) => c.invariants !== null,
    'Which behaviours, interfaces or data formats must stay as they are?',
  ],
  ['sequence_rules', (c) => c.sequence_rules !== null, 'What must come before what?'],
  ['verification.required', (c) => c.verification.required !== null, 'What must pass at the end?'],
  [
    'verification.interpreter',
    (c) => c.verification.interpreter !== '',
    'Environment baseline: which interpreter or toolchain do the checks use?',
  ],
  [
    'verification.environment',
    (c) => c.verification.environment !== null,
    'Environment baseline: which environment variables do the checks need?',
  ],
  [
    'verification.working_directory',
    (c) => c.verification.working_directory !== '',
    'Environment baseline: in which directory do the checks run?',
  ],
  [
    'failure_policy',
    (c) => c.failure_policy !== null,
    'When is work rolled back, retried, or its scope reduced?',
  ],
];

/** What the contract does not say. Nothing is invented for it: it is asked for; an empty list is an answer. */
export function missingParts(contract: RunContract): MissingPart[] {
  return PARTS.filter(([, given]) => !given(contract)).map(([field, , ask]) => ({
    field: `contract.${field}`,
    ask,
  }));
}

/** The text of `run_contract.md`. A part that was not given says so, so that no worker guesses at it. */
export function renderRunContract(runId: string, contract: RunContract): string {
  const { scope, verification } = contract;
  return [
    `# Run contract of ${runId}`,
    '',
    'Every worker of this run reads this first and complies with it. A deviation is reported, with its reason,',
    'under "Contract Compliance".',
    '',
    '## Goal and non-goals',
    '',
    contract.goal === '' ? NOT_GIVEN : contract.goal,
    '',
    'Non-goals:',
    '',
    list(contract.non_goals),
    '',
    '## Scope boundaries',
    '',
    'In scope:',
    '',
    list(scope.include),
    '',
    'Do not touch:',
    '',
    list(scope.avoid),
    '',
    '## Invariants',
    '',
    list(contract.invariants),
    '',
    '## Dependency and sequence rules',
    '',
    list(contract.sequence_rules),
    '',
    '## Verification requirements',
    '',
    list(verification.required),
    '',
    'Environment baseline:',
    '',
    `- Interpreter: ${verification.interpreter || NOT_GIVEN}`,
    `- Working directory: ${verification.working_directory || 'the repository root (assumed; nobody said otherwise)'}`,
    `- Environment: ${verification.environment === null ? NOT_GIVEN : verification.environment.join('; ') || 'none'}`,
    '',
    'A report that verifies something states the interpreter and environment it used.',
    '',
    '## Failure policy',
    '',
    list(contract.failure_policy),
    '',
  ].join('\n');
}

const NOT_GIVEN = '(not given; do not assume anything, and list what you would need under open risks)';

function list(items: readonly string[] | null): string {
  if (items === null) return NOT_GIVEN;
  if (items.length === 0) return 'None.';
  return items.map((item) => `- ${item.replaceAll('\n', '\n  ')}`).join('\n');
}
