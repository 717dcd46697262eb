import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { isInside, resolveInside } from '../../src/files/index.ts';
import { temporaryDirectory } from '../support/runs.ts';

let base: string;
let root: string;
beforeEach(() => {
  base = temporaryDirectory();
  root = join(base, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(base, 'root-twin'));
  mkdirSync(join(base, 'outside'));
  writeFileSync(join(base, 'outside', 'secret'), 's');
});

const inside = (path: string) => resolveInside(root, path, 'path');

describe('a path inside its root', () => {
  it('is resolved, whether it exists or not', () => {
    expect(inside('sub/x/y.json')).toBe(join(root, 'sub/x/y.json'));
    expect(inside('sub/../z')).toBe(join(root, 'z'));
    expect(inside(root)).toBe(root);
    expect(inside(join(root, 'sub'))).toBe(join(root, 'sub'));
  });

  it('may go through symlinks that stay inside', () => {
    symlinkSync(join(root, 'sub'), join(root, 'link'));
    expect(inside('link/a')).toBe(join(root, 'link/a'));
  });

  it.each([
    ['..', 'lies outside'],
    ['../outside/secret', 'lies outside'],
    ['sub/../../outside/secret', 'lies outside'],
    ['/etc/passwd', 'lies outside'],
    ['a\0b', 'NUL byte'],
  ])('is refused when it is %j', (path, why) => {
    expect(() => inside(path)).toThrow(why);
  });

  it('is not one that only begins alike', () => {
    expect(() => inside(join(base, 'root-twin'))).toThrow('lies outside');
    expect(isInside('/a/b', '/a/bc')).toBe(false);
    expect(isInside('/', '/a')).toBe(true);
  });

  it('is refused through symlinks that lead out: to a file, a directory, over several links, to nothing', () => {
    symlinkSync(join(base, 'outside', 'secret'), join(root, 'file'));
    symlinkSync(join(base, 'outside'), join(root, 'directory'));
    symlinkSync(join(root, 'directory'), join(root, 'sub', 'chain'));
    symlinkSync(join(base, 'nowhere'), join(root, 'dangling'));
    for (const path of ['file', 'directory', 'directory/new/file', 'sub/chain/secret']) {
      expect(() => inside(path)).toThrow('leads through a symlink out of');
    }
    expect(() => inside('dangling')).toThrow('broken symlink');
    expect(() => inside('dangling/x')).toThrow('broken symlink');
  });

  it('may lie under a root that is itself reached by a symlink', () => {
    symlinkSync(root, join(base, 'alias'));
    expect(resolveInside(join(base, 'alias'), 'sub/a', 'path')).toBe(join(base, 'alias', 'sub/a'));
  });
});
