/**
 * A seeded generator: the same seed gives the same numbers. It is sfc32 (Chris Doty-Humphrey, PractRand), which passes
 * the usual statistical tests, has 128 bits of state, and takes a dozen integer operations for each number.
 */
export class Prng {
  // In a typed array the state stays integers; fields would be boxed past 31 bits.
  readonly #state = new Int32Array(4);
  readonly #one = new Uint32Array(1);

  constructor(seed: number) {
    for (let word = 0; word < 3; word++) this.#state[word] = mixSeed(seed, word);
    this.#state[3] = 1;
    this.drawInto(new Uint32Array(12));
  }

  /** A whole number from 0 to 2³² − 1. */
  draw(): number {
    this.drawInto(this.#one);
    return this.#one[0] as number;
  }

  /** A number from [0, 1). */
  drawFraction(): number {
    return this.draw() / 2 ** 32;
  }

  /** Fills the first `count` of `numbers`, or all, with draws from 0 to 2³² − 1. */
  drawInto(numbers: Uint32Array, count = numbers.length): void {
    this.drawRange(numbers, count, 0, 2 ** 32);
  }

  /**
   * Fills the first `count` of `numbers` with draws from `first` on, evenly over `size` numbers: at most 2³¹, or all 2³².
   * A draw in a large call costs half as much as a single one: the state stays in registers.
   */
  drawRange(numbers: Uint32Array, count: number, first: number, size: number): void {
    const scale = size / 2 ** 32;
    const state = this.#state;
    let a = state[0] as number;
    let b = state[1] as number;
    let c = state[2] as number;
    let counter = state[3] as number;
    for (let i = 0; i < count; i++) {
      const drawn = (((a + b) | 0) + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + drawn) | 0;
      numbers[i] = first + (((drawn >>> 0) * scale) | 0);
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = counter;
  }
}

/**
 * Every use of randomness in a run, by its number. A run is a tree of seeds: the experiment's seed gives one to each
 * thread, the thread's seed gives one to each pool, and so on. Only the leaves are drawn from. Two uses with the same
 * number would draw the same random numbers and so depend on each other. Each name is used in one place, no number twice.
 */
const streams = {
  /** Order of blocks in a round, of scenarios in a block, and of sides at each place of a round. */
  blockOrder: 6,
  scenarioOrder: 1,
  sideOrder: 2,
  /** Connections that are cut in a round. */
  cuts: 3,
  /** The values, which are the same in all threads, and which of them the prefill writes. */
  values: 4,
  prefill: 5,
  /** Seeds of a thread in a round, of its pools, and of the workers of a pool that have their own keys. */
  thread: 10,
  pool: 11,
  worker: 12,
  /** Of a thread: order of a mix's commands, waits before its pools connect, arrivals of its pools. */
  commandOrder: 20,
  connectPacing: 21,
  arrivals: 22,
  /** Of a workload, which is that of a pool or a worker. */
  keys: 30,
  commands: 31,
  missesAndNumbers: 32,
  records: 33,
  inserts: 34,
  valueOfRecord: 35,
  /** Of the sessions of a script: its keys, values and own random numbers, by their index. */
  session: 36,
  /** Accesses that are compared with those of a recording. */
  fittedKeys: 40,
} as const satisfies Record<string, number>;

/** What random numbers are for. */
type Stream = keyof typeof streams;

/**
 * The seed of one stream of random numbers: independent of every other stream, and of the same one with other indices.
 * @param seed that of the run, or of the thread, pool or worker to which the stream belongs
 * @param indices which one of its kind, such as the round and the thread
 */
export function streamSeed(seed: number, stream: Stream, ...indices: readonly number[]): number {
  return mixSeed(seed, streams[stream], ...indices);
}

/**
 * One seed made of several numbers. Their order counts. Each part passes through the finalizer of splitmix32, so that near
 * numbers give unrelated seeds.
 */
function mixSeed(...parts: number[]): number {
  let mixed = 0;
  for (const part of parts) mixed = scramble((mixed + (part | 0) + seedStep) | 0);
  return mixed >>> 0;
}

/** What splitmix32 adds to its state for each number. */
export const seedStep = 0x9e3779b9;

/** The finalizer of splitmix32 (Guy Steele and others, 2014): near 32-bit integers give unrelated ones. */
export function scramble(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

/** A shuffled copy (Fisher–Yates); the same seed gives the same order. */
export function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  const shuffled = [...items];
  const prng = new Prng(seed);
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(prng.drawFraction() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as Item, shuffled[last] as Item];
  }
  return shuffled;
}
