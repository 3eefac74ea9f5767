import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgePredictions } from '../../../src/aggregate/claims/claim.ts';
import { claims, judgeVersusClaims } from '../../../src/aggregate/claims/claims.ts';
import {
  atLeast,
  type Prediction,
  predictFigure,
  predictRatios,
  verdictOf,
} from '../../../src/aggregate/claims/judging/prediction.ts';
import { describeOutcome } from '../../../src/aggregate/claims/judging/reason.ts';
import { describeMeasured } from '../../../src/aggregate/report/documents/parts.ts';
import { renderReportPage } from '../../../src/aggregate/report/html/report-page.ts';
import type { ClaimResult, Result } from '../../../src/aggregate/result.ts';
import { p99, throughput } from '../../../src/aggregate/stats/measures.ts';
import { RoundSeries } from '../../../src/aggregate/stats/round-series.ts';
import { fixedRounds } from '../../../src/aggregate/stats/sign-test.ts';
import { formatRate, formatRatio } from '../../../src/aggregate/text/format.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { type ArmFigures, claimsOfOneServer, find, judge, measureSuite } from '../../support/claim-arms.ts';
import { inMarkdown, onTerminal } from '../../support/documents.ts';
import { usualMetrics } from '../../support/preset-metrics.ts';
import {
  buildLatency,
  buildMatrix,
  buildResult,
  buildRound,
  buildScenario,
  buildUnread,
} from '../../support/result-builder.ts';

describe('prediction holds where its interval is inside its range', () => {
  const figure = fc.double({ min: 0.1, max: 10, noNaN: true });
  const end = fc.option(figure);

  const seriesOf = (figures: readonly number[]) =>
    new RoundSeries(figures.entries(), fixedRounds(figures.length));

  function predict(byRound: readonly number[], low: number | null, high: number | null): Prediction {
    return {
      what: 'x',
      series: seriesOf(byRound),
      range: { low, high },
      format: String,
      arms: [],
      measure: throughput,
      comparisons: [],
    };
  }

  test('inside is supported, outside is refuted, across an end is inconclusive', () => {
    fc.assert(
      fc.property(fc.array(figure, { minLength: 6, maxLength: 12 }), end, end, (byRound, a, b) => {
        const [low, high] = a !== null && b !== null ? [Math.min(a, b), Math.max(a, b)] : [a, b];
        const interval = seriesOf(byRound).interval();
        const inside = (value: number) => value >= (low ?? 0) && value <= (high ?? 100);
        const verdict = verdictOf(predict(byRound, low, high));
        if (verdict === 'supported') expect(inside(interval.low) && inside(interval.high)).toBe(true);
        else if (verdict === 'refuted') {
          expect(inside(interval.low) || inside(interval.high)).toBe(false);
          expect(interval.high < (low ?? 0) || interval.low > (high ?? 100)).toBe(true);
        } else expect(interval.low < interval.high).toBe(true);
      }),
    );
  });

  test('a larger figure never turns a promised gain from supported', () => {
    fc.assert(
      fc.property(
        fc.array(figure, { minLength: 6, maxLength: 9 }),
        figure,
        fc.double({ min: 1, max: 5, noNaN: true }),
        (byRound, low, factor) => {
          const more = byRound.map(ratio => ratio * factor);
          const rank = { refuted: 0, inconclusive: 1, supported: 2, 'not tested': -1 };
          const before = rank[verdictOf(predict(byRound, low, null))];
          expect(rank[verdictOf(predict(more, low, null))]).toBeGreaterThanOrEqual(before);
        },
      ),
    );
  });

  test('a part that shows the opposite makes it inconclusive, one that is only unclear does not', () => {
    fc.assert(
      fc.property(fc.array(figure, { minLength: 6, maxLength: 9 }), figure, figure, (byRound, low, alone) => {
        const part = { where: 'at 1', series: seriesOf(byRound.map(() => alone)) };
        const together = predict(byRound, low, null);
        const before = verdictOf(together);
        const partSays = alone >= low ? 'supported' : 'refuted';
        const after = verdictOf({ ...together, parts: [part] });
        expect(after).toBe(before === partSays ? before : 'inconclusive');
      }),
    );
    const unclear = { where: 'at 1', series: seriesOf([1, 2, 1, 2, 1, 2]) };
    const clear = predict([2, 2, 2, 2, 2, 2], 1.5, null);
    expect(verdictOf({ ...clear, parts: [unclear] })).toBe('supported');
    expect(verdictOf({ ...clear, parts: [{ ...unclear, series: seriesOf(Array(6).fill(1)) }] })).toBe(
      'inconclusive',
    );
  });

  const scenario = buildScenario(
    { id: 'one' },
    Array.from({ length: 7 }, (_, round) =>
      buildRound(round, 50_000 + round, {
        seconds: round === 6 ? 0.4 : 1,
        response: buildLatency(1000, 0.2),
      }),
    ),
  );

  test('a figure as it is has its unit, and leaves out a round that was cut short', () => {
    const prediction = predictFigure(p99, scenario, 'at 10', { low: null, high: 1 }, ms => `${ms} ms`);
    expect(prediction).toMatchObject({ what: 'at 10: response p99', unit: 'ms' });
    expect(prediction.series.values).toEqual(Array(6).fill(0.5));
    expect(predictFigure(throughput, scenario, '', { low: 0, high: null }, String).series.size).toBe(6);
  });

  test('fewer rounds than a verdict takes have no intervals, and no coverage of any is stated', () => {
    const few = { ...scenario, rounds: scenario.rounds.slice(0, 5) };
    const { reason } = judgePredictions(buildResult([few], { claims: [] }), {
      needs: 'one',
      predictions: ([one]) =>
        one ? [predictFigure(p99, one, 'at 10', { low: null, high: 1 }, ms => `${ms} ms`)] : [],
    });
    expect(reason).toContain('Medians over 5 rounds with no intervals');
    expect(reason).not.toContain('%');
  });

  test('a round that has no such figure is left out, and not taken for a very good one', () => {
    const silent = {
      ...scenario,
      rounds: scenario.rounds.map(round => ({ ...round, response: buildLatency(0, 0) })),
    };
    expect(predictFigure(p99, silent, '', { low: null, high: 1 }, String).series.size).toBe(0);
  });

  test('a figure is written with its unit, a ratio with ×', () => {
    const evidence = buildResult([scenario], { claims: [] });
    const ranged = { low: null, high: 1 };
    const inMs = judgePredictions(evidence, {
      needs: 'one',
      predictions: ([one]) =>
        one ? [predictFigure(p99, one, 'at 10', ranged, ms => `${ms.toFixed(2)} ms`)] : [],
    });
    expect(inMs).toMatchObject({ unit: 'ms', measured: 0.5, verdict: 'supported' });
    expect(inMs.reason).toContain('response p99 0.50 ms [0.50 ms, 0.50 ms]; predicted 1.00 ms');
    const claim = { id: 'C0', statement: 'x', predicted: 'below 1 ms' };
    expect(describeMeasured({ ...claim, ...inMs })).toContain(' 0.500 [0.500, 0.500] ms.');
    const ratio = judgePredictions(evidence, {
      needs: 'one',
      predictions: ([one]) =>
        one
          ? predictRatios([{ base: one, other: one }], 'to itself', [[throughput, { low: 1, high: 1 }]])
          : [],
    });
    expect(ratio.reason).toContain('throughput ×1.00 [1.00, 1.00]; predicted ×1.00');
    expect(describeMeasured({ ...claim, ...ratio })).toContain('Measured: ×1.00 [1.00, 1.00].');
  });

  /** Two arms at each of two levels, of these throughputs to one another. */
  function pairsOf(at100: number, at400: number) {
    return [
      { workers: 100, gain: at100 },
      { workers: 400, gain: at400 },
    ].map(({ workers, gain }) => {
      const arm = (pool: string, rate: number) =>
        buildScenario(
          { id: `${pool}-${workers}`, pool, workers },
          Array.from({ length: 6 }, (_, round) => buildRound(round, rate)),
        );
      return { base: arm('baseline', 10_000), other: arm('optimized', 10_000 * gain) };
    });
  }

  test('a mean over levels is marked as one, and a level that contradicts it is named', () => {
    const judge = (at100: number, at400: number) => {
      const pairs = pairsOf(at100, at400);
      const evidence = buildResult(
        pairs.flatMap(({ base, other }) => [base, other]),
        { claims: [] },
      );
      return judgePredictions(evidence, {
        needs: 'two',
        predictions: () => predictRatios(pairs, 'one to another', [[throughput, atLeast(1.05)]]),
      });
    };
    expect(judge(1.2, 1.1).verdict).toBe('supported');
    expect(judge(1, 1).verdict).toBe('refuted');
    const claim = judge(1.2, 0.8);
    expect(claim.verdict).toBe('inconclusive');
    expect(claim.reason).toMatch(
      / 100 and 400 workers .* ×0\.98 \[0\.98, 0\.98\]; .* ×1\.05 .* at 100 .* ×1\.20 \[1\.20, 1\.20\]\./,
    );
    expect(judge(1.5, 0.8).reason).toMatch(/ at 400 .* ×0\.80 \[0\.80, 0\.80\]\./);
  });

  test('a range with two ends is one prediction, and so one chance for luck', () => {
    const pairs = pairsOf(1, 1);
    const range = { low: 0.95, high: 1.05 };
    const predictions = pairs.flatMap(pair => predictRatios([pair], '', [[throughput, range]]));
    const claim = (made: readonly Prediction[]) =>
      judgePredictions(buildResult([scenario], { claims: [] }), { needs: 'two', predictions: () => made });
    expect(claim(predictions).reason).toContain('If all 2 true values');
    expect(claim(predictions).predictions).toBe(2);
    expect(claim(predictions.slice(0, 1)).reason).not.toContain('chance');
    expect(claim(predictions.slice(0, 1)).predictions).toBe(1);
  });

  test('rounding does not contradict a verdict: what prints alike but differs has more digits', () => {
    const say = (byRound: readonly number[], low: number | null, high: number | null) =>
      describeOutcome({ ...predict(byRound, low, high), format: formatRatio });
    expect(say([1.0497, 1.06, 1.07, 1.07, 1.07, 1.08], 1.05, null)).toBe(
      'X ×1.07 [1.0497, 1.08]; predicted ×1.05 or more: stays open; more than ×1.08 is excluded.',
    );
    expect(say(Array(6).fill(0.951), null, 1 / 1.05)).toBe(
      'X ×0.951 [0.951, 0.951]; predicted ×0.952 or less: holds.',
    );
    expect(say(Array(6).fill(1.05), 1.05, null)).toBe(
      'X ×1.05 [1.05, 1.05]; predicted ×1.05 or more: holds.',
    );
    const rates = {
      ...predict([50_012, 50_012, 51_000, 51_000, 51_000, 51_000], 50_000, null),
      unit: 'ops/s',
    };
    expect(describeOutcome({ ...rates, format: rate => `${formatRate(rate)} ops/s` })).toBe(
      'X 51000 ops/s [50010 ops/s, 51000 ops/s]; predicted 50000 ops/s or more: holds.',
    );
  });

  test('a caveat ends the gist, and stands once in the reason', () => {
    const caveat = 'Closed loop only.';
    const [pair] = pairsOf(1.2, 1);
    const claim = judgePredictions(buildResult([scenario], { claims: [] }), {
      needs: 'one',
      predictions: () => (pair ? predictRatios([pair], 'one to another', [[throughput, atLeast(1.05)]]) : []),
      caveat: () => caveat,
      remarks: () => [caveat, 'More.'],
    });
    expect(claim.gist).toBe(
      `One to another: throughput ×1.20 [1.20, 1.20]; predicted ×1.05 or more: holds. ${caveat}`,
    );
    expect(claim.reason.split(caveat)).toHaveLength(2);
  });
});

describe('too few rounds give no verdict', () => {
  /** A difference between any two arms that no one could miss: the later of them has four times the throughput. */
  function farApart(): (scenario: Scenario) => ArmFigures {
    const ids: string[] = [];
    return ({ id }) => {
      if (!ids.includes(id)) ids.push(id);
      const speed = 4 ** ids.indexOf(id);
      return {
        speed,
        slowness: 1 / speed,
        // Cold, short of operations and longer than any health check is good for, as claims want their windows.
        poolMetrics: { createdBefore: 0, ...(id.includes('warmed') ? { created: 0 } : {}) },
        round: { seconds: 2.5, completed: 2000 },
      };
    };
  }

  async function verdictOn(
    { id, suite }: { id: string; suite: string },
    rounds: number,
  ): Promise<ClaimResult> {
    return judge(id, await measureSuite(suite, farApart(), rounds));
  }

  const fewRounds = [1, 2, 3, 4, 5];

  test.each(claimsOfOneServer)(
    '$id is not decided by fewer than 6 rounds, however far apart its arms are',
    async claim => {
      for (const rounds of fewRounds) {
        expect(['inconclusive', 'not tested']).toContain((await verdictOn(claim, rounds)).verdict);
      }
    },
  );

  test('with 7 rounds the same figures decide most of the claims', async () => {
    const judged = await Promise.all(claimsOfOneServer.map(claim => verdictOn(claim, 7)));
    const decided = judged.filter(({ verdict }) => verdict === 'supported' || verdict === 'refuted');
    expect(decided.length).toBeGreaterThan(judged.length / 2);
  });

  async function side(server: string, speed: number, rounds: number): Promise<Result> {
    // The servers are the limit, or the verdict would not be about them.
    const { cpu: busy } = buildRound(0, 1);
    const cpu = { ...busy, eventLoopUtilization: [0.6], serverCores: 1, serverMainThreadCores: 0.98 };
    const scenarios = await measureSuite(
      'versus',
      () => ({ speed, slowness: 1 / speed, round: { cpu } }),
      rounds,
    );
    const { target } = buildResult([]);
    const found = {
      ...target,
      declared: { ...target.declared, server },
      detected: { ...target.detected, server },
    };
    return buildUnread(scenarios, { target: found, session: 'one' });
  }

  async function versus(id: string, server: string, rounds: number): Promise<ClaimResult> {
    const sides = [await side('redis', 1, rounds), await side(server, 4, rounds)];
    return find(id, judgeVersusClaims(sides));
  }

  const opponents = [
    ['C9', 'valkey'],
    ['C10', 'dragonfly'],
    ['C22', 'valkey'],
  ] as const;

  test.each(opponents)('neither is %s, of %s and Redis', async (id, server) => {
    for (const rounds of fewRounds) {
      expect(['inconclusive', 'not tested']).toContain((await versus(id, server, rounds)).verdict);
    }
    expect(['supported', 'refuted']).toContain((await versus(id, server, 6)).verdict);
  });

  test('the words of every claim and its verdict are those of the golden file', async () => {
    const judged = await Promise.all([
      ...claimsOfOneServer.map(claim => verdictOn(claim, 6)),
      ...opponents.map(([id, server]) => versus(id, server, 6)),
    ]);
    const words = judged.map(({ id, verdict, statement, predicted, gist, reason }) =>
      [`${id} ${verdict}`, statement, predicted, gist, reason, ''].join('\n'),
    );
    await expect(words.join('\n')).toMatchFileSnapshot('golden/verdicts.txt');
  });
});

describe('claims with a finding are shown in full', () => {
  const ids = claims.map(({ id }) => id);

  test('claims have ids of their own, in order', () => {
    const numbers = ids.map(id => Number(id.slice(1)));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a run shows in full what it tests, and names the rest', async () => {
    const scenarios = await measureSuite('optimizations', scenario => ({
      poolMetrics: usualMetrics(scenario),
    }));
    const result = buildResult(scenarios);
    const tested = ['C2', 'C5', 'C7', 'C8', 'C21'];
    const rest = ids.filter(id => !tested.includes(id));

    const lines = onTerminal.result(result).split('\n');
    const told = lines.flatMap(
      line => /^(C\d+) (?:supported|refuted|inconclusive|not tested):/.exec(line)?.[1] ?? [],
    );
    expect(told).toEqual(tested);
    // What the run does not test is in the report alone.
    expect(lines.join(' ')).not.toMatch(/C3|Not tested/);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);

    const markdown = inMarkdown.result(result);
    expect(markdown.match(/^## C\d+/gm)?.map(heading => heading.slice(3))).toEqual(tested);
    const table = markdown.split('## Not tested by this run')[1]?.split('\n## ')[0] ?? '';
    expect(table.match(/^\| C\d+/gm)?.map(cell => cell.slice(2))).toEqual(rest);
    expect(table).toContain('configs/claims/pipeline.json tests it.');
  });

  test('a run that tests no claim says nothing about claims, in any rendering', () => {
    const asked = buildResult([]);
    expect(asked.claims.length).toBeGreaterThan(20);
    for (const result of [asked, { ...asked, target: { ...asked.target, standIn: true } }]) {
      for (const text of [onTerminal.result(result), inMarkdown.result(result)])
        expect(text).not.toMatch(/\bC\d+\b|[Nn]ot tested/);
      expect(renderReportPage(result)).not.toMatch(/[Nn]ot tested/);
    }
  });

  test('a ratio without a verdict is shown nevertheless', async () => {
    const tested = await measureSuite('optimizations', scenario => ({ poolMetrics: usualMetrics(scenario) }));
    const result = buildResult([...buildMatrix({ workers: [10], gain: () => 1.2 }), ...tested]);
    expect(onTerminal.result(result)).toMatch(/^C1 not tested: /);
    expect(onTerminal.result(result)).toMatch(/^C5 /m);
    expect(inMarkdown.result(result)).toContain('## The ratios behind C1');
  });

  test('a result without claims has no list of them', () => {
    const result = buildResult([], { claims: [] });
    expect(onTerminal.result(result)).not.toContain('Not tested');
    expect(inMarkdown.result(result)).not.toContain('Not tested');
  });
});
