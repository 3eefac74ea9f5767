import { expect, test } from 'vitest';
import { finishedRounds } from '../src/aggregate/stats/whole-rounds.ts';
import { buildRound, buildScenario } from './support/result-builder.ts';

const plan = { ids: ['a', 'b'], seconds: 1 };

function finished(rounds: Record<string, readonly (number | readonly [round: number, seconds: number])[]>) {
  const scenarios = Object.entries(rounds).map(([id, list]) =>
    buildScenario(
      { id },
      list.map(one => {
        const [round, seconds] = typeof one === 'number' ? [one, 1] : one;
        return buildRound(round, 1000, { seconds });
      }),
    ),
  );
  const { count, rounds: kept } = finishedRounds({ scenarios }, plan);
  return [count, [...kept].map(([id, list]) => [id, list.map(({ round }) => round)])];
}

test.each([
  ['none were measured', { a: [], b: [] }, 0],
  ['the last is missing for one', { a: [1, 2, 3], b: [1, 2] }, 2],
  ['one has never been measured', { a: [1], b: [] }, 0],
  ['a scenario is not there at all', { a: [1, 2] }, 0],
  ['the last was cut short', { a: [1, 2], b: [1, [2, 0.4]] }, 1],
  ['one in the middle was cut short', { a: [1, [2, 0.4], 3], b: [1, 2, 3] }, 1],
  ['threads were stopped some milliseconds apart', { a: [1, [2, 0.99]], b: [1, 2] }, 2],
] as const)('%s', (_, rounds, count) => {
  const kept = Array.from({ length: count }, (_, index) => index + 1);
  expect(finished(rounds)).toEqual([
    count,
    [
      ['a', kept],
      ['b', kept],
    ],
  ]);
});
