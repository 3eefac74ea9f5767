interface Entry {
  value: Buffer;
  /** Milliseconds since the epoch; undefined: never. */
  expiresAt: number | undefined;
  /** Grows with each new key, so that a SCAN goes on where it stopped whatever was deleted meanwhile. */
  readonly serial: number;
}

/** One numbered database: keys are byte strings (kept as latin1), values are bytes. Expired keys go when looked at. */
export class Database {
  readonly #entries = new Map<string, Entry>();
  #serial = 0;

  get(key: Buffer): Buffer | null {
    return this.#live(key.toString('latin1'))?.value ?? null;
  }

  has(key: Buffer): boolean {
    return this.#live(key.toString('latin1')) !== undefined;
  }

  /** Keeps a copy of the value: what a connection hands in is a view of its read buffer. */
  set(key: Buffer, value: Buffer, expiresAt?: number): void {
    const name = key.toString('latin1');
    const kept = this.#entries.get(name);
    if (kept === undefined) {
      this.#serial += 1;
      this.#entries.set(name, { value: Buffer.from(value), expiresAt, serial: this.#serial });
    } else {
      kept.value = Buffer.from(value);
      kept.expiresAt = expiresAt;
    }
  }

  /** Sets the value and leaves the expiry as it is. */
  replace(key: Buffer, value: Buffer): void {
    this.set(key, value, this.#live(key.toString('latin1'))?.expiresAt);
  }

  delete(key: Buffer): boolean {
    const name = key.toString('latin1');
    const lived = this.#live(name) !== undefined;
    this.#entries.delete(name);
    return lived;
  }

  /** Sets the expiry; false when there is no such key. */
  expire(key: Buffer, expiresAt: number): boolean {
    const entry = this.#live(key.toString('latin1'));
    if (entry !== undefined) entry.expiresAt = expiresAt;
    return entry !== undefined;
  }

  /** Up to `count` keys after the cursor `after` (0: from the start), and the cursor to go on with (0: that was all). */
  scan(after: number, count: number): { cursor: number; keys: Buffer[] } {
    const keys: Buffer[] = [];
    let cursor = after;
    for (const [name, entry] of this.#entries) {
      if (entry.serial <= cursor) continue;
      if (keys.length === count) return { cursor, keys };
      cursor = entry.serial;
      if (this.#live(name) !== undefined) keys.push(Buffer.from(name, 'latin1'));
    }
    return { cursor: 0, keys };
  }

  get size(): number {
    return this.#entries.size;
  }

  #live(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry?.expiresAt === undefined || entry.expiresAt > Date.now()) return entry;
    this.#entries.delete(name);
    return undefined;
  }
}
