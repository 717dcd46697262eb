import { existsSync, type FSWatcher, watch } from 'node:fs';
import { runsDirectory, stateDirectory } from '../contracts/index.ts';

/** Changes within this time are announced once, milliseconds. */
const QUIET_MS = 200;

/**
 * Calls `onChange` when runs appear or go. Before the first run there is no directory to watch: then the
 * nearest one above it is, until it appears.
 *
 * @returns a function that ends the watch
 */
export function watchRuns(root: string, onChange: () => void): () => void {
  const candidates = [runsDirectory(root), stateDirectory(root), root];
  let watcher: FSWatcher | undefined;
  let watched: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  const follow = () => {
    const target = candidates.find((directory) => existsSync(directory));
    if (ended || target === undefined || target === watched) return;
    watcher?.close();
    try {
      watcher = watch(target, { persistent: false }, onEvent);
    } catch {
      // It went in this moment, or the system has no watch left: the list is read anew when a client asks.
      watched = undefined;
      return;
    }
    watched = target;
    watcher.on('error', lose);
    // It may have appeared between the look and the watch.
    follow();
  };
  const lose = () => {
    watcher?.close();
    watched = undefined;
  };
  const onEvent = () => {
    const before = watched;
    if (watched !== undefined && !existsSync(watched)) lose();
    follow();
    // In the root or in .rlm/ other things change too; only the appearance of what we look for counts.
    if (watched === candidates[0] || before !== watched) announce();
  };
  const announce = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!ended) onChange();
    }, QUIET_MS).unref();
  };

  follow();
  return () => {
    ended = true;
    clearTimeout(timer);
    watcher?.close();
  };
}
