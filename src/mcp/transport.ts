import { Transform } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { LineSplitter } from '../files/index.ts';

/** The longest message that is read, bytes: the cap of every other line of JSON here. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * The SDK's transport on stdin and stdout, given whole lines. By itself it ends the session at a message of 10 MiB,
 * copies a long one once for each piece that arrives, and takes an empty line for a fault.
 *
 * @param onError told of a message that is too long; it is left out
 */
export function stdioTransport(onError: (error: Error) => void): {
  transport: StdioServerTransport;
  input: Transform;
} {
  const lines = new LineSplitter(MAX_MESSAGE_BYTES, onError);
  const input = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      for (const line of lines.push(bytes)) if (line.trim() !== '') this.push(`${line}\n`);
      done();
    },
  });
  process.stdin.pipe(input);
  // Every answer that waits for a slow reader listens for it: as many as there are calls.
  process.stdout.setMaxListeners(0);
  const options = { maxBufferSize: 2 * MAX_MESSAGE_BYTES };
  return { transport: new StdioServerTransport(input, process.stdout, options), input };
}
