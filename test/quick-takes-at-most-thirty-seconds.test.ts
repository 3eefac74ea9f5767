import fc from 'fast-check';
import { expect, test } from 'vitest';
import { experimentSchema } from '../src/main/experiment/experiment.ts';
import { estimateSeconds, type Plan, planRun } from '../src/main/experiment/plan.ts';
import { quick } from '../src/main/experiment/read-plan.ts';

function planOf(scenarios: number, settings: object): Plan {
  const workers = Array.from({ length: scenarios }, (_, index) => index + 1);
  const target = { server: 'redis', url: 'redis://h' };
  return planRun([experimentSchema.parse({ name: 'a', target, scenarios: [{ workers }], ...settings })]);
}

function experimentOf({ sides }: Plan) {
  const [side] = sides;
  if (side === undefined) throw new Error('expected a side');
  return side.experiment;
}

test('whatever the experiment, quick takes at most 30 s and never longer than before', () => {
  const settings = fc.record({
    rounds: fc.integer({ min: 1, max: 20 }),
    seconds: fc.double({ min: 0.05, max: 60, noNaN: true }),
    warmupSeconds: fc.double({ min: 0, max: 60, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90 }), settings, (scenarios, given) => {
      const plan = planOf(scenarios, given);
      const experiment = experimentOf(plan);
      const quickPlan = quick(plan);
      const short = experimentOf(quickPlan);
      expect(estimateSeconds(quickPlan)).toBeLessThanOrEqual(30);
      expect(quickPlan.rounds).toHaveLength(short.rounds);
      expect(short.rounds).toBeLessThanOrEqual(Math.min(2, experiment.rounds));
      expect(short.seconds).toBeLessThanOrEqual(experiment.seconds);
      expect(short.seconds).toBeGreaterThanOrEqual(Math.min(0.1, experiment.seconds));
      expect(short.warmupSeconds).toBeLessThanOrEqual(experiment.warmupSeconds);
      expect(experimentSchema.safeParse(short).success).toBe(true);
    }),
    { seed: 1 },
  );
});

test('two rounds where there is room for them, else one', () => {
  expect(quick(planOf(24, {})).rounds).toHaveLength(2);
  expect(quick(planOf(60, {})).rounds).toHaveLength(1);
});

test('what is short already stays as it is', () => {
  const short = planOf(3, { rounds: 1, seconds: 0.2, warmupSeconds: 0.1 });
  expect(quick(short)).toEqual(short);
});

test('more scenarios than fit into 30 s are refused', () => {
  expect(() => quick(planOf(200, {}))).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message:
        '--quick cannot fit 200 scenarios into 30 s: use a config with fewer scenarios, or --rounds and --seconds without --quick.',
    }),
  );
});
