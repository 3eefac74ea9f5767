import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ArrivalCursor, arrivalsOf } from '../src/workers/arrival-schedule.ts';
import type { Arrivals } from '../src/workers/contract.ts';

/** The first `count` arrivals, in nanoseconds from the start. */
function take(cursor: ArrivalCursor, count: number): number[] {
  return Array.from({ length: count }, () => {
    const { dueNs } = cursor;
    cursor.advance();
    return dueNs;
  });
}

function ofPools(arrivals: Arrivals, pools: number, pipeline: number, count: number): number[][] {
  return Array.from({ length: pools }, (_, pool) =>
    take(arrivalsOf({ arrivals, pools, firstPool: 0 }, pool, pipeline, pool), count),
  );
}

const rate = fc.double({ min: 0.1, max: 1e6, noNaN: true });
const pools = fc.integer({ min: 1, max: 9 });
const pipeline = fc.integer({ min: 1, max: 50 });

test('constant: the pools together have every arrival of the rate once, at equal distances', () => {
  fc.assert(
    fc.property(rate, pools, pipeline, (rate, pools, pipeline) => {
      const arrivals: Arrivals = { kind: 'constant', rate, size: pipeline };
      const all = ofPools(arrivals, pools, pipeline, 40)
        .flat()
        .toSorted((a, b) => a - b);
      for (const [n, dueNs] of all.entries()) {
        const expected = (n * pipeline * 1e9) / rate;
        expect(Math.abs(dueNs - expected)).toBeLessThanOrEqual(1e-9 * expected);
      }
    }),
    { seed: 1 },
  );
});

test('constant: arrival n goes to pool n mod pools, so that pools are out of step', () => {
  const arrivals: Arrivals = { kind: 'constant', rate: 1000, size: 1 };
  expect(ofPools(arrivals, 4, 1, 3)).toEqual([
    [0, 4e6, 8e6],
    [1e6, 5e6, 9e6],
    [2e6, 6e6, 10e6],
    [3e6, 7e6, 11e6],
  ]);
});

test('constant: no error adds up over a day', () => {
  const cursor = arrivalsOf(
    { arrivals: { kind: 'constant', rate: 30, size: 1 }, pools: 1, firstPool: 0 },
    0,
    1,
    0,
  );
  const day = 30 * 86_400;
  for (let n = 0; n < day; n++) cursor.advance();
  expect(cursor.dueNs).toBeCloseTo(86_400e9, 0);
});

test('burst: size operations of all pools are due at each instant, and no pool gets more than its share', () => {
  const bursts = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(rate, pools, pipeline, bursts, (rate, pools, pipeline, batches) => {
      const arrivals: Arrivals = { kind: 'burst', rate, size: batches * pipeline };
      const perPool = ofPools(arrivals, pools, pipeline, batches * 4);
      for (let burst = 0; burst < 4; burst++) {
        const dueNs = burst * ((arrivals.size * 1e9) / rate);
        expect(perPool.flat().filter(ns => ns === dueNs)).toHaveLength(batches);
        for (const ofPool of perPool) {
          const atOnce = ofPool.filter(ns => ns === dueNs).length;
          expect(Math.abs(atOnce - batches / pools)).toBeLessThan(1);
        }
      }
    }),
    { seed: 1 },
  );
});

test('two cursors of one pool see the same arrivals, in order of time', () => {
  for (const kind of ['constant', 'poisson', 'burst'] as const) {
    const cursor = () =>
      arrivalsOf({ arrivals: { kind, rate: 500, size: 20 }, pools: 3, firstPool: 0 }, 1, 5, 7);
    const arrivals = take(cursor(), 200);
    expect(take(cursor(), 200)).toEqual(arrivals);
    expect(arrivals.toSorted((a, b) => a - b)).toEqual(arrivals);
  }
});
