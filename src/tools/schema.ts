import { z } from 'zod';

const ObjectSchema = z.looseObject({
  type: z.literal('object'),
  properties: z.record(z.string(), z.looseObject({})).optional(),
  required: z.array(z.string()).optional(),
});

/**
 * Left out of the schema of a result: it is checked here, by zod, before it goes out; the reader wants to know
 * what the fields are, and pays for every word of the tool list.
 */
const CHECKS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'minLength',
  'maxLength',
  'pattern',
  'additionalProperties',
] as const;

/** A JSON Schema with a plain object at the top, as every client wants it. */
export type ObjectSchema = z.infer<typeof ObjectSchema>;

/**
 * The JSON Schema of a tool's input or output. Draft 7 without `$schema`: the dialect that every client's
 * validator knows. The bounds zod adds to every integer are left out, they say nothing.
 *
 * @throws ZodError when the top level is not a plain object (Claude rejects or flattens anyOf there)
 */
export function objectSchema(definition: z.ZodObject, io: 'input' | 'output'): ObjectSchema {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(definition, {
    target: 'draft-7',
    io,
    override({ jsonSchema }) {
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (io === 'output') for (const keyword of CHECKS) delete jsonSchema[keyword];
    },
  });
  return ObjectSchema.parse(schema);
}
