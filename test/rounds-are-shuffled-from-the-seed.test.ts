import fc from 'fast-check';
import { expect, test } from 'vitest';
import { estimateSeconds, planRun } from '../src/main/experiment/plan.ts';
import { readConfig } from '../src/main/experiment/read-config.ts';
import { shuffle } from '../src/workers/prng.ts';

const experiment = await readConfig('configs/redis.json');
const idsOf = (scenarios: readonly { readonly id: string }[] = []) => scenarios.map(({ id }) => id);
const ordersOf = (seed: number) =>
  planRun([{ ...experiment, seed }]).rounds.map(turns => idsOf(turns.map(({ scenario }) => scenario)));

test('every round has every scenario once', () => {
  const orders = ordersOf(1);
  const ids = idsOf(planRun([experiment]).sides[0]?.scenarios).sort();
  expect(orders).toHaveLength(5);
  for (const order of orders) expect(order.sort()).toEqual(ids);
});

test('every round has an order of its own', () => {
  const orders = [...ordersOf(1), idsOf(planRun([experiment]).sides[0]?.scenarios)];
  expect(new Set(orders.map(order => order.join())).size).toBe(6);
});

test('the same seed gives the same orders, another seed others', () => {
  expect(ordersOf(7)).toEqual(ordersOf(7));
  expect(ordersOf(7)).not.toEqual(ordersOf(8));
});

test('more rounds leave the orders of the first ones as they were', () => {
  const longer = planRun([{ ...experiment, rounds: 9 }]);
  expect(longer.rounds.slice(0, 5)).toEqual(planRun([experiment]).rounds);
});

test('a shuffle is a permutation and leaves its input alone', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
      const before = [...items];
      const shuffled = shuffle(items, seed);
      expect(items).toEqual(before);
      expect(shuffled.toSorted()).toEqual(items.toSorted());
    }),
    { seed: 1 },
  );
});

test('every item comes to every place about as often', () => {
  const counts = [0, 1, 2, 3].map(() => [0, 0, 0, 0]);
  for (let seed = 0; seed < 8000; seed++) {
    for (const [place, item] of shuffle([0, 1, 2, 3], seed).entries()) {
      const row = counts[item] ?? [];
      row[place] = (row[place] ?? 0) + 1;
    }
  }
  // 2000 each, with a standard deviation of 39.
  for (const count of counts.flat()) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

test('the estimate counts every measurement with its warm-up and overhead', () => {
  const plan = planRun([{ ...experiment, rounds: 2, seconds: 3, warmupSeconds: 0.5 }]);
  expect(estimateSeconds(plan)).toBeCloseTo(24 * 2 * (3 + 0.5 + 0.15));
});
