import { messageOf, systemCode } from '../errors.ts';
import { LineSplitter } from '../files/index.ts';
import { type Exit, type Program, SpareFiles, signalGroup, spawnProgram } from './spawn.ts';

/** What a driver asks of its launcher, a line of JSON each. Without `env` that of the launch before is meant. */
export interface LaunchRequest {
  id: number;
  program: Omit<Program, 'env'> & { env?: Record<string, string> };
}

/** What the launcher answers: first that a program runs or cannot, then how it ended. */
export type LaunchReply =
  | { id: number; pid: number; start: string }
  | { id: number; error: { code: string; message: string } }
  | { id: number; exit: Exit };

/**
 * The body of the launcher: starts the programs that its driver asks for on stdin, and says on stdout what became
 * of them. When the driver is gone, however it went, so are its programs: stdin ends, and every group is killed.
 */
export function serveLauncher(): void {
  const groups = new Set<number>();
  const spares = new SpareFiles();
  const lines = new LineSplitter();
  let lastEnv: Record<string, string> = {};
  let replies = '';
  const flush = () => {
    process.stdout.write(replies);
    replies = '';
  };
  // Replies of one turn go out in one write: to wake the driver costs 0.1 ms.
  const reply = (message: LaunchReply) => {
    if (replies === '') setImmediate(flush);
    replies += `${JSON.stringify(message)}\n`;
  };

  const launch = async ({ id, program }: LaunchRequest) => {
    lastEnv = program.env ?? lastEnv;
    try {
      const { pid, start, exited } = await spawnProgram({ ...program, env: lastEnv }, spares);
      groups.add(pid);
      reply({ id, pid, start });
      const exit = await exited;
      groups.delete(pid);
      reply({ id, exit });
    } catch (error) {
      reply({ id, error: { code: systemCode(error) ?? 'UNKNOWN', message: messageOf(error) } });
    }
  };
  const leave = () => {
    for (const pid of groups) signalGroup(pid, 'SIGKILL');
    spares.remove();
    process.exit(0);
  };
  process.stdin.on('data', (bytes: Buffer) => {
    for (const line of lines.push(bytes)) void launch(JSON.parse(line));
  });
  process.stdin.on('end', leave);
  process.stdout.on('error', leave);
  // A signal to the driver's whole group is the driver's to act on: it still has to hear how its programs end.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
}
