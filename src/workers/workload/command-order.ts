import { shuffle } from '../shuffle.ts';

const most = 1000;

/**
 * An order in which commands can come, over and over, so that each has exactly its share: indices of the weights,
 * shuffled. Undefined where it would take more than a thousand of them.
 */
export function commandOrder(weights: readonly number[], seed: number): Uint16Array | undefined {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const countsIn = (length: number) => weights.map(weight => (weight / sum) * length);
  const comesOut = (count: number, index: number) => {
    const whole = Math.round(count);
    // What has a weight must come, however small that is.
    return Math.abs(count - whole) < 1e-9 * count || (whole === 0 && weights[index] === 0);
  };
  let shortest = 1;
  while (shortest <= most && !countsIn(shortest).every(comesOut)) shortest++;
  if (shortest > most) return undefined;
  const length = shortest * Math.floor(most / shortest);
  const commands = countsIn(length).flatMap((count, index) =>
    new Array<number>(Math.round(count)).fill(index),
  );
  return Uint16Array.from(shuffle(commands, seed));
}
