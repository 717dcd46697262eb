/** A set of byte ranges, end exclusive; what overlaps counts once. Ranges that come in order cost no memory. */
export class Intervals {
  #ranges: { start: number; end: number }[] = [];
  #ordered = true;

  add(start: number, end: number): void {
    if (end <= start) return;
    const last = this.#ranges.at(-1);
    if (last !== undefined && start >= last.start && start <= last.end) last.end = Math.max(last.end, end);
    else {
      if (last !== undefined && start < last.start) this.#ordered = false;
      this.#ranges.push({ start, end });
    }
  }

  addAll(other: Intervals): void {
    for (const { start, end } of other.#ranges) this.add(start, end);
  }

  /** Bytes in at least one range. */
  get total(): number {
    this.#settle();
    return this.#ranges.reduce((sum, range) => sum + range.end - range.start, 0);
  }

  /** The end of the last range; 0 when there is none. */
  get extent(): number {
    this.#settle();
    return this.#ranges.at(-1)?.end ?? 0;
  }

  #settle(): void {
    if (this.#ordered) return;
    const sorted = this.#ranges.sort((a, b) => a.start - b.start);
    this.#ranges = [];
    this.#ordered = true;
    for (const range of sorted) this.add(range.start, range.end);
  }
}
