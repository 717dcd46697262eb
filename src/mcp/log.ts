/**
 * Writes a line about a fault of ours to stderr, where clients collect a server's log. pino is loaded when it
 * is first needed: a server that has nothing to report starts without it.
 */
export async function logError(error: unknown, what: string): Promise<void> {
  const { default: pino } = await import('pino');
  pino({ name: 'rlm' }, pino.destination({ fd: 2, sync: true })).error({ err: error }, what);
}
