export { type Config, type LoadedConfig, loadConfig } from './config.ts';
