import { z } from 'zod';
import { DoctorReport } from '../doctor/index.ts';
import { defineTool } from './tool.ts';

/** What is installed, what it costs, what would fail and how to fix it. */
export const doctor = defineTool({
  name: 'rlm_doctor',
  title: 'Check the installation',
  description:
    'Diagnoses the installation: which workers (Codex, Claude) are installed and logged in, how many bytes each of their requests costs (measured on loopback, free), sandbox, Node, disk, configuration, and which worker auto takes. Says what would fail and how to fix it. Shows no secret.',
  input: z.object({
    probe_cost: z
      .boolean()
      .default(false)
      .describe(
        'Also make one real call of the worker, a few thousand tokens, and interpret its usage; default false',
      ),
  }),
  example: {},
  output: DoctorReport,
  // It writes to a temporary directory only; probe_cost spends tokens, and changes nothing.
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
});
