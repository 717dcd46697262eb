export { type LauncherChild, startLauncher, takeLauncher } from './launcher-start.ts';
