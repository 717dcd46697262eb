import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitCommand } from '../../src/refine/validator.ts';

test.each([
  ['npm test', ['npm', 'test']],
  ['  go   test ./... ', ['go', 'test', './...']],
  [`pytest -k "a and b" 'c d'`, ['pytest', '-k', 'a and b', 'c d']],
  [String.raw`run a\ b "c\"d" '\'`, ['run', 'a b', 'c"d', '\\']],
  [`x ""`, ['x', '']],
  [`x '|' "a;b" '$HOME'`, ['x', '|', 'a;b', '$HOME']],
  [`pre"fi"x'ed'`, ['prefixed']],
])('splits %s as a shell does', (command, words) => {
  expect(splitCommand(command)).toEqual(words);
});

test.each([
  'npm test | tee log',
  'a && b',
  'a; b',
  'a > b',
  'a < b',
  'echo $(x)',
  'echo `x`',
  'echo $HOME',
  'echo "$HOME"',
  '(a)',
  'ls *.ts',
  'a\nb',
  `a 'b`,
  'a "b',
  'a \\',
  '',
  '   ',
  `''`,
])('refuses %j, which needs a shell or says nothing, and says to use a script', (command) => {
  expect(() => splitCommand(command)).toThrow(/^the command /);
});

test('any words that a shell quotes come back as they were', () => {
  const words = fc.array(fc.string({ unit: 'grapheme', minLength: 0, maxLength: 12 }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(words, (given) => {
      fc.pre(given[0] !== '');
      const quoted = given.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
      expect(splitCommand(quoted)).toEqual(given);
    }),
  );
});

test('what it accepts, a real shell splits in the same way', () => {
  for (const command of [`a "b\\c" 'd"e' f\\"g`, `x "a'b" ''y`, String.raw`p "q\\r" s\\t`]) {
    const said = spawnSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' }).stdout;
    expect(splitCommand(command)).toEqual(said.replace(/\n$/, '').split('\n'));
  }
});
