export { type Config, ConfigFile, type LoadedConfig, loadConfig } from './config.ts';
