/*
 * The bin `rlm`. Each entry point is imported only when it is asked for: the server must answer `initialize` before
 * a client's first request goes out (Codex waits about 0.7 s), and it needs no command parser.
 */
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { VERSION } from './version.ts';

// From Node 22 on, compiled code can be kept between starts, in the system's temporary directory.
const keepCompiled: unknown = Reflect.get(module, 'enableCompileCache');
if (typeof keepCompiled === 'function') keepCompiled();

const [command, ...rest] = process.argv.slice(2);

if (command === '--version' || command === '-V') {
  process.stdout.write(`${VERSION}\n`);
} else if (command === 'mcp' && !rest.includes('--help') && !rest.includes('-h')) {
  const { serve } = await import('./mcp/index.ts');
  await serve(rest);
} else if (command === 'drive' && rest[0] !== undefined) {
  if (rest.includes('--programs')) {
    // It comes up while the driver is loaded.
    const { startLauncher } = await import('./processes/launcher-start/index.ts');
    startLauncher(fileURLToPath(new URL('launcher.js', import.meta.url)));
  }
  const { serveDriver } = await import('./activities/index.ts');
  // What it started is gone: nothing that is still open need be waited for.
  process.exit(await serveDriver(rest[0]));
} else {
  if (command === 'batch' || command === 'ask') await warmDriverOf(command);
  const { runCommandLine } = await import('./cli/index.ts');
  process.exitCode = await runCommandLine(process.argv.slice(2));
  // Ended by a signal: a cancel that is still under way must not keep us, its driver sees to it.
  if (process.exitCode > 128) process.exit();
}

/** Has the driver of a command that starts work come up while the command line is loaded and its input checked. */
async function warmDriverOf(kind: string): Promise<void> {
  if (rest.length === 0 || rest.includes('--help') || rest.includes('-h')) return;
  const { warmDriver } = await import('./activities/driver-process/index.ts');
  const extractive = rest.some((argument) => /^(?:--worker=)?extractive$/.test(argument));
  // What an ask's worker is to be is not known before its documents are.
  warmDriver(fileURLToPath(import.meta.url), { kind, programs: kind === 'batch' && !extractive });
}
