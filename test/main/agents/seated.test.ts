import { expect, test } from 'vitest';
import type { HostResult } from '../../../src/aggregate/result.ts';
import { emptySeats, nameSeated } from '../../../src/main/agents/seated.ts';

const machine = { node: 'v20', os: 'Linux', cpu: 'X', cores: 4, threads: 2 };

/** The names of agents that call themselves so, each with the cores of its machine. */
function namesOf(agents: readonly (readonly [name: string, cores: number])[], before: HostResult[] = []) {
  const seated = emptySeats(agents.length);
  for (const [seat, [name, cores]] of agents.entries()) {
    const agent = seated[seat];
    if (agent !== undefined) agent.host = { ...machine, name, cores };
  }
  nameSeated(seated, before);
  // The names of a run do not depend on those of the one before.
  nameSeated(seated, before);
  return seated.map(({ name }) => name);
}

test('agents that are named alike get a number, in the order of their seats', () => {
  expect(
    namesOf([
      ['a', 4],
      ['a', 4],
      ['b', 4],
      ['a', 8],
    ]),
  ).toEqual(['a', 'a (2)', 'b', 'a (3)']);
});

test('in a resumed run a name of another machine that took part before is not used again', () => {
  const before = [
    { ...machine, name: 'a', roundTripMs: null },
    { ...machine, name: 'b', cores: 8, roundTripMs: null },
  ];
  expect(
    namesOf(
      [
        ['a', 4],
        ['b', 8],
      ],
      before,
    ),
  ).toEqual(['a', 'b']);
  expect(
    namesOf(
      [
        ['a', 8],
        ['b', 4],
      ],
      before,
    ),
  ).toEqual(['a (2)', 'b (2)']);
});
