import { z } from 'zod';
import { type ExtractedText, joinParts } from './text.ts';

const Lines = z
  .union([z.string(), z.array(z.string())])
  .transform((lines) => (typeof lines === 'string' ? lines : lines.join('')));
const Output = z.object({
  text: Lines.optional(),
  data: z.object({ 'text/plain': Lines.optional() }).optional(),
  ename: z.string().optional(),
  evalue: z.string().optional(),
});
const Notebook = z.object({
  cells: z.array(z.object({ cell_type: z.string(), source: Lines, outputs: z.array(Output).optional() })),
});

/** The cells of a Jupyter notebook (nbformat 4): prose as it is, code fenced, outputs as plain text. */
export async function extractNotebook(bytes: Buffer): Promise<ExtractedText> {
  const { cells } = Notebook.parse(JSON.parse(bytes.toString('utf8')));
  const parts = cells.map((cell) => {
    if (cell.cell_type !== 'code') return cell.source;
    const outputs = (cell.outputs ?? []).map(textOf).filter((text) => text !== '');
    const shown = outputs.length === 0 ? '' : `\n\nOutput:\n${outputs.join('\n')}`;
    return `\`\`\`\n${cell.source}\n\`\`\`${shown}`;
  });
  return joinParts(parts, 'cell');
}

function textOf(output: z.infer<typeof Output>): string {
  if (output.ename !== undefined) return `${output.ename}: ${output.evalue ?? ''}`;
  return (output.text ?? output.data?.['text/plain'] ?? '').trimEnd();
}
