import type { Task } from '../contracts/index.ts';

/** What comes before what in a plan: dependencies, and retries after the task they retry. */
export interface TaskGraph {
  /** Tasks by id; of two with one id, the first. */
  readonly tasks: ReadonlyMap<string, Task>;
  /** The tasks that directly retry a task. */
  readonly retries: ReadonlyMap<string, readonly string[]>;
  /** Tasks that must be over before this one starts, without those that do not exist. */
  readonly before: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Builds the graph. What depends on a task also comes after everything that retries it; a retry comes after
 * its original.
 */
export function taskGraph(list: readonly Task[]): TaskGraph {
  const tasks = new Map<string, Task>();
  for (const task of list) if (!tasks.has(task.worker_id)) tasks.set(task.worker_id, task);
  const retries = new Map<string, string[]>();
  for (const task of tasks.values()) {
    if (task.retry_of === undefined || task.retry_of === task.worker_id) continue;
    const siblings = retries.get(task.retry_of);
    if (siblings === undefined) retries.set(task.retry_of, [task.worker_id]);
    else siblings.push(task.worker_id);
  }
  const before = new Map<string, Set<string>>();
  for (const task of tasks.values()) {
    const earlier = new Set<string>();
    for (const dependency of task.depends_on) {
      if (!tasks.has(dependency)) continue;
      earlier.add(dependency);
      for (const retry of descendants(dependency, (id) => retries.get(id) ?? [])) earlier.add(retry);
    }
    if (task.retry_of !== undefined && tasks.has(task.retry_of)) earlier.add(task.retry_of);
    before.set(task.worker_id, earlier);
  }
  return { tasks, retries, before };
}

/** Everything reachable from `from`, itself only when a cycle leads back to it. */
function descendants(from: string, next: (id: string) => Iterable<string>): Set<string> {
  const seen = new Set<string>();
  const open = [...next(from)];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...next(id));
  }
  return seen;
}

/** All tasks in an order that respects the graph, or one cycle that makes that impossible, in its order. */
export function topologicalOrder(graph: TaskGraph): { order: string[] } | { cycle: string[] } {
  const waitingFor = new Map<string, number>();
  const after = new Map<string, string[]>();
  for (const [id, earlier] of graph.before) {
    waitingFor.set(id, earlier.size);
    for (const other of earlier) {
      const list = after.get(other);
      if (list === undefined) after.set(other, [id]);
      else list.push(id);
    }
  }
  const order = [...waitingFor].filter(([, count]) => count === 0).map(([id]) => id);
  for (let at = 0; at < order.length; at += 1) {
    for (const id of after.get(order[at] ?? '') ?? []) {
      const left = (waitingFor.get(id) ?? 0) - 1;
      waitingFor.set(id, left);
      if (left === 0) order.push(id);
    }
  }
  if (order.length === graph.tasks.size) return { order };
  const placed = new Set(order);
  return {
    cycle: findCycle(
      graph,
      [...graph.tasks.keys()].filter((id) => !placed.has(id)),
    ),
  };
}

/** Every task that could not be placed waits for another such task: following one ends in a cycle. */
function findCycle(graph: TaskGraph, unplaced: string[]): string[] {
  const stuck = new Set(unplaced);
  const path: string[] = [];
  const position = new Map<string, number>();
  let id = unplaced[0];
  while (id !== undefined) {
    const start = position.get(id);
    if (start !== undefined) return path.slice(start);
    position.set(id, path.length);
    path.push(id);
    id = [...(graph.before.get(id) ?? [])].find((other) => stuck.has(other));
  }
  return path;
}

export interface OwnershipConflict {
  first: string;
  second: string;
  /** The paths that overlap: the same one, or a directory and something in it. */
  paths: [string, string];
}

/**
 * Pairs of tasks that may run at the same time and own the same file, or a directory and something in it.
 * Tasks with a dependency path between them, and a task and its retries, never run at once.
 *
 * @param order a topological order of the graph; `owned_paths` must be normalised, without trailing slash
 */
export function ownershipConflicts(graph: TaskGraph, order: readonly string[]): OwnershipConflict[] {
  const position = new Map(order.map((id, at) => [id, at]));
  const at = (id: string) => position.get(id) ?? 0;
  const inOrder = (a: string, b: string) =>
    at(a) < at(b) ? comesBefore(graph, at, a, b) : comesBefore(graph, at, b, a);

  const owners = new Map<string, string[]>();
  for (const id of order) {
    for (const path of new Set(graph.tasks.get(id)?.owned_paths ?? [])) {
      const list = owners.get(path);
      if (list === undefined) owners.set(path, [id]);
      else list.push(id);
    }
  }
  const conflicts: OwnershipConflict[] = [];
  for (const [path, ids] of owners) {
    // Owners are in topological order: when each neighbour pair is ordered, so are all, by transitivity.
    for (const [index, second] of ids.entries()) {
      const first = ids[index - 1];
      if (first !== undefined && !inOrder(first, second))
        conflicts.push({ first, second, paths: [path, path] });
    }
    for (const directory of parents(path)) {
      for (const first of owners.get(directory) ?? []) {
        for (const second of ids) {
          if (first !== second && !inOrder(first, second)) {
            conflicts.push({ first, second, paths: [directory, path] });
          }
        }
      }
    }
  }
  return conflicts;
}

/** Whether a path leads from `second` back to `first`. What comes before `first` in the order cannot be on it. */
function comesBefore(graph: TaskGraph, at: (id: string) => number, first: string, second: string): boolean {
  const limit = at(first);
  const seen = new Set<string>();
  const open = [second];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const earlier = graph.before.get(id);
    if (earlier?.has(first)) return true;
    for (const other of earlier ?? []) {
      if (at(other) <= limit || seen.has(other)) continue;
      seen.add(other);
      open.push(other);
    }
  }
  return false;
}

function parents(path: string): string[] {
  const found: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    found.push(path.slice(0, at));
  return found;
}
