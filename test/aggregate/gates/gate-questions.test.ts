import { expect, test } from 'vitest';
import { questionsOf } from '../../../src/aggregate/questions.ts';
import type { RoundResult } from '../../../src/aggregate/result.ts';
import { parseGates } from '../../../src/main/experiment/gate-flag.ts';
import { buildLatency, buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

const plannedRounds = { atLeast: 10, atMost: 50 };
const equal = Array.from({ length: 10 }, () => 1);
const slower = equal.map(() => 1.1);
/** Above 2 % in one round, below in the next. */
const swinging = equal.map((_, round) => (round % 2 === 0 ? 1.1 : 1));

/** A side with a scenario of these p50 for each list. Its throughput is always the same. */
function sideOf(p50s: readonly (readonly number[])[], changes: Partial<RoundResult> = {}) {
  const scenarios = p50s.map((ms, index) =>
    buildScenario(
      { id: `arm${index}`, workers: index + 1, plannedRounds },
      ms.map((one, round) =>
        buildRound(round + 1, 10_000, { response: buildLatency(10_000, one), ...changes }),
      ),
    ),
  );
  return buildResult(scenarios, { claims: [] });
}

/** What a `versus` of these scenarios is asked, each of them in a block of its own. */
function ask(
  condition: string,
  ofOther: readonly (readonly number[])[],
  {
    blocksOf = ofOther,
    changes = {},
  }: { blocksOf?: readonly unknown[]; changes?: Partial<RoundResult> } = {},
) {
  const sides = [sideOf(ofOther.map(() => equal)), sideOf(ofOther, changes)];
  const blocks = blocksOf.map((_, index) => [0, 1].map(side => ({ side, id: `arm${index}` })));
  return questionsOf(sides, blocks, parseGates(condition));
}

test('a run goes on until its gate is decided, whose threshold takes the place of 5 %', () => {
  const [question, ...others] = ask('response.p50 > +2%', [slower]);
  expect(others).toEqual([]);
  expect(question).toMatchObject({
    arms: [
      { side: 0, id: 'arm0' },
      { side: 1, id: 'arm0' },
    ],
    isDecided: true,
    rounds: 10,
  });
  expect(question?.label).toContain('response.p50 > +2%');
  expect(ask('response.p50 > +2%', [swinging])).toMatchObject([{ isDecided: false }]);
  expect(ask('response.p50 > +20%', [swinging])).toMatchObject([{ isDecided: true }]);
  expect(ask('response.p50 > +2%', [[]])).toMatchObject([{ isDecided: false, rounds: 0 }]);
});

test('one scenario that fails the build decides it', () => {
  const isDecided = (...given: Parameters<typeof ask>) => ask(...given).map(question => question.isDecided);
  expect(isDecided('response.p50 > +2%', [swinging, equal])).toEqual([false, true]);
  expect(isDecided('response.p50 > +2%', [swinging, slower])).toEqual([true, true]);
});

test('what more rounds would not mend is not asked', () => {
  expect(ask('response.p50 > +2%', [slower], { changes: { unfinished: 500 } })).toEqual([]);
});
