import type { z } from 'zod';
import { RlmError } from '../errors.ts';
import { inputFor, type Tool, type ToolContext } from './tool.ts';

/** How often a repaired input is looked at again: a slip may hide another one below it. */
const MAX_REPAIRS = 3;

/**
 * The input of a call as its tool takes it. Slips that have one meaning only are accepted: null for absent, a string
 * for a list of strings, digits for a number, JSON in a string.
 *
 * @param nameOf how the caller calls an input field
 * @throws RlmError `usage` naming every wrong field, with a call that would do
 */
export function checkInput(
  tool: Tool,
  input: Record<string, unknown>,
  caller: ToolContext['caller'],
  nameOf: (field: string) => string,
): Record<string, unknown> {
  const definition = inputFor(tool, caller).strict();
  let given = input;
  let parsed = definition.safeParse(given);
  for (let round = 0; !parsed.success && round < MAX_REPAIRS; round += 1) {
    const repaired = repair(given, parsed.error.issues);
    if (repaired === undefined) break;
    given = repaired;
    parsed = definition.safeParse(given);
  }
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const unknown = issues.some(({ code }) => code === 'unrecognized_keys');
  const fields = unknown ? `The fields are ${Object.keys(definition.shape).map(nameOf).join(', ')}. ` : '';
  throw new RlmError('usage', issues.map((issue) => problemOf(issue, given, tool, nameOf)).join('; '), {
    hint: { text: `${fields}For example:`, action: { tool: tool.name, args: tool.example } },
  });
}

function problemOf(
  issue: z.core.$ZodIssue,
  input: unknown,
  tool: Tool,
  nameOf: (field: string) => string,
): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .map((key) =>
        key in tool.input.shape
          ? `${nameOf(key)} is set at the command line or in .rlm/config.json only`
          : `unknown field ${nameOf(key)}`,
      )
      .join('; ');
  }
  const name = fieldName(issue.path, nameOf);
  if (issue.path.length > 0 && valueAt(input, issue.path) === undefined) return `${name} is required`;
  // A rule of our own is a predicate, such as `must be a non-empty string`; zod's messages are sentences.
  return issue.code === 'custom' ? `${name} ${issue.message}` : `${name}: ${issue.message}`;
}

/** A copy of an input without the slips that the issues point at; undefined when there is none to repair. */
function repair(
  input: Record<string, unknown>,
  issues: readonly z.core.$ZodIssue[],
): Record<string, unknown> | undefined {
  const copy = structuredClone(input);
  let repaired = false;
  for (const { path, wanted } of issues.flatMap(wantedTypes)) {
    const holder = valueAt(copy, path.slice(0, -1));
    const key = path.at(-1);
    if (key === undefined || typeof holder !== 'object' || holder === null) continue;
    const value: unknown = Reflect.get(holder, key);
    if (value === undefined) continue;
    const better = value === null ? undefined : convert(value, wanted);
    if (value === null && !Array.isArray(holder)) repaired = Reflect.deleteProperty(holder, key);
    else if (better !== undefined) repaired = Reflect.set(holder, key, better);
  }
  return repaired ? copy : undefined;
}

/** What would be right in which place, of an issue; a choice of several types has several. */
function wantedTypes(issue: z.core.$ZodIssue): { path: PropertyKey[]; wanted: string | undefined }[] {
  if (issue.code === 'invalid_union') {
    const branches = issue.errors.flat().flatMap(wantedTypes);
    return branches.map(({ path, wanted }) => ({ path: [...issue.path, ...path], wanted }));
  }
  return [{ path: issue.path, wanted: issue.code === 'invalid_type' ? issue.expected : undefined }];
}

function convert(value: unknown, wanted: string | undefined): unknown {
  switch (wanted) {
    case 'array':
      return parsedJson(value, Array.isArray) ?? [value];
    case 'object':
    case 'record':
      return parsedJson(value, (json) => typeof json === 'object' && json !== null && !Array.isArray(json));
    case 'number':
    case 'int':
      return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : undefined;
    case 'string':
      return typeof value === 'number' ? String(value) : undefined;
    default:
      return undefined;
  }
}

function parsedJson(value: unknown, fits: (json: unknown) => boolean): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return undefined;
  try {
    const json: unknown = JSON.parse(value);
    return fits(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function fieldName(path: readonly PropertyKey[], nameOf: (field: string) => string): string {
  const [field, ...rest] = path.map(String);
  if (field === undefined) return 'input';
  return rest.reduce((name, part) => `${name}.${part}`, nameOf(field));
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
