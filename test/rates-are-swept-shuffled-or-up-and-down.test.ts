import { expect, test } from 'vitest';
import { describePlan } from '../src/main/experiment/describe-plan.ts';
import { type Experiment, experimentSchema } from '../src/main/experiment/experiment.ts';
import { planRun } from '../src/main/experiment/plan.ts';
import { expandScenarios, type Scenario } from '../src/main/experiment/scenarios.ts';
import { openLoopOf, splitOverThreads } from '../src/main/experiment/split.ts';
import { arrivalsOf } from '../src/workers/arrival-schedule.ts';

function experiment(...scenarios: object[]): Experiment {
  const target = { server: 'redis', url: 'redis://h' };
  return experimentSchema.parse({ name: 'sweep', target, scenarios, rounds: 30 });
}

const ladder = { kind: 'constant', rate: [500, 100, 200], order: 'upAndDown' } as const;
const suffix = ({ id }: Scenario) => id.replace(/^.*?workers?-/, '');

/** The scenarios of an experiment, and those of each round in their order. */
function planOne(one: Experiment) {
  const { sides, rounds } = planRun([one]);
  return {
    scenarios: sides[0]?.scenarios ?? [],
    rounds: rounds.map(turns => turns.map(({ scenario }) => scenario)),
  };
}

test('a rate list makes a scenario of each rate, named for it', () => {
  const { scenarios } = planOne(
    experiment({
      client: 'wire',
      arrival: [
        { kind: 'closed' },
        { kind: 'constant', rate: [1000, 2000, 1000] },
        { kind: 'poisson', rate: 0.5 },
        { kind: 'burst', rate: 5000, size: 100 },
      ],
    }),
  );
  expect(scenarios.map(suffix)).toEqual([
    'closed',
    'constant1000',
    'constant2000',
    'poisson0.5',
    'burst5000x100',
  ]);
  expect(scenarios.map(({ arrival }) => arrival)).toEqual([
    { kind: 'closed' },
    { kind: 'constant', rate: 1000 },
    { kind: 'constant', rate: 2000 },
    { kind: 'poisson', rate: 0.5 },
    { kind: 'burst', rate: 5000, size: 100 },
  ]);
});

test('a config that was read can be read again', () => {
  const first = experiment({ arrival: [ladder, { kind: 'poisson', rate: 7 }] });
  expect(experimentSchema.parse(JSON.parse(JSON.stringify(first)))).toEqual(first);
});

test('rates are shuffled with the other scenarios', () => {
  const orders = planOne(experiment({ arrival: { kind: 'poisson', rate: [1, 2, 3] } })).rounds.map(round =>
    round.map(suffix).join(' '),
  );
  expect(new Set(orders).size).toBe(6);
});

test('up and down: in every round ascending and then descending, each way a scenario of its own', () => {
  const { scenarios, rounds } = planOne(experiment({ workers: 10, arrival: ladder }));
  const inTurn = ['100-up', '200-up', '500-up', '500-down', '200-down', '100-down'].map(
    way => `constant${way}`,
  );
  expect(scenarios).toHaveLength(6);
  for (const round of rounds) expect(round.map(suffix)).toEqual(inTurn);
  expect(scenarios[0]?.arrival).toEqual({ kind: 'constant', rate: 100, leg: 'up' });
});

test('lists of one setting that go up and down are one way up and one way down, wherever they stand', () => {
  const { rounds } = planOne(
    experiment({ workers: 10, arrival: ladder }, { workers: 10, arrival: { ...ladder, rate: [150, 1000] } }),
  );
  const up = ['100-up', '150-up', '200-up', '500-up', '1000-up'];
  const down = ['1000-down', '500-down', '200-down', '150-down', '100-down'];
  for (const round of rounds)
    expect(round.map(suffix)).toEqual([...up, ...down].map(way => `constant${way}`));
});

test('ways stay together, each setting with its own, and are shuffled as a whole among the others', () => {
  const mixed = experiment({ client: ['ioredis', 'wire'], arrival: [{ kind: 'closed' }, ladder] });
  const { rounds } = planOne(mixed);
  const first = new Set<string>();
  for (const round of rounds) {
    expect(round).toHaveLength(14);
    first.add(round[0]?.id ?? '');
    for (const client of ['ioredis', 'wire']) {
      const places = round.flatMap((scenario, place) =>
        scenario.client === client && scenario.arrival.kind === 'constant' ? [place] : [],
      );
      const start = places[0] ?? Number.NaN;
      expect(places).toEqual([0, 1, 2, 3, 4, 5].map(place => start + place));
    }
  }
  expect(first.size).toBe(4);
});

test('several sides are measured at each rate in turn, and the ways stay together', () => {
  const one = experiment({ client: 'wire', arrival: ladder });
  for (const turns of planRun([one, one]).rounds) {
    expect(turns.map(({ scenario }) => suffix(scenario))).toEqual(
      (planOne(one).rounds[0] ?? []).map(suffix).flatMap(name => [name, name]),
    );
  }
});

test('the threads of a scenario share its schedule, each pool with its own part', () => {
  const [scenario] = expandScenarios(
    experiment({
      pools: 5,
      poolsPerThread: 2,
      workers: 10,
      pipeline: 2,
      arrival: { kind: 'constant', rate: 1000 },
    }).scenarios,
  );
  if (scenario === undefined) throw new Error('expected a scenario');
  const firstDueMs = splitOverThreads(scenario, 100).flatMap((shares, thread) => {
    const task = openLoopOf(scenario, thread);
    if (task === null) throw new Error('expected an open loop');
    return shares.map((_, pool) => arrivalsOf(task, task.firstPool + pool, scenario.pipeline, 1).dueNs / 1e6);
  });
  expect(firstDueMs).toEqual([0, 2, 4, 6, 8]);
});

test('the plan names the rates, whole, within 80 columns', () => {
  const rates = Array.from({ length: 30 }, (_, index) => 1000 * (index + 1));
  const many = experiment({
    client: 'wire',
    workers: [10, 50],
    arrival: [{ kind: 'closed' }, { ...ladder, rate: rates }, { kind: 'burst', rate: 100, size: 20 }],
  });
  const text = describePlan(planRun([many]));
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  for (const rate of rates) expect(text).toMatch(new RegExp(`\\b${rate}\\b`));
  expect(text).toContain('    closed loop\n');
  expect(text).toContain('    constant, up and down at 1000, 2000,');
  expect(text).toContain('    bursts of 20 at 100 a second\n');
  // They stand below the one line that they share.
  expect(text.match(/10 50$/gm)).toHaveLength(1);
});
