import { expect, test } from 'vitest';
import { compareResults } from '../../../src/aggregate/comparison/compare-results.ts';
import { comparisonSchema } from '../../../src/aggregate/comparison/schema.ts';
import { renderScenariosCsv } from '../../../src/aggregate/report/files/csv.ts';
import { memtierDocument } from '../../../src/aggregate/report/files/memtier.ts';
import { resultSchema } from '../../../src/aggregate/result.ts';
import { mergeLatencies } from '../../../src/aggregate/stats/histogram.ts';
import {
  comparedMetrics,
  csvMetrics,
  csvNames,
  findMetric,
  latencyNames,
  metrics,
  percentileKeys,
  percentiles,
  pooledTails,
  type RatioMetric,
  summaryMetrics,
} from '../../../src/aggregate/stats/metrics.ts';
import { summarise, withPooledTails } from '../../../src/aggregate/stats/summary.ts';
import { thresholds } from '../../../src/main/experiment/thresholds.ts';
import { encodeHistogram } from '../../support/encoded-histogram.ts';
import { parseCsv } from '../../support/parse-csv.ts';
import { buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

const rows = Object.values(metrics);
const rounds = [300, 100, 200].map((rate, round) => buildRound(round + 1, rate));
const result = buildResult([buildScenario({}, rounds)]);

test('every metric can be a threshold, with the condition that its kind gives as an example', () => {
  for (const [name, { kind }] of Object.entries(metrics))
    expect(thresholds.safeParse({ [name]: kind.example })).toMatchObject({ success: true });
});

test('a name that is none is no metric, whatever objects inherit', () => {
  expect(findMetric('response.p99')).toBe(metrics['response.p99']);
  for (const name of ['response.p98', 'toString', '__proto__']) expect(findMetric(name)).toBeUndefined();
});

test('metrics have unique names and keys', () => {
  const told = (values: readonly (string | undefined)[]) => values.filter(value => value !== undefined);
  for (const key of ['name', 'summaryKey', 'ratioKey'] as const) {
    const values = told(rows.map(row => (row as Partial<Record<typeof key, string>>)[key]));
    expect(new Set(values).size).toBe(values.length);
  }
});

test('the summary and its schema have every metric that has a key there', () => {
  const keys = summaryMetrics.map(({ summaryKey }) => summaryKey);
  const ofRounds = rows.flatMap(row => ('summaryKey' in row ? [row.summaryKey] : []));
  const ofAll = Object.values(pooledTails).map(({ summaryKey }) => summaryKey);
  expect(new Set(keys)).toEqual(new Set([...ofRounds, ...ofAll]));
  expect(new Set(Object.keys(withPooledTails(summarise(rounds), rounds) ?? {}))).toEqual(new Set(keys));
  const { summary } = resultSchema.shape.scenarios.element.shape;
  expect(Object.keys(summary.unwrap().shape)).toEqual(keys);
});

test('the CSV has the columns of every metric of the summary', () => {
  expect(new Set(csvMetrics)).toEqual(new Set(summaryMetrics));
  const [head = []] = parseCsv(renderScenariosCsv(result));
  for (const metric of csvMetrics) {
    const { median, low, high } = csvNames(metric);
    expect(head).toContain(median);
    expect(head.includes(low)).toBe('ofRound' in metric);
    expect(head.includes(high)).toBe('ofRound' in metric);
  }
});

test('a comparison has figure and ratio of every metric that is compared', () => {
  const [{ sides: [, side] = [] } = {}] = comparisonSchema.parse(
    JSON.parse(JSON.stringify(compareResults([result, result]))),
  ).scenarios;
  expect(comparedMetrics.length).toBeGreaterThan(0);
  for (const { summaryKey, ratioKey } of comparedMetrics) {
    expect(side?.[summaryKey]).toEqual(result.scenarios[0]?.summary?.[summaryKey]);
    expect(side?.ratios).toHaveProperty(ratioKey);
  }
});

test('every latency has every percentile, in ascending order', () => {
  const { summary } = mergeLatencies([encodeHistogram([1, 2, 3, 4, 100])]);
  expect(Object.keys(summary)).toEqual(['count', 'mean', ...percentileKeys, 'max']);
  const figures = percentileKeys.map(key => summary[key] ?? Number.NaN);
  expect(figures).toEqual(figures.toSorted((a, b) => a - b));
  const { round } = { round: resultSchema.shape.scenarios.element.shape.rounds.element.shape };
  for (const latency of latencyNames) expect(Object.keys(round[latency].shape)).toEqual(Object.keys(summary));
});

test('memtier is given every percentile under the name that memtier would give it', () => {
  const [scenario] = result.scenarios;
  if (scenario === undefined) throw new Error('expected a scenario');
  const stats = memtierDocument(result, scenario)['ALL STATS'] as Record<string, Record<string, object>>;
  expect(Object.keys(stats.Totals?.['Percentile Latencies'] ?? {})).toEqual([
    ...percentileKeys.map(key => `p${percentiles[key].percentile.toFixed(2)}`),
    'Histogram log format',
  ]);
});

test('a ratio of sums uses only figures that rounds of every version have: a missing count would be taken for 0', () => {
  const { failedShare } = metrics;
  // @ts-expect-error a later version cannot add such a metric, but only a median, which can be null
  const later: RatioMetric = { ...failedShare, since: '0.13' };
  expect(later.part({ ...(rounds[0] ?? expect.fail()), failed: {} })).toBe(0);
});
