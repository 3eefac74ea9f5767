import { expect, test } from 'vitest';
import type { Result, RoundResult, ScenarioResult } from '../../../src/aggregate/result.ts';
import { describeOutliers, findOutliers } from '../../../src/aggregate/stats/outliers.ts';
import { medianInterval } from '../../../src/aggregate/stats/sign-test.ts';
import { seededRandom } from '../../../src/aggregate/stats/statistics.ts';
import { inMarkdown, onTerminal } from '../../support/documents.ts';
import { normalNoise } from '../../support/normal-noise.ts';
import { buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

/** Nine rounds whose scaled median absolute deviation is 1.4826 × 100. */
const steady = [10_000, 10_100, 9900, 10_200, 9800, 10_100, 9900, 10_000, 10_050];

function scenarioOf(rates: readonly number[], changes: Partial<ScenarioResult> = {}): ScenarioResult {
  return buildScenario(
    changes,
    rates.map((rate, index) => buildRound(index + 1, rate)),
  );
}

/** `steady` with another rate in the last round. */
const withLast = (rate: number) => [...steady.slice(0, -1), rate];

function outliersOf(scenarios: readonly ScenarioResult[], changes: Partial<Result> = {}) {
  return findOutliers(buildResult(scenarios, changes));
}

test('a round half as fast as the others is an outlier, and the others are not', () => {
  expect(outliersOf([scenarioOf(withLast(5000), { id: 'the-scenario' })])).toEqual([
    {
      scenarioId: 'the-scenario',
      round: 9,
      opsPerSecond: 5000,
      medianOpsPerSecond: 10_000,
      why: expect.any(String),
    },
  ]);
});

test('so does one that is faster', () => {
  expect(outliersOf([scenarioOf(withLast(15_000))])).toMatchObject([{ round: 9, opsPerSecond: 15_000 }]);
});

test('it must be more than 10 % from the median', () => {
  // 5 × 1.4826 × 100 is 741, so only the 10 % hold these back.
  expect(outliersOf([scenarioOf(withLast(9000))])).toEqual([]);
  expect(outliersOf([scenarioOf(withLast(8999))])).toHaveLength(1);
});

test('and more than 5 scaled median absolute deviations: if all rounds scatter, none is one', () => {
  const scattered = [10_000, 12_000, 8000, 11_000, 9000, 11_500, 8500, 10_500];
  // Their median absolute deviation with 3000 is 1500: 5 × 1.4826 × 1500 is more than the median.
  expect(outliersOf([scenarioOf([...scattered, 3000])])).toEqual([]);
});

test('if all others agree to the digit, the 10 % decide', () => {
  expect(outliersOf([scenarioOf([100, 100, 100, 100, 91])])).toEqual([]);
  expect(outliersOf([scenarioOf([100, 100, 100, 100, 89])])).toMatchObject([{ round: 5 }]);
});

test('a round in which nothing completed is one', () => {
  expect(outliersOf([scenarioOf(withLast(0))])).toMatchObject([{ round: 9, opsPerSecond: 0 }]);
});

test('fewer than 5 rounds have no outliers', () => {
  expect(outliersOf([scenarioOf([100, 100, 100, 10])])).toEqual([]);
});

test('with normal noise of 5 % and nine rounds, at most one round in 200 is one', () => {
  const normal = normalNoise(seededRandom(4));
  const scenarios = Array.from({ length: 400 }, () =>
    scenarioOf(steady.map(() => 10_000 * (1 + 0.05 * normal()))),
  );
  // No claim is judged of so many.
  const found = findOutliers({ ...buildResult([]), scenarios });
  expect(found.length / (400 * 9)).toBeLessThan(1 / 200);
});

test('a round that is an outlier in most scenarios was disturbed', () => {
  const firstAndLast = [5000, ...steady.slice(1, -1), 4000];
  const found = outliersOf([scenarioOf(firstAndLast), scenarioOf(withLast(5000)), scenarioOf(steady)]);
  expect(found.map(({ round, why }) => [round, why.includes('disturbed')])).toEqual([
    [1, false],
    [9, true],
    [9, true],
  ]);
});

test('it was not if it is one in half of them, or to both sides', () => {
  const half = [scenarioOf(withLast(5000)), scenarioOf(steady)];
  const bothSides = [scenarioOf(withLast(5000)), scenarioOf(withLast(15_000))];
  const alone = [scenarioOf(withLast(5000))];
  for (const scenarios of [half, bothSides, alone]) {
    for (const { why } of outliersOf(scenarios)) expect(why).not.toContain('disturbed');
  }
});

/** On 8 cores, of which the client uses 1 and the server 0.6. */
function withCpu(
  last: Partial<RoundResult['cpu']>,
  others: Partial<RoundResult['cpu']> = {},
): ScenarioResult {
  const rounds = withLast(5000).map((rate, index) => {
    const round = buildRound(index + 1, rate);
    const usual = { ...round.cpu, clientMicrosPerOp: 100, machineBusyShare: 0.2, ...others };
    return { ...round, cpu: index === 8 ? { ...usual, ...last } : usual };
  });
  return buildScenario({}, rounds);
}

test('other programs are a cause if they used more CPU than usual', () => {
  // 0.35 × 8 − 1 − 0.6 = 1.2
  expect(outliersOf([withCpu({ machineBusyShare: 0.35 })])).toMatchObject([
    { why: expect.stringMatching(/1\.20 cores.* 0\.00/) },
  ]);
});

test('they are none if they always do, or if the CPU of the server is unknown', () => {
  const always = withCpu({ machineBusyShare: 0.5 }, { machineBusyShare: 0.5 });
  const unknown = withCpu({ machineBusyShare: 0.5, serverCores: null });
  for (const scenario of [always, unknown])
    expect(outliersOf([scenario])).toMatchObject([{ why: expect.not.stringContaining('cores') }]);
});

test("a server elsewhere uses none of this machine's cores", () => {
  const { target } = buildResult([]);
  const remote = { target: { ...target, local: false } };
  expect(outliersOf([withCpu({ machineBusyShare: 0.35, serverCores: 5 })], remote)).toMatchObject([
    { why: expect.stringMatching(/1\.80 cores.* 0\.60/) },
  ]);
});

test('a round in which an operation took more CPU than usual is reported so', () => {
  expect(outliersOf([withCpu({ clientMicrosPerOp: 195 })])).toMatchObject([
    { why: expect.stringContaining('×1.95') },
  ]);
  // A tenth more does not explain half the throughput.
  expect(outliersOf([withCpu({ clientMicrosPerOp: 110 })])).toMatchObject([
    { why: expect.not.stringContaining('×') },
  ]);
});

test('they are shown, and not dropped from any figure', () => {
  const rates = [...withLast(5000), 4000];
  const result = buildResult([scenarioOf(rates)]);
  expect(outliersOf(result.scenarios)).toHaveLength(2);
  expect(result.scenarios[0]?.summary?.opsPerSecond).toEqual(medianInterval(rates));
  // With two of ten gone the interval would begin at the lowest of the steady rounds at least.
  expect(result.scenarios[0]?.summary?.opsPerSecond.low).toBe(5000);
});

test('they count in a ratio and its verdict: two rounds of ten that halve a gain leave it undecided', () => {
  const rates = [...steady, 10_000];
  const base = scenarioOf(rates, { workers: 100 });
  const gains = (outliers: number) => rates.map((rate, index) => rate * (index < outliers ? 0.5 : 1.3));
  const verdict = (outliers: number) => {
    const several = scenarioOf(gains(outliers), { pools: 2, workers: 100 });
    const result = buildResult([base, several]);
    expect(outliersOf(result.scenarios)).toHaveLength(outliers);
    return result.claims.find(({ id }) => id === 'C1')?.verdict;
  };
  expect([verdict(0), verdict(1), verdict(2)]).toEqual(['supported', 'supported', 'inconclusive']);
});

test('the terminal has a sentence with how many there are, and in which rounds', () => {
  const result = buildResult([scenarioOf(withLast(5000)), scenarioOf(steady, { workers: 100 })]);
  expect(describeOutliers(result)).toMatch(/^1 of 18 .* round 9: /);
  expect(onTerminal.result(result)).toContain('1 of 18 measurements');
  const quiet = buildResult([scenarioOf(steady)]);
  expect(describeOutliers(quiet)).toBeNull();
  expect(onTerminal.result(quiet)).not.toContain('of 9 measurements');
});

test('it lists eight rounds at most', () => {
  const rates = Array.from({ length: 41 }, (_, index) => (index % 4 === 1 ? 5000 : 10_000));
  expect(describeOutliers(buildResult([scenarioOf(rates)]))).toMatch(
    /in rounds 2, 6, 10, 14, 18, 22, 26, 30 and 2 more: /,
  );
});

test('report.md has a row for each, the farthest twenty at most', () => {
  const one = inMarkdown.result(buildResult([scenarioOf(withLast(5000), { id: 'the-scenario' })]));
  expect(one).toMatch(/\| the-scenario \| 9 \| 5\.00k \| 10\.0k \| ×0\.50 \|/);

  const scenarios = Array.from({ length: 25 }, (_, index) =>
    scenarioOf(withLast(5000 - 100 * index), { id: `scenario-${index}` }),
  );
  const many = inMarkdown.result(buildResult(scenarios));
  const rows = many.match(/^\| scenario-\d+ \| 9 \|/gm) ?? [];
  expect(rows).toHaveLength(20);
  expect(rows).toContain('| scenario-24 | 9 |');
  expect(many).toContain('The 20 farthest of 25.');
});
