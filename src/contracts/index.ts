export * from './event.ts';
export * from './failure.ts';
export * from './job.ts';
export * from './run.ts';
export * from './summary.ts';
export * from './usage.ts';
export * from './worker-answer.ts';
