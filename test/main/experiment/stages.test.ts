import { expect, test } from 'vitest';
import {
  describeArrival,
  isDueWithin,
  operationsOf,
  secondsOf,
} from '../../../src/aggregate/scenario/arrival.ts';
import { describePlan } from '../../../src/main/experiment/describe-plan.ts';
import { applyOverrides } from '../../../src/main/experiment/overrides.ts';
import { armsOf, planRun, secondsAtMost } from '../../../src/main/experiment/plan.ts';
import { checkConfig, parseConfig, readConfig } from '../../../src/main/experiment/read-config.ts';
import { quick } from '../../../src/main/experiment/read-plan.ts';
import { openLoopOf } from '../../../src/main/experiment/split.ts';

const ramp = [
  { seconds: 0.2, rate: 1000, rampTo: null },
  { seconds: 0.1, rate: 1000, rampTo: 5000 },
];

/** A config of these arrivals, as it is written. */
function experiment(arrival: unknown, more: object = {}) {
  const target = { server: 'redis', url: 'redis://h' };
  const scenarios = [{ client: 'wire', pools: 2, workers: 10, arrival }];
  return parseConfig(JSON.stringify({ name: 'stages', target, scenarios, ...more }), 'config.json');
}

const scenariosOf = (arrival: unknown) =>
  armsOf(planRun([experiment(arrival)]).sides[0] ?? { scenarios: [] });

test('the measured time is that of the stages, without the error of their sum', () => {
  expect(0.1 + 0.2).not.toBe(0.3);
  expect(experiment({ kind: 'constant', stages: ramp }).seconds).toBe(0.3);
  expect(experiment([{ kind: 'closed' }, { kind: 'constant', stages: ramp }]).seconds).toBe(0.3);
  expect(experiment({ kind: 'constant', stages: ramp }, { seconds: 0.3 }).seconds).toBe(0.3);
  expect(experiment({ kind: 'constant', rate: 5 }).seconds).toBe(1);
});

test('an id summarises more than four stages, and lists that differ in one of them have different ids', () => {
  const day = Array.from({ length: 20 }, (_, index) => ({ seconds: 0.1, rate: 100 + index }));
  const ids = scenariosOf([
    { kind: 'constant', stages: day },
    { kind: 'constant', stages: day.with(7, { seconds: 0.1, rate: 108 }) },
  ]).map(({ id }) => id);
  for (const id of ids)
    expect(id).toMatch(/^wire-optimized-2pools-10workers-constant20stages_100to119_[0-9a-f]{8}$/);
  expect(new Set(ids).size).toBe(2);
});

test('a scenario has its stages and their mean rate, and an id that tells them apart', () => {
  const scenarios = scenariosOf([
    { kind: 'constant', stages: ramp },
    { kind: 'burst', size: 20, stages: ramp.map(({ seconds, rate }) => ({ seconds, rate })) },
  ]);
  expect(scenarios.map(({ id }) => id)).toEqual([
    'wire-optimized-2pools-10workers-constant1000x0.2s+1000to5000x0.1s',
    'wire-optimized-2pools-10workers-burst1000x0.2s+1000x0.1sx20',
  ]);
  // 200 + 300 in 0.3 s.
  expect(operationsOf(ramp)).toBeCloseTo(500, 9);
  expect(scenarios[0]?.arrival).toEqual({
    kind: 'constant',
    rate: operationsOf(ramp) / secondsOf(ramp),
    stages: ramp,
  });
  expect(scenarios.map(({ arrival }) => describeArrival({ ...arrival }))).toEqual([
    'constant, 1000/s for 0.2 s, 1000/s to 5000/s for 0.1 s',
    'burst of 20, 1000/s for 0.2 s, 1000/s for 0.1 s',
  ]);
  expect(openLoopOf(scenarios[0] ?? expect.fail(), 1)).toMatchObject({
    arrivals: { stages: ramp },
    firstPool: 1,
  });
});

test('in a pause nothing is due', () => {
  const stages = [...ramp, { seconds: 3, rate: 0, rampTo: null }, { seconds: 0.7, rate: 0, rampTo: 9 }];
  const due = [0, 1, 2, 3].map(second => isDueWithin(stages, second, second + 1));
  expect(due).toEqual([true, false, false, true]);
});

test('an open loop of one rate has nothing of stages', () => {
  const [scenario = expect.fail()] = scenariosOf({ kind: 'constant', rate: 5 });
  expect(scenario.arrival).toEqual({ kind: 'constant', rate: 5 });
  expect(openLoopOf(scenario, 0)).toEqual({
    arrivals: { kind: 'constant', rate: 5, size: 1 },
    pools: 2,
    firstPool: 0,
  });
});

test('the plan names the stages, or how many there are', () => {
  const many = Array.from({ length: 20 }, (_, index) => ({ seconds: 0.1, rate: 100 * index }));
  const text = describePlan(
    planRun([
      experiment([
        {
          kind: 'poisson',
          stages: ramp.map(({ seconds, rate }) => ({ seconds: 10 * seconds - 1 / 2, rate })),
        },
        { kind: 'burst', size: 5, stages: many },
      ]),
    ]),
  );
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toContain('    poisson, 1000/s for 1.5 s, 1000/s for 0.5 s\n');
  expect(text).toContain('    bursts of 5, 20 stages of 0/s to 1900/s\n');
});

test('the command line cannot change their time, and quick leaves it', () => {
  const staged = experiment({ kind: 'constant', stages: ramp.map(stage => ({ ...stage, seconds: 12.4 })) });
  expect(staged.seconds).toBe(24.8);
  expect(applyOverrides(staged, { seconds: '24.8' }).seconds).toBe(24.8);
  expect(() => applyOverrides(staged, { seconds: '5' })).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: expect.stringMatching(/^scenarios\[0\]\.arrival\[0\]\.stages: .* 5 s .*, found 24\.8$/),
    }),
  );
  const short = quick(planRun([staged]));
  expect(secondsAtMost(short)).toBeLessThanOrEqual(30);
  expect(short.sides[0]?.experiment.seconds).toBe(24.8);
});

test('the config of a result is one that can be run again', async () => {
  const example = await readConfig('configs/examples/stages.json');
  expect(checkConfig(JSON.parse(JSON.stringify(example)), 'config.json')).toEqual(example);
});
