import type { EvidenceGap } from '../contracts/index.ts';
import { oneLine } from '../text/index.ts';

/** Distinct gaps of each kind that are kept, and jobs that are named for each. */
const MAX_OF_A_KIND = 500;
const MAX_JOBS = 5;

/** Collects gaps; what says the same is one gap with a count. */
export class GapList {
  readonly #gaps = new Map<string, EvidenceGap>();
  readonly #kinds = new Map<string, number>();
  /** Distinct gaps that were not kept. */
  dropped = 0;

  add(kind: EvidenceGap['kind'], text: string, jobId: string, refused: string | null = null): void {
    const plain = oneLine(text, 500);
    if (plain === '') return;
    const key = `${kind} ${plain
      .toLowerCase()
      .replace(/[\p{P}\s]+/gu, ' ')
      .trim()}`;
    const known = this.#gaps.get(key);
    if (known !== undefined) {
      known.count += 1;
      if (known.job_ids.length < MAX_JOBS && !known.job_ids.includes(jobId)) known.job_ids.push(jobId);
      return;
    }
    const ofKind = this.#kinds.get(kind) ?? 0;
    if (ofKind >= MAX_OF_A_KIND) {
      this.dropped += 1;
      return;
    }
    this.#kinds.set(kind, ofKind + 1);
    this.#gaps.set(key, { kind, text: plain, refused, count: 1, job_ids: [jobId] });
  }

  /** Those said most often first. */
  finish(): EvidenceGap[] {
    return [...this.#gaps.values()].sort((a, b) => b.count - a.count);
  }
}
