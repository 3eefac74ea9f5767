interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
  readonly deadlineMs: number;
}

/** Callers that wait for a value. They are served in the order in which they came. */
export class WaitQueue<T> {
  #waiters: Waiter<T>[] = [];
  /** Index of the first waiter: shifting an array of hundreds at every release would cost more than the wait. */
  #head = 0;
  /** The earliest deadline of all waiters, so that `expire` need not look at each one every time. */
  #earliestMs = Number.POSITIVE_INFINITY;

  get length(): number {
    return this.#waiters.length - this.#head;
  }

  /** Waits for `serve`. Rejects when `expire` finds that `deadlineMs` has passed. */
  wait(deadlineMs: number): Promise<T> {
    this.#earliestMs = Math.min(this.#earliestMs, deadlineMs);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject, deadlineMs });
    });
  }

  /** Gives `value` to the first waiter. False when nobody waits. */
  serve(value: T): boolean {
    const waiter = this.#shift();
    waiter?.resolve(value);
    return waiter !== undefined;
  }

  /** Rejects the first waiter. False when nobody waits. */
  refuse(reason: unknown): boolean {
    const waiter = this.#shift();
    waiter?.reject(reason);
    return waiter !== undefined;
  }

  /** Rejects the waiters whose deadline has passed; the others keep their order. */
  expire(nowMs: number, reason: () => Error): void {
    if (nowMs < this.#earliestMs) return;
    const late = this.#waiters.slice(this.#head).filter(waiter => waiter.deadlineMs <= nowMs);
    this.#waiters = this.#waiters.slice(this.#head).filter(waiter => waiter.deadlineMs > nowMs);
    this.#head = 0;
    this.#earliestMs = this.#waiters.reduce(
      (earliest, { deadlineMs }) => Math.min(earliest, deadlineMs),
      Number.POSITIVE_INFINITY,
    );
    for (const waiter of late) waiter.reject(reason());
  }

  #shift(): Waiter<T> | undefined {
    const waiter = this.#waiters[this.#head];
    if (waiter === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#waiters.length) {
      this.#waiters.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#waiters = this.#waiters.slice(this.#head);
      this.#head = 0;
    }
    return waiter;
  }
}

/** A FIFO asynchronous lock: what the `baseline` pool holds while it pops, creates and checks. */
export class Mutex {
  readonly #queue = new WaitQueue<void>();
  #locked = false;

  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes the lock if it is free. */
  tryLock(): boolean {
    if (this.#locked) return false;
    this.#locked = true;
    return true;
  }

  /** Waits for a lock that is taken, behind earlier callers. Rejects when `expire` finds that the deadline has passed. */
  lock(deadlineMs: number): Promise<void> {
    return this.#queue.wait(deadlineMs);
  }

  /** Passes the lock to the first waiter, or frees it. */
  unlock(): void {
    if (!this.#queue.serve()) this.#locked = false;
  }

  expire(nowMs: number, reason: () => Error): void {
    this.#queue.expire(nowMs, reason);
  }
}
