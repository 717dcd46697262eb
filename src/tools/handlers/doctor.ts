import { examine } from '../../doctor/index.ts';
import type { doctor } from '../doctor.ts';
import type { Handler } from '../tool.ts';

export const handleDoctor: Handler<typeof doctor> = async (input, context) => {
  return examine(context.root, {
    env: process.env,
    signal: context.signal,
    probeCost: input.probe_cost,
  });
};
