import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** Never documents: git's own store and ours. */
const ALWAYS_HIDDEN = new Set(['.git', '.rlm', '.hg', '.svn']);

/** The .gitignore files that hold for a directory, outermost first. */
export interface IgnoreRules {
  hides(path: string, isDirectory: boolean): boolean;
  /** The rules inside a directory below: these and its own. */
  within(directory: string): IgnoreRules;
}

interface Level {
  directory: string;
  rules: Ignore;
}

/**
 * The rules for a directory that was named as an input: its own .gitignore, and those of its parents up to the root of the
 * repository, unless they hide that very directory: who names `node_modules/zod` wants it read.
 */
export function ignoreRulesFor(directory: string): IgnoreRules {
  const parents: string[] = [];
  for (let at = directory; ; at = dirname(at)) {
    if (at !== directory) parents.unshift(at);
    if (existsSync(join(at, '.git'))) break;
    // Outside a repository only the directory's own rules hold.
    if (dirname(at) === at) return make([]).within(directory);
  }
  const above = make(parents.flatMap(levelOf));
  return (above.hides(directory, true) ? make([]) : above).within(directory);
}

function make(levels: Level[]): IgnoreRules {
  return {
    hides(path, isDirectory) {
      if (ALWAYS_HIDDEN.has(path.slice(path.lastIndexOf(sep) + 1))) return true;
      let hidden = false;
      for (const level of levels) {
        const inside = relative(level.directory, path).split(sep).join('/');
        const verdict = level.rules.test(isDirectory ? `${inside}/` : inside);
        if (verdict.ignored) hidden = true;
        else if (verdict.unignored) hidden = false;
      }
      return hidden;
    },
    within(directory) {
      const own = levelOf(directory);
      return own.length === 0 ? this : make([...levels, ...own]);
    },
  };
}

function levelOf(directory: string): Level[] {
  try {
    return [{ directory, rules: ignore().add(readFileSync(join(directory, '.gitignore'), 'utf8')) }];
  } catch {
    // None there, or one that cannot be read, which git ignores as well.
    return [];
  }
}
