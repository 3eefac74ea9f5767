import { Prng } from './prng.ts';

/** A shuffled copy (Fisher–Yates); the same seed gives the same order. */
export function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  const shuffled = [...items];
  const prng = new Prng(seed);
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor((prng.draw() / 2 ** 32) * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as Item, shuffled[last] as Item];
  }
  return shuffled;
}
