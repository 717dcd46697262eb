import type { TaskGraph } from './graph.ts';

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
    // Owners stand in topological order: when each neighbour pair is ordered, so are all, by transitivity.
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

/** Whether a path leads from `second` back to `first`. What stands before `first` in the order cannot be on it. */
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
