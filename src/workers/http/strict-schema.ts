type Schema = Record<string, unknown>;

/** Keywords that the strict modes of providers do not take; the flow checks them afterwards. */
const UNSUPPORTED = new Set([
  '$schema',
  '$id',
  'title',
  'default',
  'examples',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'propertyNames',
  'contains',
  'if',
  'then',
  'else',
  'not',
  'dependentRequired',
]);
/** Keywords whose values are maps from names to schemas. */
const MAPS = new Set(['properties', '$defs', 'definitions']);

/**
 * A schema as strict modes want it: every object closed, every key required, one that was optional may be null.
 */
export function strictSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strictSchema);
  if (!isSchema(schema)) return schema;
  const strict: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (UNSUPPORTED.has(key)) continue;
    if (MAPS.has(key) && isSchema(value)) {
      strict[key] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, strictSchema(one)]));
    } else
      strict[key] = key === 'enum' || key === 'const' || key === 'required' ? value : strictSchema(value);
  }
  if (!isSchema(strict.properties)) return strict;
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const properties = Object.entries(strict.properties).map(([name, value]): [string, unknown] => [
    name,
    required.has(name) ? value : { anyOf: [value, { type: 'null' }] },
  ]);
  return {
    ...strict,
    properties: Object.fromEntries(properties),
    required: properties.map(([name]) => name),
    additionalProperties: false,
  };
}

/** Removes the nulls that stand for optional keys which were left out: the schema that was asked for has none. */
export function withoutNulls(value: unknown, schema: unknown): unknown {
  if (Array.isArray(value)) {
    const items = isSchema(schema) ? schema.items : undefined;
    return value.map((item) => withoutNulls(item, items));
  }
  if (!isSchema(value) || !isSchema(schema) || !isSchema(schema.properties)) return value;
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const { properties } = schema;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, one]) => one !== null || required.has(name) || !(name in properties))
      .map(([name, one]) => [name, withoutNulls(one, properties[name])]),
  );
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
