import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DIRECTORY_MODE, packageRoot, writeFileAtomic } from '../files/index.ts';

/** A skill that ships with this package: `skills/<name>/SKILL.md`. */
export interface PackageSkill {
  name: string;
  text: string;
}

/** Skills that workers get: one that orchestrates is for clients, not for them. */
const WORKER_SKILLS = ['map-worker'];

/** The skills of workers, as they are in the package. */
export function workerSkills(): PackageSkill[] {
  const directory = skillsDirectory();
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => WORKER_SKILLS.includes(name))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(directory, name, 'SKILL.md'), 'utf8') }));
}

/**
 * Writes skills where an agent looks for them; one that is there as it should be is left alone, so that any number
 * of processes may do it at once.
 *
 * @param directory such as `$CODEX_HOME/skills`
 */
export function installSkills(directory: string, skills: readonly PackageSkill[]): void {
  for (const { name, text } of skills) {
    const path = join(directory, name, 'SKILL.md');
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    writeFileAtomic(path, text);
  }
}

function skillsDirectory(): string {
  return join(packageRoot(), 'skills');
}
