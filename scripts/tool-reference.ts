import { z } from 'zod';
import { inputFor, objectSchema, TOOLS, type Tool } from '../src/tools/index.ts';

const Property = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string().optional() })).optional(),
  items: z.looseObject({ type: z.string().optional() }).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
});
type Property = z.infer<typeof Property>;

/** The tool reference, `docs/TOOLS.md`, as the definitions have it. */
export function toolReference(): string {
  return `# Tools

Made from the definitions in \`src/tools/\` by \`npm run docs\`; do not edit.

Every tool is an MCP tool and a command. A result is structured content of at most about 8 kB; an error is text:
\`code\`, \`message\`, \`hint\` (\`{text, action?: {tool, args}}\`), \`retryable\`. At the command line a field \`some_field\` is \`--some-field\`, \`run_id\` is also
\`--run\`, \`--json\` prints the structured result, or the error as \`{"error": …}\`, and the exit code is 1 on an error.
Those of work that is followed or waited for stand in the README. Over MCP \`command\` is the name of a program under
\`commands\` in .rlm/config.json.

${TOOLS.map(describeTool).join('\n')}`;
}

function describeTool(tool: Tool): string {
  const command = tool.command?.name ?? tool.name.replace(/^rlm_/, '').replaceAll('_', '-');
  const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = tool.annotations;
  const hints = [
    readOnlyHint ? 'read-only' : 'writes',
    destructiveHint ? 'destructive' : 'not destructive',
    idempotentHint ? 'idempotent' : 'not idempotent',
    openWorldHint ? 'open world' : 'closed world',
  ];
  return `## ${tool.name}

Command \`rlm ${command}\` · ${hints.join(' · ')}

${tool.description}

Input:

${describeFields(tool.input, 'input', new Set(Object.keys(inputFor(tool, 'mcp').shape)))}

Result:

${describeFields(tool.output, 'output')}
`;
}

/** @param forClients the fields of an input that a client may give; the others are for the command line */
function describeFields(
  definition: z.ZodObject,
  io: 'input' | 'output',
  forClients?: ReadonlySet<string>,
): string {
  const rows = fieldRows(Property.parse(objectSchema(definition, io)), '', io === 'input', forClients);
  return rows.length === 0 ? 'nothing' : rows.join('\n');
}

function fieldRows(
  schema: Property,
  indent: string,
  input: boolean,
  forClients?: ReadonlySet<string>,
): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const property = Property.parse(value);
    const required = (schema.required ?? []).includes(name);
    const note = input ? (required ? ', required' : '') : required ? '' : ', may be absent';
    const whose = forClients === undefined || forClients.has(name) ? '' : ', command line only';
    const text = property.description === undefined ? '' : `: ${property.description}`;
    const inner = property.items?.type === 'object' ? Property.parse(property.items) : property;
    return [
      `${indent}- \`${name}\` (${typeOf(property)}${note}${whose})${text}`,
      ...fieldRows(inner, `${indent}  `, input),
    ];
  });
}

function typeOf(property: Property): string {
  if (property.enum !== undefined) return property.enum.map((value) => `\`${String(value)}\``).join(' | ');
  if (property.anyOf !== undefined)
    return property.anyOf.map((option) => typeOf(Property.parse(option))).join(' | ');
  if (property.items !== undefined) return `array of ${property.items.type ?? 'any'}`;
  return [property.type ?? 'any'].flat().join(' | ');
}
