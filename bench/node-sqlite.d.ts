/** The part of Node's SQLite used here (Node 22.5 and later); the type package of Node 20 does not know it. */
declare module 'node:sqlite' {
  export class StatementSync {
    run(...values: (string | number | Uint8Array)[]): unknown;
    get(...values: (string | number)[]): unknown;
    all(...values: (string | number)[]): unknown[];
  }
  export class DatabaseSync {
    constructor(path: string, options?: { readOnly?: boolean });
    exec(sql: string): void;
    prepare(sql: string): StatementSync;
    close(): void;
  }
}
