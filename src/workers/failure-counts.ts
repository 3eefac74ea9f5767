/**
 * Counts of failed operations by error code. A code can be any word that a server answers with, such as `constructor`
 * or `__proto__`: a plain object as a counter would find a function there, or lose the count.
 */
export class FailureCounts {
  readonly #byCode = new Map<string, number>();
  total = 0;

  add(code: string, count: number): void {
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + count);
    this.total += count;
  }

  addAll(counts: Iterable<readonly [code: string, count: number]>): void {
    for (const [code, count] of counts) this.add(code, count);
  }

  [Symbol.iterator](): Iterator<[code: string, count: number]> {
    return this.#byCode.entries();
  }

  /** Plain data for other threads and for JSON: each code is a property of the object's own. */
  toRecord(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byCode);
  }
}
