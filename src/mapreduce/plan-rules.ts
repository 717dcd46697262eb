import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Plan, RUN_FILES, stateDirectory, type Task, WORKER_ID_PATTERN } from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { isInside, resolveInside } from '../files/index.ts';
import { ownershipConflicts, taskGraph, topologicalOrder } from './task-graph.ts';

/** A path as records and prompts give it: relative to the root, with forward slashes. */
export function fromRoot(root: string, path: string): string {
  const shown = relative(root, path);
  return sep === '/' ? shown : shown.replaceAll(sep, '/');
}

/** Where the report of a task lies unless the plan says otherwise, relative to the root. */
export function defaultReportPath(root: string, runDir: string, workerId: string): string {
  return fromRoot(root, join(runDir, RUN_FILES.reports, `${workerId}.md`));
}

/** Something a plan may not be, with the task and the field that make it so. */
export interface PlanProblem {
  /** Undefined for the plan's own fields. */
  task: string | undefined;
  field: string;
  message: string;
}

/** Where paths of a plan may lie. */
export interface PlanPlaces {
  root: string;
  runDir: string;
  /** Directories outside the root that may be read; `any` for a person at the command line. */
  inputRoots: readonly string[] | 'any';
}

/**
 * Proves paths of tasks and brings them into one form: report and owned paths relative to the root, without
 * `..`; paths that are only read stay as given.
 */
export function checkTaskPaths(
  places: PlanPlaces,
  tasks: readonly Task[],
): { tasks: Task[]; problems: PlanProblem[] } {
  const problems: PlanProblem[] = [];
  const checked = tasks.map((task) => {
    const attempt = (field: string, check: () => string, fallback: string): string => {
      try {
        return check();
      } catch (error) {
        problems.push({ task: task.worker_id, field, message: messageOf(error) });
        return fallback;
      }
    };
    for (const [field, paths] of [
      ['inputs', task.inputs],
      ['context_paths', task.context_paths],
      ['hint_paths', task.hint_paths],
    ] as const) {
      for (const path of paths) attempt(field, () => checkReadable(places, path, field), path);
    }
    return {
      ...task,
      report_path: attempt('report_path', () => checkReportPath(places, task.report_path), task.report_path),
      owned_paths: task.owned_paths.map((path) =>
        attempt('owned_paths', () => checkOwnedPath(places, path), path),
      ),
    };
  });
  return { tasks: checked, problems };
}

/** The plan's own hint paths. */
export function checkPlanHints(places: PlanPlaces, hints: readonly string[]): PlanProblem[] {
  return hints.flatMap((path) => {
    try {
      checkReadable(places, path, 'hint_paths');
      return [];
    } catch (error) {
      return [{ task: undefined, field: 'hint_paths', message: messageOf(error) }];
    }
  });
}

/**
 * That what a new task is to read is there. What another task of the plan writes may come later, and a retry reads what
 * its original read.
 *
 * @param all the tasks of the whole plan
 */
export function checkThatPathsExist(
  { root, runDir }: PlanPlaces,
  planHints: readonly string[],
  given: readonly Task[],
  all: readonly Task[],
): PlanProblem[] {
  const made = [runDir, ...all.flatMap(({ owned_paths, inputs }) => [...owned_paths, ...inputs])];
  const madeLater = made.map((path) => resolve(root, path));
  const isThere = (path: string): boolean => {
    const absolute = resolve(root, path);
    return existsSync(absolute) || madeLater.some((later) => isInside(later, absolute));
  };
  const check = (task: string | undefined, field: string, paths: readonly string[]): PlanProblem[] =>
    paths
      // A path may end in the lines that matter.
      .filter((path) => !isThere(path) && !isThere(path.replace(/:\d+(?:-\d+)?$/, '')))
      .map((path) => ({ task, field, message: `'${path}' does not exist` }));
  return [
    ...check(undefined, 'hint_paths', planHints),
    ...given.flatMap(({ worker_id, retry_of, hint_paths, context_paths }) =>
      retry_of !== undefined
        ? []
        : [
            ...check(worker_id, 'hint_paths', hint_paths),
            ...check(worker_id, 'context_paths', context_paths),
          ],
    ),
  ];
}

function checkReadable(places: PlanPlaces, path: string, field: string): string {
  if (places.inputRoots === 'any') return path;
  const absolute = isAbsolute(path) ? resolve(path) : resolve(places.root, path);
  const inputRoot = places.inputRoots.find((root) => isInside(resolve(root), absolute));
  resolveInside(inputRoot ?? places.root, absolute, field);
  return path;
}

function checkReportPath(places: PlanPlaces, path: string): string {
  refuseControlCharacters(path);
  const reports = join(places.runDir, RUN_FILES.reports);
  const absolute = resolveInside(reports, path, 'report_path', places.root);
  if (absolute === reports || path.endsWith('/')) {
    throw new RlmError('usage', `report_path '${path}' is a directory`);
  }
  return fromRoot(places.root, absolute);
}

function checkOwnedPath(places: PlanPlaces, path: string): string {
  refuseControlCharacters(path);
  if (/[*?[\]{}]/.test(path)) {
    throw new RlmError('usage', `owned_paths '${path}' looks like a pattern; name files or directories`);
  }
  const absolute = resolveInside(places.root, path, 'owned_paths');
  const state = stateDirectory(resolve(places.root));
  // Owning the root would be owning every other task's files and the run's state.
  if (isInside(absolute, state) || isInside(state, absolute)) {
    throw new RlmError(
      'forbidden',
      `owned_paths '${path}' would cover ${state}; name the directories below it`,
    );
  }
  return fromRoot(places.root, absolute);
}

function refuseControlCharacters(path: string): void {
  if (/[\u0000-\u001f\u007f]/.test(path)) {
    throw new RlmError('forbidden', `the path ${JSON.stringify(path)} contains a control character`);
  }
}

/** Everything about a list of tasks that can be wrong without looking at the disk. Paths must be in their one form. */
export function checkTasks(tasks: readonly Task[]): PlanProblem[] {
  const problems = [...checkIds(tasks), ...checkReports(tasks), ...checkReferences(tasks)];
  return problems.length > 0 ? problems : checkOrder(tasks);
}

function checkIds(tasks: readonly Task[]): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const ids = new Set<string>();
  for (const { worker_id: id } of tasks) {
    const problem = (message: string) => problems.push({ task: id, field: 'worker_id', message });
    if (!WORKER_ID_PATTERN.test(id) || id.includes('..')) {
      problem(`must match ${WORKER_ID_PATTERN.source} and hold no '..'`);
    }
    if (ids.has(id)) problem('is given twice');
    ids.add(id);
  }
  return problems;
}

function checkReports(tasks: readonly Task[]): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const field = 'report_path';
  const owners = new Map<string, string>();
  for (const { worker_id: id, report_path: path } of tasks) {
    const other = owners.get(path);
    if (other !== undefined && other !== id) {
      problems.push({ task: id, field, message: `'${path}' is the report of task '${other}' too` });
    }
    owners.set(path, id);
  }
  // A report inside another report's path would make a directory of it.
  for (const [path, id] of owners) {
    const parent = owners.get(dirname(path).replaceAll(sep, '/'));
    if (parent !== undefined) {
      problems.push({ task: id, field, message: `lies below the report of task '${parent}'` });
    }
  }
  return problems;
}

function checkReferences(tasks: readonly Task[]): PlanProblem[] {
  const ids = new Set(tasks.map((task) => task.worker_id));
  return tasks.flatMap(({ worker_id: id, depends_on, retry_of }) => {
    const check = (field: string, other: string): PlanProblem[] => {
      if (other === id) return [{ task: id, field, message: 'names the task itself' }];
      return ids.has(other) ? [] : [{ task: id, field, message: `unknown task '${other}'` }];
    };
    return [
      ...depends_on.flatMap((other) => check('depends_on', other)),
      ...(retry_of === undefined ? [] : check('retry_of', retry_of)),
    ];
  });
}

/** That the tasks can be put in an order, and that no two own a path that the order does not give to one after the other. */
function checkOrder(tasks: readonly Task[]): PlanProblem[] {
  const graph = taskGraph(tasks);
  const sorted = topologicalOrder(graph);
  if ('cycle' in sorted) {
    const [first] = sorted.cycle;
    const loop = [...sorted.cycle, ...(first === undefined ? [] : [first])]
      .map((id) => `'${id}'`)
      .join(' needs ');
    return [{ task: first, field: 'depends_on', message: `is part of a cycle: ${loop}` }];
  }
  return ownershipConflicts(graph, sorted.order).map(({ first, second, paths: [theirs, own] }) => {
    const overlap =
      theirs === own ? `is owned by task '${first}' too` : `overlaps '${theirs}' of task '${first}'`;
    return {
      task: second,
      field: 'owned_paths',
      message: `'${own}' ${overlap}, and nothing orders the two; add a depends_on`,
    };
  });
}

/** What a launched task may no longer change: everything. Its record stays what was really run. */
export function checkHistory(
  old: Plan,
  tasks: readonly Task[],
  launched: ReadonlySet<string>,
): PlanProblem[] {
  const now = new Map(tasks.map((task) => [task.worker_id, task]));
  return old.tasks.flatMap((before) => {
    const id = before.worker_id;
    if (!launched.has(id)) return [];
    const after = now.get(id);
    if (after === undefined) {
      const message = 'was launched already and stays on record';
      return [{ task: id, field: 'remove_tasks', message }];
    }
    const field = changedField(before, after);
    if (field === undefined) return [];
    const message = `was launched already and cannot be redefined; add a task with retry_of '${id}'`;
    return [{ task: id, field, message }];
  });
}

function changedField(before: Task, after: Task): string | undefined {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...fields].find(
    (field) => JSON.stringify(Reflect.get(before, field)) !== JSON.stringify(Reflect.get(after, field)),
  );
}

/** The refusal: the first problems in full, the others counted. */
export function refusePlan(problems: readonly PlanProblem[]): RlmError {
  const shown = problems
    .slice(0, 10)
    .map(
      ({ task, field, message }) =>
        `${task === undefined ? 'plan' : `task '${task.slice(0, 80)}'`}, ${field}: ${message.slice(0, 400)}`,
    );
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : '';
  return new RlmError('usage', `the plan is refused, and nothing was written: ${shown.join('; ')}${more}`, {
    hint: 'Fix the fields named and send the plan again.',
  });
}
