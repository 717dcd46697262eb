export {
  endEarlyLauncher,
  endLauncher,
  type LauncherChild,
  startLauncher,
  takeLauncher,
} from './launcher-start.ts';
