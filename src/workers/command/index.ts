export { createCommandWorker } from './command.ts';
