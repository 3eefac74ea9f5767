import { expect, test } from 'vitest';
import type { ScenarioResult } from '../../../src/aggregate/result.ts';
import { describeThreadWarmth, threadWarmth } from '../../../src/aggregate/stats/thread-warmth.ts';
import { warningsOf } from '../../../src/aggregate/stats/warnings.ts';
import { inMarkdown } from '../../support/documents.ts';
import { buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

/** A scenario of so many threads, with the CPU time of an operation by round and thread; null: not known. */
function scenarioOf(pools: number, rounds: number, micros: (round: number, thread: number) => number | null) {
  return buildScenario(
    { pools },
    Array.from({ length: rounds }, (_, index) => {
      const round = index + 1;
      const built = buildRound(round, 1000);
      const threads = Array.from({ length: pools }, (_, part) => {
        const thread = 1 + ((round + part) % 4);
        const idle = { gcPauses: 0, gcMs: 0, gcLongestMs: 0, loopDelayP99Ms: 0, loopDelayMaxMs: 0 };
        return { thread, microsPerOp: micros(round, thread), cores: 0.5, waitShare: 0, ...idle };
      });
      return { ...built, cpu: { ...built.cpu, threads } };
    }),
  );
}

const warningsFor = (scenarios: ScenarioResult[]) => warningsOf(buildResult(scenarios));

test('threads that were equally warm have a ratio of one, whatever their arms cost', () => {
  const scenarios = [scenarioOf(1, 8, () => 20), scenarioOf(4, 8, () => 30)];
  const [warmth, ...others] = threadWarmth(scenarios);
  expect(others).toEqual([]);
  expect(warmth).toMatchObject({ client: 'ioredis', median: 1, min: 1, max: 1 });
  expect(warmth?.threads.map(({ thread }) => thread)).toEqual([1, 2, 3, 4]);
  expect(warningsFor(scenarios)).toEqual([]);
  expect(inMarkdown.result(buildResult(scenarios))).toContain(describeThreadWarmth(scenarios));
});

test('first rounds on cold threads are seen and warned of, as in the runs that version 0.4 left', () => {
  const cold = [2.66, 1.44, 0.91, 1.21, 0.71, 1.12, 0.84, 1.02];
  const scenarios = [
    scenarioOf(1, 8, () => 20),
    scenarioOf(4, 8, round => 25 * (cold[round - 1] ?? Number.NaN)),
  ];
  const [warmth] = threadWarmth(scenarios);
  expect(warmth?.median).toBeGreaterThan(1.25);
  expect(warningsFor(scenarios)).toHaveLength(1);
});

test('one cold thread among four is in the range, and is warned of where it is unequal throughout', () => {
  const once = [scenarioOf(4, 9, (round, thread) => (thread === 3 && round < 4 ? 60 : 20))];
  expect(threadWarmth(once)).toMatchObject([{ median: 1, max: 3 }]);
  expect(warningsFor(once)).toEqual([]);
  const always = [scenarioOf(4, 9, (_, thread) => (thread === 3 ? 30 : 20))];
  expect(threadWarmth(always)).toMatchObject([{ median: 1, max: 1 }]);
  expect(warningsFor(always)).toEqual([expect.stringContaining('thread 3: ×1.50')]);
  // Unequal in most rounds is chance in a run of many arms; unequal over the whole interval is not.
  const mostly = [scenarioOf(4, 9, (round, thread) => (thread === 3 && round < 6 ? 30 : 20))];
  expect(warningsFor(mostly)).toEqual([]);
});

test('nothing is said of fewer than five rounds, nor where the CPU time of threads is not known', () => {
  for (const scenario of [
    scenarioOf(4, 4, round => 100 / round),
    scenarioOf(4, 9, () => null),
    buildScenario(
      {},
      Array.from({ length: 9 }, (_, round) => buildRound(round + 1, 1000)),
    ),
  ]) {
    expect(threadWarmth([scenario])).toEqual([]);
    expect(describeThreadWarmth([scenario])).toBeNull();
    expect(warningsFor([scenario])).toEqual([]);
  }
});

test('a client whose figures are not known does not hide the other', () => {
  const scenarios = [{ ...scenarioOf(1, 6, () => null), client: 'wire' }, scenarioOf(1, 6, () => 20)];
  expect(threadWarmth(scenarios).map(({ client }) => client)).toEqual(['ioredis']);
});
