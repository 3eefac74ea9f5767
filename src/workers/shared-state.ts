/** What a thread publishes while it runs. The coordinator reads it at most ten times a second. */
export interface ThreadProgress {
  /** When it was published, an instant of the monotonic clock; 0 before the first time. */
  readonly atNs: number;
  /** Operations of the warm-up, then of the measured window. */
  readonly warmupCompleted: number;
  readonly warmupFailed: number;
  readonly completed: number;
  readonly failed: number;
  /** Response time in the current second; 0 before the first reply. */
  readonly p99Ms: number;
  /** How long its event loop was busy since the barrier. */
  readonly busyNs: number;
  /** CPU time of the thread since it was started, without that of waiting for arrivals; NaN if the platform does not report it. */
  readonly cpuNs: number;
  /** Sums over its pools: open and opening connections, idle connections, and callers that wait. */
  readonly connections: number;
  readonly idle: number;
  readonly waiting: number;
}

/** How far the pools of a thread have grown in the warm-up. */
export interface ThreadGrowth {
  /** When the thread looked, an instant of the monotonic clock; 0 before the first time. */
  readonly lookedNs: number;
  /** Whether every worker has had a connection. */
  readonly allConnected: boolean;
  /** When a pool last grew because a worker needed a connection, the same kind of instant; 0 if none did. */
  readonly grownNs: number;
}

const header = { ready: 0, released: 1, stopped: 2, windowSet: 3 } as const;
const headerBytes = 64;
/** The order in which they stand in a thread's slot. */
export const progressFields = [
  'atNs',
  'warmupCompleted',
  'warmupFailed',
  'completed',
  'failed',
  'p99Ms',
  'busyNs',
  'cpuNs',
  'connections',
  'idle',
  'waiting',
] as const satisfies readonly (keyof ThreadProgress)[];
/** The fields of a thread's slot, one number each. A field has the place that its position here gives it. */
const slotFields = [
  ...progressFields,
  'heartbeats',
  'lookedNs',
  'allConnected',
  'grownNs',
  'begunNs',
] as const satisfies readonly string[];
const placeOf = (field: (typeof slotFields)[number]) => slotFields.indexOf(field);
const heartbeats = placeOf('heartbeats');
const growth = {
  lookedNs: placeOf('lookedNs'),
  allConnected: placeOf('allConnected'),
  grownNs: placeOf('grownNs'),
} as const;
const begun = placeOf('begunNs');
/** Numbers of a cache line. A slot has whole ones, so that threads do not disturb one another when they publish. */
const cacheLine = 64 / Float64Array.BYTES_PER_ELEMENT;
const slotLength = cacheLine * Math.ceil(slotFields.length / cacheLine);
const slotBytes = slotLength * Float64Array.BYTES_PER_ELEMENT;

/**
 * The only memory that threads and coordinator share: a barrier with one start instant, the start of the measured window,
 * a stop flag, and for each thread a slot with its progress, heartbeats, growth and begin, and a note of its failures.
 * Stopping is a flag because aborting a Piscina task would end the thread and lose its figures.
 *
 * Layout: Int32 ready, released, stopped, windowSet; Float64 start, stop and window instant from byte 16 on; the slots;
 * the notes.
 */
export class SharedState {
  readonly buffer: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #instants: Float64Array;
  readonly #slots: Float64Array;
  readonly #notes: FailureNotes;

  constructor(buffer: SharedArrayBuffer) {
    const threads = Math.floor((buffer.byteLength - headerBytes) / (slotBytes + noteBytes));
    this.buffer = buffer;
    this.#flags = new Int32Array(buffer, 0, 4);
    this.#instants = new Float64Array(buffer, 16, 3);
    this.#slots = new Float64Array(buffer, headerBytes, threads * slotLength);
    this.#notes = new FailureNotes(buffer, headerBytes + threads * slotBytes);
  }

  static forThreads(threads: number): SharedState {
    return new SharedState(new SharedArrayBuffer(headerBytes + threads * (slotBytes + noteBytes)));
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

  /** Lets the measured window of all threads begin at one instant, after a warm-up. Only the first call counts. */
  openWindow(windowNs: number): void {
    if (this.windowNs !== undefined) return;
    this.#instants[2] = windowNs;
    Atomics.store(this.#flags, header.windowSet, 1);
  }

  /** The first instant of the measured window, or undefined while the coordinator has not set it. */
  get windowNs(): number | undefined {
    return Atomics.load(this.#flags, header.windowSet) === 1 ? this.#instants[2] : undefined;
  }

  /** Asks all threads to issue nothing after `stopNs`. Only the first call counts. */
  stop(stopNs: number): void {
    if (this.stopNs !== undefined) return;
    this.#instants[1] = stopNs;
    Atomics.store(this.#flags, header.stopped, 1);
  }

  /** The instant given to `stop`, or undefined before it. */
  get stopNs(): number | undefined {
    return Atomics.load(this.#flags, header.stopped) === 1 ? this.#instants[1] : undefined;
  }

  publish(thread: number, progress: ThreadProgress): void {
    const at = thread * slotLength;
    for (const [index, field] of progressFields.entries()) this.#slots[at + index] = progress[field];
  }

  /** Shows that the thread's event loop still turns. */
  heartbeat(thread: number): void {
    const at = thread * slotLength + heartbeats;
    this.#slots[at] = this.heartbeats(thread) + 1;
  }

  /** How many heartbeats the thread has given. */
  heartbeats(thread: number): number {
    return this.#slots[thread * slotLength + heartbeats] ?? 0;
  }

  /** The thread calls it every few milliseconds of the warm-up. */
  publishGrowth(thread: number, { lookedNs, allConnected, grownNs }: ThreadGrowth): void {
    const at = thread * slotLength;
    this.#slots[at + growth.grownNs] = grownNs;
    this.#slots[at + growth.allConnected] = allConnected ? 1 : 0;
    this.#slots[at + growth.lookedNs] = lookedNs;
  }

  growth(thread: number): ThreadGrowth {
    const at = thread * slotLength;
    return {
      lookedNs: this.#slots[at + growth.lookedNs] ?? 0,
      allConnected: this.#slots[at + growth.allConnected] === 1,
      grownNs: this.#slots[at + growth.grownNs] ?? 0,
    };
  }

  /** The thread calls it as soon as it notices the start instant. */
  publishBegun(thread: number, begunNs: number): void {
    this.#slots[thread * slotLength + begun] = begunNs;
  }

  /** When the thread began its load, an instant of the monotonic clock; 0 before that. */
  begunNs(thread: number): number {
    return this.#slots[thread * slotLength + begun] ?? 0;
  }

  progress(thread: number): ThreadProgress {
    const at = thread * slotLength;
    const values = progressFields.map((field, index) => [field, this.#slots[at + index] ?? 0]);
    return Object.fromEntries(values) as Record<(typeof progressFields)[number], number>;
  }

  /** Failed operations of the measured window by error code, as many codes as there is room for. */
  publishFailures(thread: number, failed: Readonly<Record<string, number>>): void {
    this.#notes.write(thread, failed);
  }

  failures(thread: number): Readonly<Record<string, number>> {
    return this.#notes.read(thread);
  }
}

/** Size of one thread's note: a version, a length, and the text. */
export const noteBytes = 512;
const textAt = 8;

/**
 * Failed operations by error code, one note for each thread. A note is JSON behind a version number, which is odd while
 * the thread writes, so that nothing reads half of it.
 */
export class FailureNotes {
  readonly #buffer: SharedArrayBuffer;
  readonly #begin: number;
  /** The last note read of each thread: the answer while the thread writes a new one. */
  readonly #read = new Map<number, { version: number; failed: Readonly<Record<string, number>> }>();

  /** @param begin byte at which the notes begin, a multiple of 4 */
  constructor(buffer: SharedArrayBuffer, begin: number) {
    this.#buffer = buffer;
    this.#begin = begin;
  }

  /** Codes for which there is no room are left out, the last ones first. The thread's sample has all of them. */
  write(thread: number, failed: Readonly<Record<string, number>>): void {
    const codes = Object.entries(failed);
    let text = Buffer.from(JSON.stringify(failed));
    while (text.length > noteBytes - textAt) {
      codes.pop();
      text = Buffer.from(JSON.stringify(Object.fromEntries(codes)));
    }
    const [head, body] = this.#of(thread);
    Atomics.add(head, 0, 1);
    Atomics.store(head, 1, text.length);
    body.set(text);
    Atomics.add(head, 0, 1);
  }

  read(thread: number): Readonly<Record<string, number>> {
    const [head, body] = this.#of(thread);
    const known = this.#read.get(thread) ?? { version: 0, failed: {} };
    const version = Atomics.load(head, 0);
    if (version === known.version || version % 2 === 1) return known.failed;
    const text = Buffer.from(body.slice(0, Atomics.load(head, 1))).toString();
    if (Atomics.load(head, 0) !== version) return known.failed;
    const failed = JSON.parse(text) as Record<string, number>;
    this.#read.set(thread, { version, failed });
    return failed;
  }

  #of(thread: number): [head: Int32Array, body: Uint8Array] {
    const at = this.#begin + thread * noteBytes;
    return [
      new Int32Array(this.#buffer, at, 2),
      new Uint8Array(this.#buffer, at + textAt, noteBytes - textAt),
    ];
  }
}
