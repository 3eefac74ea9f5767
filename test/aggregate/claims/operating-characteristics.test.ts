import { describe, expect, test } from 'vitest';
import {
  type Characteristics,
  mainDesign,
  type Shape,
  shapes,
  simulateRuns,
  type Truth,
} from '../../../bench/operating-characteristics.ts';

const runs = 120;
const design = await mainDesign();

/** Three standard errors above what is stated: the seeds are fixed. */
const atMost = (stated: number) => stated + 3 * Math.sqrt((stated * (1 - stated)) / runs);

const simulate = (truth: Truth, shape: Shape, noise: number): Characteristics =>
  simulateRuns(design, truth, shape, noise, { runs, seed: 1 });

const nothing: Truth = { upTo: 1, beyond: 1 };
const atThreshold: Truth = { upTo: 1.05, beyond: 1.05 };
const asClaimed: Truth = { upTo: 1, beyond: 1.2 };
const everywhere: Truth = { upTo: 1.4, beyond: 1.4 };

describe('simulated runs of the main config', () => {
  test.each([
    { shape: shapes.normal, stated: 1 / 64 },
    { shape: shapes.heavy, stated: 1 / 64 },
    { shape: shapes.resembling, stated: 0.05 },
  ])('with noise of $shape.name they err no more often than stated, a side', ({ shape, stated }) => {
    const { beyond, beginning } = simulate(atThreshold, shape, 0.09);
    // Where the gains on both sides are the same, that C20 is refuted is right.
    for (const wrong of [beyond.supported, beyond.refuted, beginning.supported])
      expect(wrong).toBeLessThanOrEqual(atMost(stated));
  });

  test.each([
    { noise: 0.03, floor: 1 },
    { noise: 0.09, floor: 0.98 },
    { noise: 0.2, floor: 0.85 },
    { noise: 0.34, floor: 0.45 },
  ])(
    'a gain of 20 % beyond 50 workers at noise $noise is found in at least $floor of them',
    ({ noise, floor }) => {
      const { beyond, meanSeconds } = simulate(asClaimed, shapes.normal, noise);
      expect(beyond.supported).toBeGreaterThanOrEqual(floor);
      expect(beyond.refuted).toBe(0);
      expect(meanSeconds).toBeLessThanOrEqual(design.budgetSeconds);
    },
  );

  test('that there is none is found where noise is low', () => {
    const { beyond } = simulate(nothing, shapes.normal, 0.09);
    expect(beyond.refuted).toBeGreaterThanOrEqual(0.6);
    expect(beyond.supported).toBe(0);
  });

  test('a gain at 50 workers or fewer refutes that one pool is enough', () => {
    const { beyond, beginning } = simulate(everywhere, shapes.normal, 0.09);
    expect(beyond.supported).toBe(1);
    expect(beginning.refuted).toBeGreaterThanOrEqual(0.95);
  });

  test('a gain beyond 50 workers of less than 5 % refutes C20, and never supports it', () => {
    const { beginning } = simulate({ upTo: 1, beyond: 1.03 }, shapes.normal, 0.03);
    expect(beginning.refuted).toBeGreaterThan(0);
    expect(beginning.supported).toBeLessThanOrEqual(atMost(1 / 64));
  });

  test('the first look comes within two and a half minutes, and the whole within the budget', () => {
    expect(design.roundSeconds.all * design.rounds.atLeast).toBeLessThanOrEqual(150);
    expect(design.pools).toEqual([2, 4]);
    expect(design.workers).toEqual([10, 50, 100, 200]);
  });
});
