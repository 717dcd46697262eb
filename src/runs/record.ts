import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { SCHEMA_VERSION } from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';

/**
 * Reads a record of ours.
 *
 * @returns undefined when there is no such file
 * @throws RlmError `corrupt` for one that is damaged, or newer than this program
 */
export function readRecord<T>(file: string, schema: z.ZodType<T>): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw new RlmError('corrupt', `${file}: ${messageOf(error)}`, { hint: DAMAGED_HINT });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw unreadable(file, value);
  return parsed.data;
}

/** The error for a record of ours that this version cannot read: newer, or damaged. */
function unreadable(file: string, record: unknown): RlmError {
  const version =
    typeof record === 'object' && record !== null ? Reflect.get(record, 'schema_version') : undefined;
  return typeof version === 'number' && version > SCHEMA_VERSION
    ? new RlmError(
        'corrupt',
        `${file} has schema_version ${version}; this rlm reads up to ${SCHEMA_VERSION}`,
        {
          hint: 'Use a newer rlm-mcp for this run. The file was not touched.',
        },
      )
    : new RlmError('corrupt', `${file} is not a record this program wrote`, { hint: DAMAGED_HINT });
}

const DAMAGED_HINT = 'Put back a copy of that file, or move the directory of the run away and start it anew.';
