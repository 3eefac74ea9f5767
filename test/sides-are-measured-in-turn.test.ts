import { expect, test } from 'vitest';
import { type Experiment, experimentSchema } from '../src/main/experiment/experiment.ts';
import { estimateSeconds, planRun } from '../src/main/experiment/plan.ts';
import { roundsOf } from '../src/main/run/rounds.ts';

function experiment(changes: Readonly<Record<string, unknown>> = {}): Experiment {
  return experimentSchema.parse({
    name: 'redis',
    target: { server: 'redis', url: 'redis://localhost:6379/0' },
    scenarios: [{ client: ['ioredis', 'wire'], workers: [10, 20, 30] }],
    rounds: 20,
    seed: 7,
    ...changes,
  });
}

const ids = (turns: readonly { scenario: { id: string } }[]) => turns.map(({ scenario }) => scenario.id);

test('every scenario of a round is measured on all sides, one after the other', () => {
  const { rounds } = planRun([experiment(), experiment(), experiment()]);
  const alone = planRun([experiment()]);
  expect(rounds).toHaveLength(20);
  for (const [index, turns] of rounds.entries()) {
    const order = ids(alone.rounds[index] ?? []);
    expect(ids(turns)).toEqual(order.flatMap(id => [id, id, id]));
    for (let first = 0; first < turns.length; first += 3) {
      const sides = turns.slice(first, first + 3).map(({ side }) => side);
      expect(sides.toSorted()).toEqual([0, 1, 2]);
    }
  }
});

test('which side comes first is shuffled from the seed', () => {
  const firstOf = (seed: number) =>
    planRun([experiment({ seed }), experiment({ seed })])
      .rounds.flat()
      .filter((_, index) => index % 2 === 0)
      .map(({ side }) => side);
  expect(firstOf(7)).toEqual(firstOf(7));
  expect(firstOf(7)).not.toEqual(firstOf(8));
  const leading = firstOf(7).filter(side => side === 0).length;
  // 120 times a coin: outside of these once in a billion.
  expect(leading).toBeGreaterThan(26);
  expect(leading).toBeLessThan(94);
});

test('a side takes part in the scenarios and rounds that it has', () => {
  const few = experiment({ scenarios: [{ client: 'wire', workers: [10, 99] }], rounds: 1 });
  const [first = [], second = []] = planRun([experiment({ rounds: 2 }), few]).rounds;
  const ofFew = first.filter(({ side }) => side === 1);
  expect(ids(ofFew).toSorted()).toEqual(['wire-optimized-1pool-10workers', 'wire-optimized-1pool-99workers']);
  expect(first).toHaveLength(8);
  expect(second).toHaveLength(6);
  expect(second.every(({ side }) => side === 0)).toBe(true);
});

test('the estimate takes every turn at the length of its side', () => {
  const experiments = [
    experiment({ seconds: 1, warmupSeconds: 0, rounds: 1 }),
    experiment({ seconds: 3, warmupSeconds: 1, rounds: 1 }),
  ];
  expect(estimateSeconds(planRun(experiments))).toBeCloseTo(6 * (1 + 4 + 2 * 0.15), 6);
});

test('a run that is resumed measures the rounds of its plan that are left, and knows how long they take', () => {
  const plan = planRun([experiment({ rounds: 3 }), experiment({ rounds: 4, seconds: 2 })]);
  const rounds = [...roundsOf(plan, 2)];
  expect(rounds.map(({ round, rounds, turns }) => ({ round, rounds, turns }))).toEqual([
    { round: 3, rounds: 4, turns: plan.rounds[2] },
    { round: 4, rounds: 4, turns: plan.rounds[3] },
  ]);
  const left = rounds.flatMap(({ secondsLeft }) => secondsLeft ?? []);
  expect(left).toHaveLength(12 + 6);
  expect(left[0]).toBeCloseTo(estimateSeconds(plan, plan.rounds.slice(2).flat()), 6);
  expect(left.at(-1)).toBeCloseTo(2 + 0.25 + 0.15, 6);
  expect([...roundsOf(plan, 4)]).toEqual([]);
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
