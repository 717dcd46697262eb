/** Bounds that are told to the model in words instead. */
const BOUNDS: Readonly<Record<string, (value: unknown) => string>> = {
  minLength: (value) => (Number(value) > 1 ? `at least ${value} characters` : 'not empty'),
  maxLength: (value) => `at most ${value} characters`,
  minItems: (value) => `at least ${value} items`,
  maxItems: (value) => `at most ${value} items`,
  pattern: (value) => `matching ${value}`,
};
/** Keywords whose values are maps from names to schemas: a property called `pattern` is no bound. */
const MAPS = new Set(['properties', '$defs', 'definitions', 'patternProperties']);
/** Claude Code's validator knows no dialect by name: it ends with `no schema with key or ref "https://json-schema…"`. */
const NAMES = new Set(['$schema', '$id']);
const NOT_SCHEMAS = new Set(['enum', 'const', 'default', 'examples', 'required']);

/**
 * A schema without its dialect, and without bounds on lengths, which stand in the descriptions instead. Claude Code refuses an answer
 * whose summary is one character too long; the flow cuts such a one and keeps it (CONTRACTS.md A). The flow
 * checks the whole schema afterwards.
 */
export function withoutBounds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutBounds);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept: Record<string, unknown> = {};
  const said: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    const tell = BOUNDS[key];
    if (NAMES.has(key)) continue;
    if (tell !== undefined) said.push(tell(value));
    else if (NOT_SCHEMAS.has(key)) kept[key] = value;
    else if (MAPS.has(key) && typeof value === 'object' && value !== null)
      kept[key] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutBounds(one)]));
    else kept[key] = withoutBounds(value);
  }
  if (said.length === 0) return kept;
  const description = typeof kept.description === 'string' ? `${kept.description}; ` : '';
  return { ...kept, description: `${description}${said.join(', ')}` };
}
