import { expect, test } from 'vitest';
import type { Result, RoundResult, ScenarioResult } from '../../../src/aggregate/result.ts';
import { describeOutliers, findOutliers } from '../../../src/aggregate/stats/outliers.ts';
import { medianInterval, seededRandom } from '../../../src/aggregate/stats/statistics.ts';
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

function standOutsOf(scenarios: readonly ScenarioResult[], changes: Partial<Result> = {}) {
  return findOutliers(buildResult(scenarios, changes));
}

test('a round half as fast as the others stands out, and the others do not', () => {
  expect(standOutsOf([scenarioOf(withLast(5000), { id: 'the-scenario' })])).toEqual([
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
  expect(standOutsOf([scenarioOf(withLast(15_000))])).toMatchObject([{ round: 9, opsPerSecond: 15_000 }]);
});

test('it must be more than 10 % from the median', () => {
  // 5 × 1.4826 × 100 is 741, so only the 10 % hold these back.
  expect(standOutsOf([scenarioOf(withLast(9000))])).toEqual([]);
  expect(standOutsOf([scenarioOf(withLast(8999))])).toHaveLength(1);
});

test('and more than 5 scaled median absolute deviations: where all rounds scatter, none stands out', () => {
  const scattered = [10_000, 12_000, 8000, 11_000, 9000, 11_500, 8500, 10_500];
  // Their median absolute deviation with 3000 is 1500: 5 × 1.4826 × 1500 is more than the median.
  expect(standOutsOf([scenarioOf([...scattered, 3000])])).toEqual([]);
});

test('where all others agree to the digit the 10 % decide', () => {
  expect(standOutsOf([scenarioOf([100, 100, 100, 100, 91])])).toEqual([]);
  expect(standOutsOf([scenarioOf([100, 100, 100, 100, 89])])).toMatchObject([{ round: 5 }]);
});

test('a round in which nothing completed stands out', () => {
  expect(standOutsOf([scenarioOf(withLast(0))])).toMatchObject([{ round: 9, opsPerSecond: 0 }]);
});

test('fewer than 5 rounds tell nothing', () => {
  expect(standOutsOf([scenarioOf([100, 100, 100, 10])])).toEqual([]);
});

test('of normal noise of 5 %, at most one round in 200 stands out of nine', () => {
  const normal = normalNoise(seededRandom(4));
  const scenarios = Array.from({ length: 400 }, () =>
    scenarioOf(steady.map(() => 10_000 * (1 + 0.05 * normal()))),
  );
  expect(standOutsOf(scenarios).length / (400 * 9)).toBeLessThan(1 / 200);
});

test('a round in which most scenarios stand out is told as disturbed', () => {
  const firstAndLast = [5000, ...steady.slice(1, -1), 4000];
  const found = standOutsOf([scenarioOf(firstAndLast), scenarioOf(withLast(5000)), scenarioOf(steady)]);
  expect(found.map(({ round, why }) => [round, why.includes('most scenarios of this round')])).toEqual([
    [1, false],
    [9, true],
    [9, true],
  ]);
});

test('it is not where half of them do, or where they stand out to both sides', () => {
  const half = [scenarioOf(withLast(5000)), scenarioOf(steady)];
  const bothSides = [scenarioOf(withLast(5000)), scenarioOf(withLast(15_000))];
  const alone = [scenarioOf(withLast(5000))];
  for (const scenarios of [half, bothSides, alone]) {
    expect(
      standOutsOf(scenarios)
        .map(({ why }) => why)
        .join(),
    ).not.toContain('most scenarios');
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

test('neighbours are named where they used more CPU than usual', () => {
  // 0.35 × 8 − 1 − 0.6 = 1.2
  expect(standOutsOf([withCpu({ machineBusyShare: 0.35 })])).toMatchObject([
    { why: 'neighbours used 1.20 cores, in the median round 0.00' },
  ]);
});

test('they are not where they always do, or where the server does not tell its CPU', () => {
  const always = withCpu({ machineBusyShare: 0.5 }, { machineBusyShare: 0.5 });
  const unknown = withCpu({ machineBusyShare: 0.5, serverCores: null });
  for (const scenario of [always, unknown]) {
    expect(standOutsOf([scenario])).toMatchObject([{ why: 'its figures do not say why' }]);
  }
});

test("a server elsewhere uses none of this machine's cores", () => {
  const { target } = buildResult([]);
  const remote = { target: { ...target, local: false } };
  expect(standOutsOf([withCpu({ machineBusyShare: 0.35, serverCores: 5 })], remote)).toMatchObject([
    { why: 'neighbours used 1.80 cores, in the median round 0.60' },
  ]);
});

test('a round in which an operation took more CPU than usual says so', () => {
  expect(standOutsOf([withCpu({ clientMicrosPerOp: 195 })])).toMatchObject([
    { why: "an operation took ×1.95 the client's CPU time of the median round" },
  ]);
  // A tenth more does not explain half the throughput.
  expect(standOutsOf([withCpu({ clientMicrosPerOp: 110 })])).toMatchObject([
    { why: 'its figures do not say why' },
  ]);
});

test('they are shown, and not dropped from any figure', () => {
  const rates = [...withLast(5000).slice(0, 7), 4000, 5000];
  const result = buildResult([scenarioOf(rates)]);
  expect(standOutsOf(result.scenarios)).toHaveLength(2);
  expect(result.scenarios[0]?.summary?.opsPerSecond).toEqual(medianInterval(rates));
  // With two of nine gone the interval would begin at the second lowest of the steady rounds at least.
  expect(result.scenarios[0]?.summary?.opsPerSecond.low).toBe(5000);
});

test('they count in a ratio and its verdict: two rounds of nine that halve a gain leave it undecided', () => {
  const base = scenarioOf(steady, { workers: 100 });
  const gains = (outliers: number) => steady.map((rate, index) => rate * (index < outliers ? 0.5 : 1.3));
  const verdict = (outliers: number) => {
    const several = scenarioOf(gains(outliers), { pools: 2, workers: 100 });
    const result = buildResult([base, several]);
    expect(standOutsOf(result.scenarios)).toHaveLength(outliers);
    return result.claims.find(({ id }) => id === 'C1')?.verdict;
  };
  expect([verdict(0), verdict(1), verdict(2)]).toEqual(['supported', 'supported', 'inconclusive']);
});

test('the terminal says in a sentence how many and in which rounds', () => {
  const result = buildResult([scenarioOf(withLast(5000)), scenarioOf(steady, { workers: 100 })]);
  expect(describeOutliers(result)).toBe(
    '1 of 18 measurements stands out from the median of its scenario, in round 9: shown, not dropped. report.md lists what its figures say of the cause.',
  );
  expect(onTerminal.result(result)).toContain('1 of 18 measurements stands out');
  const quiet = buildResult([scenarioOf(steady)]);
  expect(describeOutliers(quiet)).toBeNull();
  expect(onTerminal.result(quiet)).not.toContain('out from the median');
});

test('it lists eight rounds at most', () => {
  const rates = Array.from({ length: 41 }, (_, index) => (index % 4 === 1 ? 5000 : 10_000));
  expect(describeOutliers(buildResult([scenarioOf(rates)]))).toMatch(
    /in rounds 2, 6, 10, 14, 18, 22, 26, 30 and 2 more: /,
  );
});

test('report.md has a row for each, the farthest twenty at most', () => {
  const one = inMarkdown.result(buildResult([scenarioOf(withLast(5000), { id: 'the-scenario' })]));
  expect(one).toContain('## Outliers');
  expect(one).toMatch(/\| the-scenario \| 9 \| 5\.00k \| 10\.0k \| ×0\.50 \|/);

  const scenarios = Array.from({ length: 25 }, (_, index) =>
    scenarioOf(withLast(5000 - 100 * index), { id: `scenario-${index}` }),
  );
  const many = inMarkdown.result(buildResult(scenarios));
  const [, section = ''] = many.split('## Outliers');
  const [table = ''] = section.split('\n## ');
  expect(table.match(/^\| scenario-/gm)).toHaveLength(20);
  expect(table).toContain('scenario-24');
  expect(table).toContain('The 20 farthest of 25.');
  expect(inMarkdown.result(buildResult([scenarioOf(steady)]))).not.toContain('stand out');
});
