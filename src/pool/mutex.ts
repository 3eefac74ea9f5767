import { WaitQueue } from './wait-queue.ts';

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

  /** Waits for a lock that is taken, after all who asked before. Rejects when `expire` finds the deadline passed. */
  lock(deadlineMs: number): Promise<void> {
    return this.#queue.wait(deadlineMs);
  }

  /** Hands the lock to the next in line. */
  unlock(): void {
    if (!this.#queue.serve()) this.#locked = false;
  }

  expire(nowMs: number, reason: () => Error): void {
    this.#queue.expire(nowMs, reason);
  }
}
