import { Prng } from '../prng.ts';

const most = 1000;

/**
 * An order in which commands can come, over and over, so that each has exactly its share: indices of the weights,
 * shuffled. Undefined where it would take more than a thousand of them.
 */
export function commandOrder(weights: readonly number[], seed: number): Uint16Array | undefined {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const comesOut = (length: number) =>
    weights.every(weight => {
      const count = (weight / sum) * length;
      return Math.abs(count - Math.round(count)) < 1e-9 * length;
    });
  let shortest = 1;
  while (shortest <= most && !comesOut(shortest)) shortest++;
  if (shortest > most) return undefined;
  const length = shortest * Math.floor(most / shortest);
  const order = weights.flatMap((weight, index) =>
    new Array<number>(Math.round((weight / sum) * length)).fill(index),
  );
  const prng = new Prng(seed);
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor((prng.draw() / 2 ** 32) * (last + 1));
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return Uint16Array.from(order);
}
