export { type CommandOptions, createCommandWorker } from './command.ts';
