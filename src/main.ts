/*
 * The bin `rlm`. Each face is imported only when it is asked for: the server must answer `initialize` before
 * a client's first request goes out (FACTS.md 3: Codex waits about 0.7 s), and it needs no command parser.
 */
import { VERSION } from './version.ts';

const [command, ...rest] = process.argv.slice(2);

if (command === '--version' || command === '-V') {
  process.stdout.write(`${VERSION}\n`);
} else if (command === 'mcp' && !rest.includes('--help') && !rest.includes('-h')) {
  const { serve } = await import('./mcp/index.ts');
  await serve(rest);
} else if (command === 'drive' && rest[0] === '--run-dir' && rest[1] !== undefined) {
  const { Launcher } = await import('./workers/index.ts');
  const launcher = new Launcher();
  // It comes up while the rest of the driver is loaded.
  if (rest.includes('--programs')) launcher.warm();
  const { drive } = await import('./activities/index.ts');
  // What it started is gone or told to go: it need not be waited for.
  process.exit(await drive(rest[1], launcher, rest[2]));
} else {
  const { runCommandLine } = await import('./cli/index.ts');
  process.exitCode = await runCommandLine(process.argv.slice(2));
  // Ended by a signal: a cancel that is still under way must not keep us, its driver sees to it.
  if (process.exitCode > 128) process.exit();
}
