import { z } from 'zod';
import { Budget } from '../contracts/index.ts';
import { RunReport } from '../resources/index.ts';

/** What the tools that launch tasks return. */
export const StageReport = RunReport.pick({ run_id: true, state: true, run_dir: true, next: true }).extend({
  started: z.array(z.string()).describe('worker_ids handed to the driver now, the first 50'),
  started_total: z.int(),
});

/** The limits of a run that a caller gave; each is a field of its own in a tool's input. */
export function budgetOf(input: Budget): Budget {
  return Object.fromEntries(Object.entries(Budget.parse(input)).filter(([, limit]) => limit !== undefined));
}
