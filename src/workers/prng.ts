/** A generator of whole numbers from 0 to 2³² − 1. */
export type Prng = () => number;

/**
 * A seeded generator: the same seed gives the same numbers. It is sfc32 (Chris Doty-Humphrey, PractRand): passes
 * the usual statistical tests, has 128 bits of state, and costs a dozen integer operations and no allocation a draw.
 */
export function createPrng(seed: number): Prng {
  // In a typed array the state stays integers; a closure's variables would be boxed past 31 bits.
  const state = new Int32Array(4);
  for (let word = 0; word < 3; word++) state[word] = mixSeed(seed, word);
  state[3] = 1;

  const draw = (): number => {
    const a = state[0] as number;
    const b = state[1] as number;
    const c = state[2] as number;
    const counter = state[3] as number;
    const drawn = (((a + b) | 0) + counter) | 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + drawn;
    return drawn >>> 0;
  };

  for (let round = 0; round < 12; round++) draw();
  return draw;
}

/**
 * One seed made of several numbers, such as the experiment's seed, the round and the thread. Their order counts.
 * Each part passes through the finalizer of splitmix32, so that near numbers give unrelated seeds.
 */
export function mixSeed(...parts: number[]): number {
  let mixed = 0;
  for (const part of parts) {
    mixed = (mixed + (part | 0) + 0x9e3779b9) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    mixed ^= mixed >>> 15;
  }
  return mixed >>> 0;
}
