import type { LeftOutReason } from '../../contracts/index.ts';

/** A document that is left out of the corpus, and why. */
export class LeftOut extends Error {
  readonly reason: LeftOutReason;
  constructor(reason: LeftOutReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}
