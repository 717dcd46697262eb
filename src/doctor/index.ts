import type { examine as Examine } from './examine.ts';

export { DoctorReport } from './report.ts';

/** See `examine.ts`, which is loaded when it is asked for: it brings all workers with it. */
export const examine: typeof Examine = async (...given) => (await import('./examine.ts')).examine(...given);
