import { describe, expect, test } from 'vitest';
import { judgeClaims, judgeVersusClaims } from '../../../src/aggregate/claims/claims.ts';
import { compareResults } from '../../../src/aggregate/comparison/compare-results.ts';
import { comparisonDocument } from '../../../src/aggregate/report/documents/comparison.ts';
import { resultDocument } from '../../../src/aggregate/report/documents/result.ts';
import { renderScenariosCsv, renderSeriesCsv } from '../../../src/aggregate/report/files/csv.ts';
import { renderHlog } from '../../../src/aggregate/report/files/histograms.ts';
import { derivedFiles } from '../../../src/aggregate/report/files/result-files.ts';
import { renderReportPage } from '../../../src/aggregate/report/html/report-page.ts';
import { renderMarkdown } from '../../../src/aggregate/report/markdown.ts';
import { renderTerminal } from '../../../src/aggregate/report/terminal.ts';
import { type MeasuredResult, type Result, resultSchema } from '../../../src/aggregate/result.ts';
import {
  describeControl,
  findControlFlaw,
  judgeControl,
  withoutControls,
} from '../../../src/aggregate/stats/control.ts';
import { findOutliers } from '../../../src/aggregate/stats/outliers.ts';
import { medianInterval } from '../../../src/aggregate/stats/sign-test.ts';
import { find } from '../../support/claim-arms.ts';
import { buildMatrix, buildResult } from '../../support/result-builder.ts';

/** One pool to two and four, whose gain is clear, without controls. */
const arms = buildMatrix({ gain: ({ workers }) => (workers > 50 ? 1.5 : 1) });

/** A control for the first `count` arms: of the throughput of its twin times a factor by round. */
function controlsOf(count: number, factors: readonly number[]): MeasuredResult[] {
  return arms.slice(0, count).map(twin => ({
    ...twin,
    id: `${twin.id}-control`,
    control: true,
    rounds: twin.rounds.map((round, index) => ({
      ...round,
      opsPerSecond: round.opsPerSecond * (factors[index] ?? 1),
    })),
  }));
}

/** As a run would leave it. */
function withControls(controls: readonly MeasuredResult[]): Result {
  const scenarios = [...arms, ...controls];
  const control = judgeControl(scenarios);
  const result = { ...buildResult(arms), scenarios, ...(control === undefined ? {} : { control }) };
  return resultSchema.parse(JSON.parse(JSON.stringify({ ...result, claims: judgeClaims(result) })));
}

const steady = [1.01, 0.99, 1.02, 0.98, 1, 1.01, 0.99, 1];
const off = [1.1, 1.08, 1.12, 1.09, 1.1, 1.11, 1.09, 1.1];

describe('two identical arms are one statistic of a run', () => {
  test('it is the geometric mean over all controls by round, and the median over the rounds', () => {
    const [first, second] = [controlsOf(1, off), controlsOf(2, steady).slice(1)];
    const byRound = off.map((factor, index) => Math.sqrt(factor * (steady[index] ?? 1)));
    const control = judgeControl([...arms, ...first, ...second]);
    const { median, low, high } = medianInterval(byRound);
    expect(control?.ratio.median).toBeCloseTo(median, 10);
    expect(control?.ratio.low).toBeCloseTo(low, 10);
    expect(control?.ratio.high).toBeCloseTo(high, 10);
    expect(control?.rounds).toBe(8);
    expect(control?.controls).toEqual([...first, ...second].map(({ id }) => id));
  });

  test('without a control, or before its first round, there is none', () => {
    expect(judgeControl(arms)).toBeUndefined();
    expect(judgeControl([...arms, ...controlsOf(1, steady).map(one => ({ ...one, rounds: [] }))])).toBe(
      undefined,
    );
  });

  test.each([
    [0.97, 1.04, /right\. They do not differ measurably\.$/],
    [0.48, 2.54, /do not differ measurably, but the interval is wide/],
    [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, /the interval is wide/],
    [1.005, 1.03, /less than 2 %/],
    [1.03, 1.05, /more than 2 %, so the figures/],
  ])('a sentence says what the interval [%d, %d] means', (low, high, meaning) => {
    expect(describeControl({ ratio: { median: 1, low, high }, rounds: 6, controls: [] })).toMatch(meaning);
  });

  test.each([
    [{ median: 1, low: 0.97, high: 1.04 }, true],
    [{ median: 1.03, low: 1.02, high: 1.05 }, true],
    [{ median: 1.03, low: 1.021, high: 1.05 }, false],
    [{ median: 0.9, low: 0.8, high: 0.979 }, false],
    // Too few rounds for a verdict are too few to object to one.
    [{ median: 1.5, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }, true],
  ])('an interval that lies wholly outside of 0.98 to 1.02 is a flaw: %j', (ratio, isSound) => {
    expect(findControlFlaw({ ratio, rounds: 6, controls: [] }) === null).toBe(isSound);
  });
});

describe('a verdict needs a run that takes two identical arms for identical', () => {
  const verdictOf = (result: Result) => find('C1', result.claims);

  test('controls that agree with their twins change no verdict and no figure', () => {
    const alone = buildResult(arms);
    expect(verdictOf(alone).verdict).toBe('supported');
    expect(withControls(controlsOf(4, steady)).claims).toEqual(alone.claims);
  });

  test('controls that differ leave every verdict open, without a figure', () => {
    const claim = verdictOf(withControls(controlsOf(4, off)));
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, low: null, high: null });
    expect(claim.reason).toContain('supported');
    const untested = withControls(controlsOf(4, off)).claims.filter(
      ({ verdict }) => verdict === 'not tested',
    );
    expect(untested).toEqual(buildResult(arms).claims.filter(({ verdict }) => verdict === 'not tested'));
  });

  test('a side whose controls differ leaves the verdicts on two servers open', () => {
    const sideOf = (server: string, factors: readonly number[]): Result => {
      const result = withControls(controlsOf(4, factors));
      const { target } = result;
      return {
        ...result,
        session: 'one',
        target: { ...target, detected: { ...target.detected, server } },
      };
    };
    const sound = judgeVersusClaims([sideOf('redis', steady), sideOf('valkey', steady)]);
    const unsound = judgeVersusClaims([sideOf('redis', steady), sideOf('valkey', off)]);
    expect(find('C9', sound).gist).not.toMatch(/two identical arms/i);
    expect(find('C9', unsound)).toMatchObject({ verdict: 'inconclusive', measured: null });
    expect(find('C9', unsound).gist).toMatch(/two identical arms/i);
  });
});

describe('a control is shown as what it is, and nowhere as an arm', () => {
  const result = withControls(controlsOf(12, steady));
  const alone = buildResult(arms);

  test('no pairing has it: not those of claims, nor those of two results', () => {
    const compared = result.claims.flatMap(({ comparisons }) =>
      comparisons.flatMap(({ base, other }) => [base, other]),
    );
    expect(compared.filter(id => id.endsWith('-control'))).toEqual([]);
    expect(withoutControls(result)).toEqual(alone.scenarios);
    const both = compareResults([result, result]);
    expect(both.scenarios.map(({ id }) => id)).toEqual(arms.map(({ id }) => id));
    expect(both.sides.map(({ control }) => control)).toEqual([result.control, result.control]);
  });

  test('no table, chart or file has it, and outliers are not sought in it', () => {
    const texts = [
      renderMarkdown(resultDocument(result)),
      renderTerminal(resultDocument(result), false),
      renderReportPage(result),
      renderScenariosCsv(result),
      renderSeriesCsv(result),
      renderHlog(result),
      renderMarkdown(comparisonDocument(compareResults([result, result]))),
    ];
    for (const text of texts) expect(text).not.toMatch(/workers-control/);
    expect(derivedFiles(result).map(({ path }) => path)).toEqual(derivedFiles(alone).map(({ path }) => path));
    expect(findOutliers(result)).toEqual(findOutliers(alone));
  });

  test('its ratio stands in the terminal, the report, the page and the comparison', () => {
    const line = /Two identical arms(?: on redis)?: ×1\.00 \[0\.98, 1\.02\]/;
    expect(renderTerminal(resultDocument(result), false)).toMatch(line);
    expect(renderMarkdown(resultDocument(result))).toMatch(line);
    expect(renderReportPage(result)).toMatch(line);
    expect(renderMarkdown(comparisonDocument(compareResults([result, result])))).toMatch(line);
    expect(renderMarkdown(resultDocument(alone))).not.toMatch(/identical arms/);
  });
});
