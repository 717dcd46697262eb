import { z } from 'zod';

const ObjectSchema = z.looseObject({
  type: z.literal('object'),
  properties: z.record(z.string(), z.looseObject({})).optional(),
  required: z.array(z.string()).optional(),
});
/** A JSON Schema with a plain object at the top, as every client wants it. */
type ObjectSchema = z.infer<typeof ObjectSchema>;

/**
 * What zod checks here and a reader has in words: clients drop most of these keywords before a model sees them, and
 * every session pays for each word of the tool list.
 */
const CHECKS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'pattern',
  'format',
  'propertyNames',
  'additionalProperties',
] as const;

/**
 * The JSON Schema of a tool's input or output, types and words without bounds. Draft 7 without `$schema`: the dialect
 * that every client's validator knows.
 *
 * @throws ZodError when the top level is not a plain object (Claude rejects or flattens anyOf there)
 */
export function objectSchema(definition: z.ZodObject, io: 'input' | 'output'): ObjectSchema {
  return schemaWithout(CHECKS, definition, io);
}

/** The same for a client's tool list: defaults stand in the words too. */
export function clientSchema(definition: z.ZodObject): ObjectSchema {
  return { ...schemaWithout([...CHECKS, 'default'], definition, 'input'), additionalProperties: false };
}

function schemaWithout(
  keywords: readonly ((typeof CHECKS)[number] | 'default')[],
  definition: z.ZodObject,
  io: 'input' | 'output',
): ObjectSchema {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(definition, {
    target: 'draft-7',
    io,
    override({ jsonSchema }) {
      for (const keyword of keywords) delete jsonSchema[keyword];
    },
  });
  return ObjectSchema.parse(schema);
}
