import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';

export const Message = z.looseObject({ id: z.int().optional(), result: z.unknown().optional() });

/** Speaks the protocol line by line, so that every line and all of stderr is seen. */
export class RawClient {
  readonly #server: ChildProcess;
  readonly #answers = new Map<number, (result: unknown) => void>();
  #id = 0;

  constructor(server: ChildProcess) {
    this.#server = server;
    if (server.stdout === null) throw new Error('no stdout');
    createInterface(server.stdout).on('line', (line) => {
      const message = Message.parse(JSON.parse(line));
      if (message.id !== undefined) this.#answers.get(message.id)?.(message.result);
    });
  }

  /** Opens the session. */
  async initialize(): Promise<void> {
    await this.request('initialize', INITIALIZE);
  }

  request(method: string, params: object = {}): Promise<unknown> {
    this.#id += 1;
    const id = this.#id;
    this.#server.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }
}

export const INITIALIZE = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};
