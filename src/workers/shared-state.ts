/** What a thread tells while it runs; read by the coordinator, at most ten times a second. */
export interface ThreadProgress {
  /** Operations since the barrier, the warm-up included. */
  readonly completed: number;
  readonly failed: number;
  /** Response time in the current second; 0 before the first reply. */
  readonly p99Ms: number;
}

const header = { ready: 0, released: 1, stopped: 2 } as const;
const headerBytes = 64;
const slot = { completed: 0, failed: 1, p99Ms: 2, beats: 3 } as const;
/** A cache line each, so that threads do not disturb one another when they publish. */
const slotLength = 8;

/**
 * The only memory that threads and coordinator share: a barrier with one start instant, a stop flag, and for each thread
 * a slot of progress and signs of life. Stopping is a flag because aborting a Piscina task would kill the thread and its
 * figures.
 *
 * Layout: Int32 ready, released, stopped; Float64 start and stop instant at byte 16 and 24; then the slots.
 */
export class SharedState {
  readonly buffer: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #instants: Float64Array;
  readonly #slots: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#flags = new Int32Array(buffer, 0, 3);
    this.#instants = new Float64Array(buffer, 16, 2);
    this.#slots = new Float64Array(buffer, headerBytes);
  }

  static forThreads(threads: number): SharedState {
    const bytes = headerBytes + threads * slotLength * Float64Array.BYTES_PER_ELEMENT;
    return new SharedState(new SharedArrayBuffer(bytes));
  }

  get ready(): number {
    return Atomics.load(this.#flags, header.ready);
  }

  markReady(): void {
    Atomics.add(this.#flags, header.ready, 1);
  }

  /** Lets all threads start at one instant of the monotonic clock. */
  release(startNs: number): void {
    this.#instants[0] = startNs;
    Atomics.store(this.#flags, header.released, 1);
  }

  /** The start instant, or undefined while the barrier is closed. */
  get startNs(): number | undefined {
    return Atomics.load(this.#flags, header.released) === 1 ? this.#instants[0] : undefined;
  }

  /** Asks all threads to issue nothing after `stopNs`. */
  stop(stopNs: number): void {
    if (this.stopNs !== undefined) return;
    this.#instants[1] = stopNs;
    Atomics.store(this.#flags, header.stopped, 1);
  }

  /** When to stop, or undefined while nobody asked. */
  get stopNs(): number | undefined {
    return Atomics.load(this.#flags, header.stopped) === 1 ? this.#instants[1] : undefined;
  }

  publish(thread: number, progress: ThreadProgress): void {
    const at = thread * slotLength;
    this.#slots[at + slot.completed] = progress.completed;
    this.#slots[at + slot.failed] = progress.failed;
    this.#slots[at + slot.p99Ms] = progress.p99Ms;
  }

  /** A sign of life, whatever the thread is about. */
  beat(thread: number): void {
    const at = thread * slotLength + slot.beats;
    this.#slots[at] = this.beats(thread) + 1;
  }

  /** How many signs of life a thread has given. */
  beats(thread: number): number {
    return this.#slots[thread * slotLength + slot.beats] ?? 0;
  }

  progress(thread: number): ThreadProgress {
    const at = thread * slotLength;
    return {
      completed: this.#slots[at + slot.completed] ?? 0,
      failed: this.#slots[at + slot.failed] ?? 0,
      p99Ms: this.#slots[at + slot.p99Ms] ?? 0,
    };
  }
}
