import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askClaims } from '../../../src/aggregate/claims/claims.ts';
import { groupBy } from '../../../src/aggregate/claims/judging/arms.ts';
import { twinIdOf } from '../../../src/aggregate/stats/control.ts';
import { fixedRounds } from '../../../src/aggregate/stats/sign-test.ts';
import type { Block } from '../../../src/main/experiment/blocks.ts';
import { type Experiment, experimentSchema } from '../../../src/main/experiment/experiment.ts';
import {
  armsOf,
  overheadSeconds,
  type Plan,
  planRun,
  secondsAtMost,
  turnsOf,
} from '../../../src/main/experiment/plan.ts';
import { parseConfig, readConfig } from '../../../src/main/experiment/read-config.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { claimsOfOneServer, find, measureSuite } from '../../support/claim-arms.ts';
import { buildResult } from '../../support/result-builder.ts';

const roundsOf = (plan: Plan) =>
  Array.from({ length: plan.rounds.atMost }, (_, index) => turnsOf(plan, index + 1));

const target = { server: 'redis', url: 'redis://h' } as const;

function experiment(scenarios: readonly object[], changes: object = {}): Experiment {
  return experimentSchema.parse({ name: 'blocks', target, scenarios, ...changes });
}

const scenariosOf = ({ elements }: Block) => elements.flat();
const idsOf = (scenarios: readonly Scenario[]) => scenarios.map(({ id }) => id);
const isControl = ({ control }: Scenario) => control === true;

/** The blocks of an experiment by the ids of their scenarios, sorted. */
function blocksOf(one: Experiment): string[][] {
  return planRun([one]).blocks.map(block => idsOf(scenariosOf(block)).toSorted());
}

describe('what is compared is measured next to each other', () => {
  const lists = fc.record({
    client: fc.subarray(['ioredis', 'wire'], { minLength: 1 }),
    pool: fc.subarray(['optimized', 'baseline', 'warmed'], { minLength: 1 }),
    pools: fc.subarray([1, 2, 4], { minLength: 1 }),
    poolsPerThread: fc.subarray([1, 4], { minLength: 1 }),
    workers: fc.subarray([10, 20, 50], { minLength: 1 }),
    minIdleShare: fc.subarray([0.25, 1], { minLength: 1 }),
    arrival: fc.subarray(
      [
        { kind: 'closed' },
        { kind: 'poisson', rate: [5, 7] },
        { kind: 'constant', rate: [1, 2], order: 'upAndDown' },
      ],
      { minLength: 1 },
    ),
  });
  const compare = fc.option(
    fc.subarray(['client', 'pool', 'workers', 'minIdleShare', 'arrival'], { minLength: 1 }),
  );

  test('every round has every scenario once, block by block, and a control only with its twin', () => {
    fc.assert(
      fc.property(lists, compare, fc.integer({ min: 1, max: 7 }), fc.nat(), (group, keys, rounds, seed) => {
        const plan = planRun([experiment([group], { compare: keys, rounds, seed })]);
        const all = plan.sides.flatMap(({ scenarios }) => idsOf(scenarios));
        expect(plan.blocks.flatMap(block => idsOf(scenariosOf(block))).toSorted()).toEqual(all.toSorted());
        expect(plan.rounds).toEqual(fixedRounds(rounds));
        const places = new Map(
          plan.blocks.flatMap((block, place) => scenariosOf(block).map(({ id }) => [id, place] as const)),
        );
        for (const turns of roundsOf(plan)) {
          const ids = turns.map(({ scenario }) => scenario.id);
          expect(ids.toSorted()).toEqual(all.toSorted());
          // As many changes of block as there are blocks: none is entered twice.
          const entered = ids.filter((id, index) => places.get(id) !== places.get(ids[index - 1] ?? ''));
          expect(entered).toHaveLength(plan.blocks.length);
        }
        for (const block of plan.blocks) {
          const controls = scenariosOf(block).filter(isControl);
          expect(controls.length).toBeLessThanOrEqual(1);
          for (const { id, control: _, ...measured } of controls) {
            const twin = scenariosOf(block).find(scenario => scenario.id === twinIdOf(id));
            expect(twin).toEqual({ ...measured, id: twinIdOf(id) });
            expect(measured.arrival.kind).toBe('closed');
            expect(block.elements.length).toBeGreaterThan(2);
          }
        }
        const [side] = plan.sides;
        const arms = side === undefined ? 0 : armsOf(side).length;
        const controls = all.length - arms;
        expect(controls).toBeLessThanOrEqual(Math.max(1, arms / 4));
        if (rounds < 5) expect(controls).toBe(0);
        expect(secondsAtMost(plan)).toBeCloseTo(rounds * all.length * (1.25 + overheadSeconds), 6);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('within a block scenarios differ in what is compared, and in nothing else', () => {
    const group = { client: ['ioredis', 'wire'], pools: [1, 2], poolsPerThread: [1, 2], workers: [10, 50] };
    const blocks = planRun([experiment([group], { rounds: 1 })]).blocks;
    expect(blocks).toHaveLength(4);
    for (const block of blocks) {
      expect(scenariosOf(block).map(({ pools, threads }) => `${pools} ${threads}`)).toEqual([
        '1 1',
        '2 2',
        '2 1',
      ]);
      expect(new Set(scenariosOf(block).map(({ client, workers }) => `${client} ${workers}`)).size).toBe(1);
    }
  });

  test('the key that varies is compared if it is only one, and so are the keys that are named', () => {
    expect(blocksOf(experiment([{ client: ['ioredis', 'wire'] }], { rounds: 1 }))).toHaveLength(1);
    const two = [{ client: ['ioredis', 'wire'], pool: ['optimized', 'baseline'] }];
    expect(blocksOf(experiment(two, { rounds: 1 }))).toHaveLength(4);
    expect(blocksOf(experiment(two, { rounds: 1, compare: ['pool'] }))).toEqual([
      ['ioredis-baseline-1pool-50workers', 'ioredis-optimized-1pool-50workers'],
      ['wire-baseline-1pool-50workers', 'wire-optimized-1pool-50workers'],
    ]);
  });

  test('a key that has an effect in some scenarios only does not part the others from them', () => {
    const groups = [{ pool: 'baseline' }, { pool: 'warmed', minIdleShare: [0.5, 1] }];
    const blocks = blocksOf(experiment(groups, { rounds: 1, compare: ['pool', 'minIdleShare'] }));
    expect(blocks).toHaveLength(1);
    const one = [{ pool: 'baseline' }, { pool: 'warmed', minIdleShare: 1 }];
    expect(blocksOf(experiment(one, { rounds: 1 }))).toHaveLength(1);
  });

  test('a ladder of rates is one element of its block, in its order', () => {
    const arrival = [{ kind: 'constant', rate: [2, 1], order: 'upAndDown' }];
    const plan = planRun([experiment([{ pools: [1, 2], arrival }], { rounds: 3 })]);
    const { blocks } = plan;
    expect(blocks.map(({ elements }) => elements.map(ladder => ladder.length))).toEqual([[4, 4]]);
    for (const turns of roundsOf(plan)) {
      const legs = turns.map(({ scenario: { arrival } }) => (arrival.kind === 'closed' ? '' : arrival.leg));
      expect(legs).toEqual(['up', 'up', 'down', 'down', 'up', 'up', 'down', 'down']);
    }
  });

  test('an arm is measured on all sides next to each other, within its block', () => {
    const one = experiment([{ pools: [1, 2], workers: [10, 50] }]);
    for (const turns of roundsOf(planRun([one, one]))) {
      expect(turns).toHaveLength(2 * (4 + 1));
      for (let first = 0; first < turns.length; first += 2) {
        const [a, b] = [turns[first], turns[first + 1]];
        expect(a?.scenario.id).toBe(b?.scenario.id);
        expect([a?.side, b?.side].toSorted()).toEqual([0, 1]);
      }
    }
  });

  test('a name that is no key of a scenario is refused with its place', () => {
    const text = JSON.stringify({ name: 'a', target, scenarios: [{}], compare: ['preset'] });
    expect(() => parseConfig(text, 'a.json')).toThrow(/compare\[0\].*"pool" or /);
  });
});

describe('one arm is measured twice', () => {
  const controlsIn = (one: Experiment) => planRun([one]).sides[0]?.scenarios.filter(isControl) ?? [];

  test('only where something is compared, in a closed loop, with enough rounds for a verdict', () => {
    expect(controlsIn(experiment([{ pools: [1, 2] }]))).toHaveLength(1);
    expect(controlsIn(experiment([{ pools: [1, 2] }], { rounds: 4 }))).toEqual([]);
    expect(controlsIn(experiment([{}]))).toEqual([]);
    expect(controlsIn(experiment([{ client: ['ioredis', 'wire'], workers: [10, 50] }]))).toEqual([]);
    expect(controlsIn(experiment([{ arrival: { kind: 'poisson', rate: [1, 2] } }]))).toEqual([]);
  });

  test('two servers are compared in every arm, so single ones have a control', () => {
    const one = experiment([{ client: ['ioredis', 'wire'], workers: [10, 50] }]);
    const { sides } = planRun([one, one]);
    expect(sides.map(({ scenarios }) => scenarios.filter(isControl).length)).toEqual([1, 1]);
    const only = planRun([experiment([{}]), experiment([{}])]).sides;
    expect(only.map(({ scenarios }) => scenarios.filter(isControl).length)).toEqual([1, 1]);
  });

  test('controls are spread over the blocks and over few and many pools', async () => {
    const plan = planRun([await readConfig('configs/redis.json')]);
    const controls = plan.sides[0]?.scenarios.filter(isControl) ?? [];
    expect(controls).toHaveLength(4);
    expect(new Set(controls.map(({ pools }) => pools)).size).toBeGreaterThan(1);
    expect(new Set(controls.map(({ client }) => client))).toEqual(new Set(['ioredis', 'wire']));
  });
});

describe('suites name what their claims compare', () => {
  const suites = groupBy(claimsOfOneServer, ({ suite }) => suite);

  test.each(suites)(
    'the arms that %s.json compares are in one block, except levels of workers',
    async (suite, claims) => {
      const result = buildResult(await measureSuite(suite, () => ({})));
      const blocks = planRun([await readConfig(`configs/claims/${suite}.json`)]).blocks.map(scenariosOf);
      const isWithin = (arms: readonly string[]) =>
        blocks.some(block => arms.every(arm => block.some(({ id }) => id === arm)));
      const workersOf = new Map(result.scenarios.map(({ id, workers }) => [id, workers]));
      const asked = askClaims([result]);
      for (const claim of claims) {
        const { comparisons } = find(claim.id, result.claims);
        for (const { base, other } of comparisons)
          if (workersOf.get(base) === workersOf.get(other)) expect(isWithin([base, other]), base).toBe(true);
        // Only comparisons within a block prolong a run, and only a claim with its own rule may ask for none.
        const groups = asked
          .filter(one => one.claim === claim.id)
          .flatMap(one => one.groups.map(arms => arms.map(({ id }) => id)));
        const judged = 'predictions' in claim ? groups : [...groups, ...comparisons];
        expect(judged.length, claim.id).toBeGreaterThan(0);
        expect(groups.filter(arms => !isWithin(arms))).toEqual([]);
      }
    },
  );
});
