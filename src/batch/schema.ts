import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, createContext, Script } from 'node:vm';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import type { WorkerAnswer } from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';
import { packageRoot } from '../files/index.ts';
import { sha256 } from '../text/index.ts';

/** A JSON Schema from disk, compiled once. */
export interface CompiledSchema {
  path: string;
  sha256: string;
  value: Record<string, unknown>;
  /** Whether OpenAI's strict mode takes it: closed objects with every key required. Others are validated by us only. */
  strict: boolean;
  /** Messages for the worker; empty when the value is valid. */
  errorsOf(value: unknown): string[];
}

const MAX_SCHEMA_BYTES = 1024 * 1024;
const MAX_MESSAGES = 10;
/** Schemas that are remembered, at most: 60 kB each. */
const MAX_KEPT = 1000;
const byPath = new Map<string, { mtimeMs: number; size: number; schema: CompiledSchema }>();
/** Jobs may each have a copy of one schema. */
const byContent = new Map<string, CompiledSchema>();

/**
 * Compiles the schema in a file; a second call for an unchanged file is free (10 ms the first time).
 * References to other files or hosts are not followed.
 *
 * @throws RlmError `usage` when it is not a JSON Schema
 */
export function compileSchema(path: string): CompiledSchema {
  const refuse = (why: string): RlmError => new RlmError('usage', `schema_path ${path}: ${why}`);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw refuse(stat === undefined ? 'it is gone' : 'not a file');
  const { mtimeMs, size } = stat;
  const known = byPath.get(path);
  if (known !== undefined && known.mtimeMs === mtimeMs && known.size === size) return known.schema;
  if (size > MAX_SCHEMA_BYTES) throw refuse(`larger than ${MAX_SCHEMA_BYTES} bytes`);
  const bytes = readFileSync(path);
  const hash = sha256(bytes);
  const same = byContent.get(hash);
  const schema = { ...(same ?? compileText(bytes.toString('utf8'), refuse)), path, sha256: hash };
  if (byPath.size >= MAX_KEPT) {
    byPath.clear();
    byContent.clear();
  }
  byPath.set(path, { mtimeMs, size, schema });
  byContent.set(hash, schema);
  return schema;
}

function compileText(
  text: string,
  refuse: (why: string) => RlmError,
): Pick<CompiledSchema, 'value' | 'strict' | 'errorsOf'> {
  let parsed: unknown;
  try {
    // Some editors put a byte order mark before UTF-8.
    parsed = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw refuse(`not valid JSON: ${messageOf(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw refuse('not a JSON object');
  const value: Record<string, unknown> = { ...parsed };
  let validate: ValidateFunction;
  try {
    validate = compile(value);
    validate(ANY_ANSWER);
  } catch (error) {
    const endless = 'it refers to itself without end, or is nested too deep';
    throw refuse(`not a usable JSON Schema: ${error instanceof RangeError ? endless : messageOf(error)}`);
  }
  const isValid = hasPatterns(value) ? withinTime(validate) : validate;
  return {
    value,
    strict: isStrict(value),
    errorsOf(answer) {
      try {
        if (isValid(answer)) return [];
      } catch (error) {
        if (systemCode(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
        return [
          `the answer took longer than ${MAX_CHECK_MS} ms to be checked: a pattern of its schema runs away`,
        ];
      }
      return (validate.errors ?? []).slice(0, MAX_MESSAGES).map((error) => {
        const where = error.instancePath === '' ? 'the answer' : error.instancePath;
        return `${where} ${error.message ?? 'is not valid'}${detailOf(error)}`;
      });
    },
  };
}

/** What Ajv's message leaves to its parameters. */
function detailOf({ params }: ErrorObject): string {
  const property: unknown = params.additionalProperty ?? params.unevaluatedProperty;
  if (typeof property === 'string') return ` ('${property}')`;
  return Array.isArray(params.allowedValues) ? `: ${JSON.stringify(params.allowedValues)}` : '';
}

/** The schema of the standard answer, which serves a job that names none. */
export function standardSchemaPath(): string {
  standardPath ??= join(packageRoot(), 'schemas', 'subresult.schema.json');
  return standardPath;
}
let standardPath: string | undefined;

/**
 * The extractive reader gives the standard answer, whatever a schema asks for.
 *
 * @throws RlmError `usage` for a schema that its answers do not satisfy
 */
export function requireExtractive(schema: CompiledSchema): void {
  const [error] = EXTRACTIVE_ANSWERS.flatMap((answer) => schema.errorsOf(answer));
  if (error === undefined) return;
  throw new RlmError(
    'usage',
    `the extractive reader gives the standard answer, which schema_path ${schema.path} refuses: ${error}`,
    { hint: 'Leave schema_path out, or let a model answer: worker codex or claude.' },
  );
}

/** What the extractive reader answers about a chunk that bears on the question, and about one that does not. */
const EXTRACTIVE_ANSWERS: WorkerAnswer[] = [
  {
    chunk_id: 'c-000001',
    relevant: true,
    summary: 'Extractive reader: 1 passage holds words of the question. The closest: The limit is ten items.',
    confidence: 0.7,
    evidence: [
      { loc: 'docs/guide.md:3-3', quote: 'The limit is ten items.', note: 'Holds "limit" and "items".' },
    ],
    gaps: [],
    errors: [],
  },
  {
    chunk_id: 'c-000002',
    relevant: false,
    summary: 'Extractive reader: nothing in this chunk answers the question.',
    confidence: 0,
    evidence: [],
    gaps: ['This chunk does not answer the question: no mention of "limit".'],
    errors: [],
  },
];

/** Goes through all of a schema that answers go through. */
const ANY_ANSWER: WorkerAnswer = {
  chunk_id: 'c',
  relevant: true,
  summary: 's',
  confidence: 0.5,
  evidence: [{ loc: 's:1-1', quote: 'q', note: 'n' }],
  gaps: ['g'],
  errors: ['e'],
};

/** The one pattern of the standard answer takes no time. */
const STANDARD_PATTERN = '"pattern":"^.+:[0-9]+-[0-9]+$"';

function hasPatterns(schema: Record<string, unknown>): boolean {
  return JSON.stringify(schema).replaceAll(STANDARD_PATTERN, '').includes('"pattern');
}

/** An answer that takes longer to be checked is refused. */
const MAX_CHECK_MS = 1000;
const CHECK = new Script('check()');
let room: Context | undefined;

/** Nothing but a script's time limit ends a regular expression that runs away; it costs 0.3 ms a call. */
function withinTime(validate: ValidateFunction): (answer: unknown) => boolean {
  return (answer) => {
    room ??= createContext({});
    room.check = () => validate(answer);
    const valid: unknown = CHECK.runInContext(room, { timeout: MAX_CHECK_MS });
    return valid === true;
  };
}

/**
 * Compiles without the meta-schema, which costs 80 ms before it is of use: a keyword of a wrong type is refused
 * either way. Only a schema that refers to the meta-schema needs it.
 */
function compile(schema: Record<string, unknown>): ValidateFunction {
  if (schema.$async !== undefined) throw new Error('$async is not for answers');
  const Validator = String(schema.$schema ?? '').includes('draft-07') ? Ajv : Ajv2020;
  const meta = JSON.stringify(schema).includes('"$ref":"http');
  const ajv = new Validator({ strict: false, allErrors: true, meta, validateSchema: meta });
  // The CommonJS module's default export arrives as `.default` in some loaders.
  const addFormats = 'default' in addFormatsModule ? addFormatsModule.default : addFormatsModule;
  addFormats(ajv);
  return ajv.compile(schema);
}

function isStrict(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return true;
  const get = (key: string): unknown => Reflect.get(schema, key);
  if (get('type') === 'object') {
    const properties = get('properties');
    const required = get('required');
    if (typeof properties !== 'object' || properties === null || !Array.isArray(required)) return false;
    if (get('additionalProperties') !== false) return false;
    if (Object.keys(properties).some((key) => !required.includes(key))) return false;
    return Object.values(properties).every(isStrict);
  }
  if (get('type') === 'array') return isStrict(get('items'));
  return (
    get('type') !== undefined ||
    get('enum') !== undefined ||
    get('$ref') !== undefined ||
    get('anyOf') !== undefined
  );
}
