import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batch } from '../src/pool/client/batch.ts';
import { commandOrder, OrderedCommands } from '../src/workers/workload/command-choosers.ts';

function countsOf(order: Iterable<number>, kinds: number): number[] {
  const counts = new Array<number>(kinds).fill(0);
  for (const command of order) counts[command] = (counts[command] ?? 0) + 1;
  return counts;
}

test('each command has exactly its share of the order, none where its weight is 0', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.constantFrom(1, 0.01, 7),
      (counts, seed, scale) => {
        const sum = counts.reduce((total, count) => total + count, 0);
        fc.pre(sum > 0);
        const order = commandOrder(
          counts.map(count => count * scale),
          seed,
        );
        const length = order?.length ?? 0;
        expect(length).toBeGreaterThan(500);
        expect(length).toBeLessThanOrEqual(1000);
        expect(countsOf(order ?? [], counts.length).map(count => count * sum)).toEqual(
          counts.map(count => count * length),
        );
      },
    ),
    { seed: 1 },
  );
});

test('shares that would take more than a thousand commands have no order', () => {
  expect(commandOrder([1, 1000], 1)).toBeUndefined();
  expect(commandOrder([1, 999], 1)?.length).toBe(1000);
  expect(commandOrder([Math.PI, 1], 1)).toBeUndefined();
});

test('an order is shuffled, by its seed', () => {
  const order = commandOrder([1, 1], 5) as Uint16Array;
  expect(commandOrder([1, 1], 5)).toEqual(order);
  expect(commandOrder([1, 1], 6)).not.toEqual(order);
  const changes = order.reduce((sum, command, index) => sum + Number(command !== order[index - 1]), 0);
  // Of 1,000 draws, 500 with a standard deviation of 16.
  expect(Math.abs(changes - 500)).toBeLessThan(80);
});

test('batches of any size take the commands in their order, from one place on and around its end', () => {
  const order = commandOrder([3, 2, 1], 1) as Uint16Array;
  fc.assert(
    fc.property(
      fc.nat({ max: 2 ** 32 - 1 }),
      fc.array(fc.integer({ min: 1, max: 2500 }), { minLength: 1, maxLength: 5 }),
      (draw, sizes) => {
        const commands = new OrderedCommands(order, draw);
        const taken = sizes.flatMap(size => {
          const batch = new Batch(size, { done: () => {} });
          commands.choose(batch);
          return Array.from({ length: size }, (_, index) => batch.commandAt(index));
        });
        const first = draw % order.length;
        expect(taken).toEqual(taken.map((_, index) => order[(first + index) % order.length]));
      },
    ),
    { seed: 1, numRuns: 50 },
  );
});
