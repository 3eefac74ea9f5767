import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixedRounds } from '../../../src/aggregate/stats/sign-test.ts';
import { describePlan } from '../../../src/main/experiment/describe-plan.ts';
import { type Experiment, experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { type Plan, planRun, secondsAtMost, turnsOf } from '../../../src/main/experiment/plan.ts';
import { readConfig } from '../../../src/main/experiment/read-config.ts';
import { quick } from '../../../src/main/experiment/read-plan.ts';
import { expandScenarios, type Scenario } from '../../../src/main/experiment/scenarios.ts';
import { openLoopOf, splitOverThreads } from '../../../src/main/experiment/split.ts';
import { arrivalsOf } from '../../../src/workers/arrival-schedule.ts';
import { shuffle } from '../../../src/workers/prng.ts';

const allRounds = (plan: Plan) =>
  Array.from({ length: plan.rounds.atMost }, (_, index) => turnsOf(plan, index + 1));

describe('rounds are shuffled from the seed', async () => {
  const experiment = await readConfig('configs/redis.json');
  const idsOf = (scenarios: readonly { readonly id: string }[] = []) => scenarios.map(({ id }) => id);
  const ordersOf = (seed: number) =>
    allRounds(planRun([{ ...experiment, rounds: fixedRounds(11), seed }])).map(turns =>
      idsOf(turns.map(({ scenario }) => scenario)),
    );

  test('every round has every scenario once', () => {
    const orders = ordersOf(1);
    const ids = idsOf(planRun([experiment]).sides[0]?.scenarios).sort();
    expect(orders).toHaveLength(11);
    for (const order of orders) expect(order.sort()).toEqual(ids);
  });

  test('every round has an order of its own', () => {
    const orders = [...ordersOf(1), idsOf(planRun([experiment]).sides[0]?.scenarios)];
    expect(new Set(orders.map(order => order.join())).size).toBe(orders.length);
  });

  test('the same seed gives the same orders, another seed others', () => {
    expect(ordersOf(7)).toEqual(ordersOf(7));
    expect(ordersOf(7)).not.toEqual(ordersOf(8));
  });

  test('more rounds leave the orders of the first ones as they were', () => {
    const [longer, shorter] = [15, 11].map(rounds =>
      allRounds(planRun([{ ...experiment, rounds: fixedRounds(rounds) }])),
    );
    expect(longer?.slice(0, 11)).toEqual(shorter);
  });

  test('blocks that are left out leave the orders of the others as they were', () => {
    const plan = planRun([experiment]);
    for (const round of [1, 2, 30]) {
      const others = turnsOf(plan, round).filter(({ block }) => block !== 1);
      expect(turnsOf(plan, round, block => block !== 1)).toEqual(others);
    }
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
    const plan = planRun([{ ...experiment, rounds: fixedRounds(2), seconds: 3, warmupSeconds: 0.5 }]);
    expect(secondsAtMost(plan)).toBeCloseTo(19 * 2 * (3 + 0.5 + 0.15));
  });
});

describe('sides are measured in turn', () => {
  function experiment(changes: Readonly<Record<string, unknown>> = {}): Experiment {
    return experimentSchema.parse({
      name: 'redis',
      target: { server: 'redis', url: 'redis://localhost:6379/0' },
      scenarios: [{ client: ['ioredis', 'wire'], workers: [10, 20, 30] }],
      compare: ['workers'],
      rounds: 20,
      seed: 7,
      ...changes,
    });
  }

  const ids = (turns: readonly { scenario: { id: string } }[]) => turns.map(({ scenario }) => scenario.id);

  test('every scenario of a round is measured on all sides, one after the other', () => {
    const rounds = allRounds(planRun([experiment(), experiment(), experiment()]));
    const alone = allRounds(planRun([experiment()]));
    expect(rounds).toHaveLength(20);
    for (const [index, turns] of rounds.entries()) {
      const order = ids(alone[index] ?? []);
      expect(order).toHaveLength(7);
      expect(ids(turns)).toEqual(order.flatMap(id => [id, id, id]));
      for (let first = 0; first < turns.length; first += 3) {
        const sides = turns.slice(first, first + 3).map(({ side }) => side);
        expect(sides.toSorted()).toEqual([0, 1, 2]);
      }
    }
  });

  test('which side comes first is shuffled from the seed', () => {
    const firstOf = (seed: number) =>
      allRounds(planRun([experiment({ seed }), experiment({ seed })]))
        .flat()
        .filter((_, index) => index % 2 === 0)
        .map(({ side }) => side);
    expect(firstOf(7)).toEqual(firstOf(7));
    expect(firstOf(7)).not.toEqual(firstOf(8));
    const leading = firstOf(7).filter(side => side === 0).length;
    // 140 times a coin: outside of these once in a billion.
    expect(leading).toBeGreaterThan(34);
    expect(leading).toBeLessThan(106);
  });

  test('a side takes part in the scenarios that it has', () => {
    const few = experiment({ scenarios: [{ client: 'wire', workers: [10, 99] }], rounds: 2 });
    const [first = [], second = []] = allRounds(planRun([experiment({ rounds: 2 }), few]));
    const ofFew = first.filter(({ side }) => side === 1);
    expect(ids(ofFew).toSorted()).toEqual([
      'wire-optimized-1pool-10workers',
      'wire-optimized-1pool-99workers',
    ]);
    expect(first).toHaveLength(8);
    expect(second).toHaveLength(8);
  });

  test('the estimate takes every turn at the length of its side', () => {
    const experiments = [
      experiment({ seconds: 1, warmupSeconds: 0, rounds: 1 }),
      experiment({ seconds: 3, warmupSeconds: 1, rounds: 1 }),
    ];
    expect(secondsAtMost(planRun(experiments))).toBeCloseTo(6 * (1 + 4 + 2 * 0.15), 6);
  });

  test('several numbers of server threads make as many sides, each of a name of its own', () => {
    const target = { server: 'redis', url: 'redis://localhost:6379/0' };
    const named = (threads: unknown, name = 'redis') => experiment({ name, target: { ...target, threads } });
    const { sides } = planRun([named([1, 4, 4]), named(2), named([]), named([], 'redis-1thread')]);
    expect(sides.map(({ name }) => name)).toEqual([
      'redis-1thread',
      'redis-4threads',
      'redis',
      'redis-2',
      'redis-1thread-2',
    ]);
    expect(sides.map(({ experiment }) => experiment.target.threads)).toEqual([[1], [4], [2], [], []]);
  });
});

describe('quick takes at most thirty seconds', () => {
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
        expect(secondsAtMost(quickPlan)).toBeLessThanOrEqual(30);
        expect(quickPlan.rounds).toEqual(short.rounds);
        expect(short.rounds.atMost).toBeLessThanOrEqual(Math.min(2, experiment.rounds.atMost));
        expect(short.seconds).toBeLessThanOrEqual(experiment.seconds);
        expect(short.seconds).toBeGreaterThanOrEqual(Math.min(0.1, experiment.seconds));
        expect(short.warmupSeconds).toBeLessThanOrEqual(experiment.warmupSeconds);
        expect(experimentSchema.safeParse(short).success).toBe(true);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test('two rounds where there is room for them, else one', () => {
    expect(quick(planOf(24, {})).rounds).toEqual(fixedRounds(2));
    expect(quick(planOf(60, {})).rounds).toEqual(fixedRounds(1));
  });

  test('what is short already stays as it is', () => {
    const short = planOf(3, { rounds: 1, seconds: 0.2, warmupSeconds: 0.1 });
    expect(quick(short)).toEqual(short);
  });

  test('more scenarios than fit into 30 s are refused', () => {
    expect(() => quick(planOf(200, {}))).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringMatching(/^--quick .* 200 scenarios .* 30 s: .*--rounds.*--seconds/),
      }),
    );
  });
});

describe('rates are swept shuffled or up and down', () => {
  function experiment(...scenarios: object[]): Experiment {
    const target = { server: 'redis', url: 'redis://h' };
    return experimentSchema.parse({ name: 'sweep', target, scenarios, rounds: 30 });
  }

  const ladder = { kind: 'constant', rate: [500, 100, 200], order: 'upAndDown' } as const;
  const suffix = ({ id }: Scenario) => id.replace(/^.*?workers?-/, '');

  /** The scenarios of an experiment, and those of each round in their order. */
  function planOne(one: Experiment) {
    const plan = planRun([one]);
    const { sides } = plan;
    return {
      scenarios: sides[0]?.scenarios ?? [],
      rounds: allRounds(plan).map(turns => turns.map(({ scenario }) => scenario)),
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
    expect(scenarios.filter(({ control }) => control !== true).map(suffix)).toEqual([
      'closed',
      'constant1000',
      'constant2000',
      'poisson0.5',
      'burst5000x100',
    ]);
    expect(scenarios.slice(0, 5).map(({ arrival }) => arrival)).toEqual([
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
    // Of six that there are.
    expect(new Set(orders).size).toBeGreaterThan(2);
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
      experiment(
        { workers: 10, arrival: ladder },
        { workers: 10, arrival: { ...ladder, rate: [150, 1000] } },
      ),
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
    for (const turns of allRounds(planRun([one, one]))) {
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
      return shares.map(
        (_, pool) => arrivalsOf(task, task.firstPool + pool, scenario.pipeline, 1).dueNs / 1e6,
      );
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
});
