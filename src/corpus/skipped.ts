import type { SkipReason } from '../contracts/index.ts';

/** A document that is not read, and why. */
export class Skipped extends Error {
  readonly reason: SkipReason;
  constructor(reason: SkipReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}
