import { InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { objectSchema, type Tool } from '../tools/index.ts';

/** An input field as the command line sees it. Fields of a nested object are options of their own. */
export interface Field {
  /** Where the value goes in the tool's input: `['limit']`, `['budget', 'max_tokens']`. */
  path: [string, ...string[]];
  /** `--max-tokens`. */
  flag: string;
  schema: FieldSchema;
  required: boolean;
}

const FieldSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string().optional() })).optional(),
  items: z.looseObject({ type: z.string().optional() }).optional(),
  properties: z.record(z.string(), z.looseObject({})).optional(),
  required: z.array(z.string()).optional(),
});
type FieldSchema = z.infer<typeof FieldSchema>;

/** Every field of a tool's input, in the order of its definition. */
export function fieldsOf(tool: Tool): Field[] {
  return collect(FieldSchema.parse(objectSchema(tool.input, 'input')), []);
}

function collect(schema: FieldSchema, above: string[]): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const inner = FieldSchema.parse(property);
    if (inner.type === 'object' && inner.properties !== undefined) return collect(inner, [...above, name]);
    const required = above.length === 0 && (schema.required ?? []).includes(name);
    return [{ path: pathOf(above, name), flag: flagOf(name), schema: inner, required }];
  });
}

function pathOf(above: string[], name: string): [string, ...string[]] {
  const [first, ...rest] = [...above, name];
  return [first ?? name, ...rest];
}

/** `timeout_sec` is `--timeout-sec`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll('_', '-')}`;
}

/** The commander options of a field: two for a switch that is on by default. */
export function optionsOf(field: Field): Option[] {
  const { schema, flag } = field;
  const description = describe(field);
  switch (schema.type) {
    case 'boolean':
      // One that is off unless it is given needs no switch to turn it off.
      return schema.default !== false
        ? [new Option(flag, description), new Option(flag.replace('--', '--no-'), `turns ${flag} off`)]
        : [new Option(flag, description)];
    case 'integer':
    case 'number':
      return [new Option(`${flag} <n>`, description).argParser(toNumber)];
    case 'array':
      return [
        schema.items?.type === 'string'
          ? new Option(`${flag} <item...>`, description)
          : new Option(`${flag} <json>`, description).argParser(toJson),
      ];
    case 'object':
      return [new Option(`${flag} <json>`, description).argParser(toJson)];
    default:
      if (schema.anyOf?.some(({ type }) => type === 'integer')) {
        return [new Option(`${flag} <n|word>`, description).argParser(toNumberOrWord)];
      }
      return schema.enum === undefined
        ? [new Option(`${longFlags(flag)} <${placeholder(field)}>`, description)]
        : [new Option(`${flag} <${schema.enum.join('|')}>`, description).choices(schema.enum)];
  }
}

/** The field's own words, and its default where they do not say it. */
function describe({ schema }: Field): string {
  const text = schema.description ?? '';
  if (schema.default === undefined || schema.default === false || /default/i.test(text)) return text;
  return `${text} (default: ${schema.default === true ? 'on' : JSON.stringify(schema.default)})`;
}

/** A run is named often: `--run` will do. */
function longFlags(flag: string): string {
  return flag === '--run-id' ? '--run, --run-id' : flag;
}

function placeholder({ flag }: Field): string {
  if (flag === '--run-id') return 'id';
  if (flag.endsWith('-dir') || flag.endsWith('-cwd') || flag.endsWith('-home')) return 'dir';
  if (flag.endsWith('-file') || flag.endsWith('-script') || flag === '--jobs') return 'file';
  return 'text';
}

function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

function toNumberOrWord(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It must be JSON.');
  }
}

/** Puts what the command line gave into a tool's input. Fields that were not given are absent. */
export function inputOf(fields: readonly Field[], given: Record<string, unknown>): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const field of fields) {
    const value = given[attributeOf(field.flag)];
    if (value === undefined) continue;
    place(input, field.path, value);
  }
  return input;
}

function place(target: Record<string, unknown>, path: [string, ...string[]], value: unknown): void {
  const [name, next, ...rest] = path;
  if (next === undefined) {
    target[name] = value;
    return;
  }
  const inner = z.record(z.string(), z.unknown()).safeParse(target[name]).data ?? {};
  place(inner, [next, ...rest], value);
  target[name] = inner;
}

/** The name under which commander keeps an option: `--timeout-sec` is `timeoutSec`. */
export function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
