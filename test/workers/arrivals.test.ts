import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operationsOf, secondsOf } from '../../src/aggregate/scenario/arrival.ts';
import { type ArrivalCursor, arrivalsOf, stageEnds } from '../../src/workers/arrival-schedule.ts';
import type { Arrivals, RateStage } from '../../src/workers/contract.ts';
import { Prng, streamSeed } from '../../src/workers/prng.ts';
import { distanceToExponential } from '../support/goodness-of-fit.ts';

describe('arrivals of pools', () => {
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
        const wrong = all.filter((dueNs, n) => {
          const expected = (n * pipeline * 1e9) / rate;
          return Math.abs(dueNs - expected) > 1e-9 * expected;
        });
        expect(wrong).toEqual([]);
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

  test('burst: size operations of all pools are due at each instant, divided evenly', () => {
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
});

describe('arrivals in stages', () => {
  const msNs = 1e6;

  /** With the mean rate, as a scenario has it. */
  function inStages(
    kind: Arrivals['kind'],
    stages: readonly RateStage[],
    { size = 1, pools = 1 }: { size?: number; pools?: number } = {},
  ) {
    const rate = operationsOf(stages) / secondsOf(stages);
    return { arrivals: { kind, rate, size, stages }, pools, firstPool: 0 };
  }

  /** When the arrivals of all stages are due, in nanoseconds from the start of the window; below 0 in the warm-up. */
  function dueIn(cursor: ArrivalCursor, windowNs: number): number[] {
    cursor.openWindow?.(windowNs);
    const due: number[] = [];
    for (; cursor.dueNs < Number.POSITIVE_INFINITY; cursor.advance()) due.push(cursor.dueNs - windowNs);
    return due;
  }

  /** Lengths in whole milliseconds and whole rates, so that the integral can be computed without an error. */
  const rates = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3000 }));
  const stage = fc
    .record({
      ms: fc.integer({ min: 10, max: 400 }),
      rate: rates,
      rampTo: fc.option(rates, { nil: null }),
    })
    .map(({ ms, rate, rampTo }) => ({ ms, rate, rampTo, seconds: ms / 1000 }));
  const someStages = fc
    .array(stage, { minLength: 1, maxLength: 5 })
    .filter(stages => operationsOf(stages) >= 1);
  const warmupMs = fc.integer({ min: 0, max: 300 });

  /** The integral of the rate up to the end of each stage, times 2000. */
  function integralsOf(stages: readonly { ms: number; rate: number; rampTo: number | null }[]): bigint[] {
    let sum = 0n;
    return stages.map(({ ms, rate, rampTo }) => {
      sum += BigInt(ms * (rate + (rampTo ?? rate)));
      return sum;
    });
  }

  const pools = fc.integer({ min: 1, max: 5 });
  const pipeline = fc.integer({ min: 1, max: 20 });
  const batches = fc.integer({ min: 1, max: 10 });

  test.each(['constant', 'burst'] as const)(
    '%s: the pools together have in each stage as many arrivals as the integral of the rate says',
    kind => {
      const setting = fc.record({ stages: someStages, warmupMs, pools, pipeline, batches });
      fc.assert(
        fc.property(setting, ({ stages, warmupMs, pools, pipeline, batches }) => {
          const together = kind === 'burst' ? batches : 1;
          const task = inStages(kind, stages, { size: together * pipeline, pools });
          const due = Array.from({ length: pools }, (_, pool) =>
            dueIn(arrivalsOf(task, pool, pipeline, 1), warmupMs * msNs),
          ).flat();
          // Instant n is due when the integral has reached n times this: as many as begin below it.
          const each = BigInt(2000 * together * pipeline);
          const until = integralsOf(stages).map(integral => Number((integral + each - 1n) / each) * together);
          const ends = stageEnds(stages);
          for (const [index, endNs] of ends.entries()) {
            const startNs = index === 0 ? 0 : (ends[index - 1] ?? 0);
            const found = due.filter(ns => ns >= startNs && ns < endNs).length;
            expect(found).toBe((until[index] ?? 0) - (until[index - 1] ?? 0));
          }
        }),
        { seed: 1 },
      );
    },
  );

  test('constant: arrival n is due when the integral of the rate has reached n', () => {
    const stages = [
      { seconds: 0.01, rate: 1000, rampTo: null },
      { seconds: 0.01, rate: 0, rampTo: null },
      { seconds: 0.02, rate: 0, rampTo: 1000 },
      { seconds: 0.02, rate: 1000, rampTo: 0 },
    ];
    const dueMs = dueIn(arrivalsOf(inStages('constant', stages), 0, 1, 1), 0).map(ns => ns / msNs);
    const steady = Array.from({ length: 10 }, (_, n) => n);
    // Up: t² / 40 operations after t ms. Down: the same from the end.
    const up = Array.from({ length: 10 }, (_, n) => 20 + Math.sqrt(40 * n));
    const down = Array.from({ length: 10 }, (_, n) => 60 - Math.sqrt(40 * (10 - n)));
    for (const [n, expected] of [...steady, ...up, ...down].entries())
      expect(dueMs[n]).toBeCloseTo(expected, 3);
    expect(dueMs).toHaveLength(30);
  });

  test('the warm-up has the rate of the beginning, and the window begins with an arrival', () => {
    const stages = [{ seconds: 0.01, rate: 500, rampTo: 1500 }];
    const due = dueIn(arrivalsOf(inStages('constant', stages), 0, 1, 1), 9 * msNs);
    expect(due.filter(ns => ns < 0).map(ns => ns / msNs)).toEqual([-9, -7, -5, -3, -1]);
    expect(due.find(ns => ns >= 0)).toBe(0);
    const silent = arrivalsOf(inStages('constant', [{ seconds: 0.01, rate: 0, rampTo: 1000 }]), 0, 1, 1);
    expect(silent.dueNs).toBe(Number.POSITIVE_INFINITY);
    expect(dueIn(silent, 9 * msNs)[0]).toBe(0);
  });

  test.each(['constant', 'poisson', 'burst'] as const)(
    '%s: a cursor that skips counts what one that does not counts',
    kind => {
      const setting = fc.record({
        stages: someStages,
        warmupMs,
        pools,
        steps: fc.array(fc.double({ min: 0, max: 0.2, noNaN: true }), { maxLength: 20 }),
      });
      fc.assert(
        fc.property(setting, ({ stages, warmupMs, pools, steps }) => {
          const task = inStages(kind, stages, { size: 3, pools });
          const cursors = [0, 1].map(() => arrivalsOf(task, pools - 1, 1, 7));
          for (const cursor of cursors) cursor.openWindow?.(warmupMs * msNs);
          const [skipping, plain] = cursors as [ArrivalCursor, ArrivalCursor];
          const count = (cursor: ArrivalCursor, untilNs: number) => {
            let counted = 0;
            for (; cursor.dueNs < untilNs; cursor.advance()) counted++;
            return counted;
          };
          let untilNs = 0;
          for (const step of steps) {
            untilNs = Math.min(untilNs + step * 1e9, (warmupMs / 1000 + secondsOf(stages)) * 1e9);
            const skipped = skipping.skip(untilNs);
            expect(skipped + count(skipping, untilNs)).toBe(count(plain, untilNs));
            expect(skipping.dueNs).toBe(plain.dueNs);
          }
        }),
        { seed: 1 },
      );
    },
  );

  test('poisson: a process whose rate changes, at random and as often as the integral says', () => {
    const stages = [
      { seconds: 5, rate: 0, rampTo: 4000 },
      { seconds: 2, rate: 1000, rampTo: null },
    ];
    const task = inStages('poisson', stages, { pools: 2 });
    const due = [0, 1]
      .flatMap(pool => dueIn(arrivalsOf(task, pool, 1, pool + 1), 0))
      .toSorted((a, b) => a - b);
    // On the axis of the integral, t² / 2 of the ramp, it is a process of one rate.
    const places = due.map(ns => {
      const seconds = ns / 1e9;
      return seconds < 5 ? 400 * seconds ** 2 : 10_000 + 1000 * (seconds - 5);
    });
    const gaps = places.map((place, index) => place - (places[index - 1] ?? 0));
    expect(Math.abs(due.length - 12_000)).toBeLessThan(4 * Math.sqrt(12_000));
    expect(distanceToExponential(gaps, 1)).toBeLessThan(1.628 / Math.sqrt(gaps.length));
  });
});

describe('random arrivals are a poisson process', () => {
  /** The gaps before the first `count` arrivals of one pool, in nanoseconds. */
  function gapsOf(
    rate: number,
    count: number,
    { pools = 1, pool = 0, pipeline = 1, seed = 1 } = {},
  ): number[] {
    const arrivals = { kind: 'poisson', rate, size: pipeline } as const;
    const cursor = arrivalsOf({ arrivals, pools, firstPool: 0 }, pool, pipeline, seed);
    let lastNs = 0;
    return Array.from({ length: count }, () => {
      const gapNs = cursor.dueNs - lastNs;
      lastNs = cursor.dueNs;
      cursor.advance();
      return gapNs;
    });
  }

  /** The distance that a true sample of this size exceeds in 1 of 100. */
  const critical = (size: number) => 1.628 / Math.sqrt(size);

  test.each([1, 2, 3])('inter-arrival times pass a Kolmogorov–Smirnov test, seed %i', seed => {
    const gaps = gapsOf(2000, 20_000, { seed });
    expect(distanceToExponential(gaps, 1e9 / 2000)).toBeLessThan(critical(gaps.length));
    // The test can tell: a rate that is 5 % off does not pass.
    expect(distanceToExponential(gaps, 1e9 / 2100)).toBeGreaterThan(critical(gaps.length));
  });

  test('consecutive gaps are independent', () => {
    const gaps = gapsOf(2000, 20_000);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const product = gaps.slice(1).reduce((sum, gap, index) => sum + gap * (gaps[index] ?? 0), 0);
    // The mean product of independent gaps is the squared mean; its standard error is √3 of that / √n.
    expect(product / (gaps.length - 1) / mean ** 2).toBeCloseTo(1, 1);
  });

  test('the pools of a scenario are processes of their own, and together one of the whole rate', () => {
    const pools = 4;
    const times = Array.from({ length: pools }, (_, pool) => {
      let ns = 0;
      return gapsOf(2000, 5000, { pools, pool, seed: 10 + pool }).map(gap => {
        ns += gap;
        return ns;
      });
    });
    const [first = [], second = []] = times;
    expect(first).not.toEqual(second);
    // Up to the end of the pool that ends first.
    const endNs = Math.min(...times.map(ofPool => ofPool.at(-1) ?? 0));
    const all = times
      .flat()
      .filter(ns => ns <= endNs)
      .toSorted((a, b) => a - b);
    const gaps = all.map((ns, index) => ns - (all[index - 1] ?? 0));
    expect(distanceToExponential(gaps, 1e9 / 2000)).toBeLessThan(critical(gaps.length));
  });

  test('an arrival is a batch, and the rate stays one of operations', () => {
    const gaps = gapsOf(2000, 10_000, { pipeline: 10 });
    expect(distanceToExponential(gaps, 10e9 / 2000)).toBeLessThan(critical(gaps.length));
  });
});

describe('prng is seeded and even', () => {
  const draws = (seed: number, count: number): number[] => {
    const prng = new Prng(seed);
    return Array.from({ length: count }, () => prng.draw());
  };

  test('many draws at a time are the same numbers', () => {
    const prng = new Prng(1);
    const [many, more] = [new Uint32Array(60), new Uint32Array(40)];
    prng.drawInto(many);
    prng.drawInto(more);
    expect([...many, ...more]).toEqual(draws(1, 100));
  });

  test('the same seed gives the same numbers, near seeds give unrelated ones', () => {
    expect(draws(1, 100)).toEqual(draws(1, 100));
    const seen = new Set([0, 1, 2, 3, 2 ** 31, 2 ** 32 - 1].flatMap(seed => draws(seed, 100)));
    // 600 draws of 32 bits meet by chance once in 24,000 times.
    expect(seen.size).toBe(600);
  });

  test('the numbers of a seed stay the same from one version to the next', () => {
    expect(draws(1, 4)).toEqual([1160023669, 2153649776, 1551721634, 4253040563]);
    expect(streamSeed(1, 'sideOrder', 3)).toBe(310244702);
  });

  test('draws are whole numbers of 32 bits, every bit set half of the time', () => {
    const count = 20_000;
    const bits = new Array<number>(32).fill(0);
    const all = draws(5, count);
    expect(all.filter(drawn => drawn >>> 0 !== drawn)).toEqual([]);
    for (const drawn of all) {
      for (let bit = 0; bit < 32; bit++) bits[bit] = (bits[bit] ?? 0) + ((drawn >>> bit) & 1);
    }
    // The standard deviation is 71.
    for (const set of bits) expect(Math.abs(set - count / 2)).toBeLessThan(400);
  });

  test('the seed of a stream depends on every index and on their order', () => {
    const parts = [[], [0], [1], [0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [1, 0, 0], [2 ** 32 - 1]];
    expect(new Set(parts.map(indices => streamSeed(1, 'keys', ...indices))).size).toBe(parts.length);
  });
});
