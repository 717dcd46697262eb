import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ConfigFile } from '../src/config/index.ts';
import { ANSWER_LIMITS, FailureClass } from '../src/contracts/index.ts';
import { TOOLS } from '../src/tools/index.ts';
import { rlm } from './support/rlm.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const configuration = read('docs/CONFIGURATION.md');
const limits = read('docs/LIMITS.md');
const prose = ['README.md', 'docs/OPERATIONS.md', 'docs/SECURITY.md', 'docs/LIMITS.md'].map(read).join('\n');

/** Rows of the tables, first cell to second. */
const rows = new Map(
  [...`${configuration}\n${limits}`.matchAll(/^\| (`.+?`) \| (.+?) \|/gm)].map(([, key = '', value = '']) => [
    key.replaceAll('`', ''),
    value.replaceAll('`', ''),
  ]),
);

/** Dotted keys and defaults; a tier and an empty record are one row. */
function defaults(value: object, above = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([name, inner]): [string, unknown][] =>
    typeof inner === 'object' && !Array.isArray(inner) && above !== 'tiers.' && Object.keys(inner).length > 0
      ? defaults(inner, `${above}${name}.`)
      : [[above + name, inner]],
  );
}

test('every key of the configuration is documented with its default', () => {
  for (const [key, value] of defaults(ConfigFile.parse({}))) {
    const expected = key === 'limits.parallel' ? 'min(8, cores)' : JSON.stringify(value);
    expect(rows.get(key), key).toBe(expected);
  }
  for (const key of Object.keys(ConfigFile.shape)) expect(configuration).toContain(`| \`${key}`);
});

test('every failure class, and every limit of an answer, is documented', () => {
  for (const name of FailureClass.options) expect(prose, name).toMatch(new RegExp(`^\\|.*\`${name}\``, 'm'));
  const { summary, evidence, quote, note, list, item, chunkId } = ANSWER_LIMITS;
  expect(limits).toContain(
    `\`summary\` ${summary.toLocaleString('en')} characters, ${evidence} quotes of ${quote}, notes of ${note}; ${list} \`gaps\` and ${list} \`errors\` of ${item}`,
  );
  expect(rows.get('job_id, chunk_id')).toBe(`${chunkId} characters`);
});

test('every command and tool that the documentation names exists', async () => {
  const help = (await rlm(['--help'])).stdout;
  const commands = new Set([...prose.matchAll(/(?:^|`)rlm ([a-z-]+)/gm)].map(([, name = '']) => name));
  for (const name of ['ask', 'doctor', 'batch', 'resume', 'cancel']) expect(commands).toContain(name);
  for (const name of commands) expect(help, name).toMatch(new RegExp(`^  ${name} `, 'm'));
  for (const name of prose.match(/rlm_[a-z_]+/g) ?? [])
    expect(TOOLS.map((tool) => tool.name)).toContain(name);
});
