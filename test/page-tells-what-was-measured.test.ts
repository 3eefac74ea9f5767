import { expect, test } from 'vitest';
import { renderReportPage } from '../src/aggregate/report/html/report-page.ts';
import { percentileCurve } from '../src/aggregate/report/html/sections/latency.ts';
import type { ScenarioResult } from '../src/aggregate/result.ts';
import { withMerged } from '../src/aggregate/stats/histogram.ts';
import { buildFullResult } from './support/full-result.ts';
import { rowsOf, tipsOf } from './support/page-text.ts';

const result = buildFullResult();
const page = renderReportPage(result);
const tips = tipsOf(page);

const number = (text: string | undefined) => Number((text ?? '').replaceAll(',', ''));
const numbersIn = (text: string | undefined) =>
  [...(text ?? '').matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([one]) => number(one));

function find(client: string, workers: number, pools: number): ScenarioResult {
  const found = result.scenarios.find(
    one => one.client === client && one.workers === workers && one.pools === pools,
  );
  if (found === undefined) throw new Error('no such scenario');
  return found;
}

test('every scenario has its row among the results, the limits, the pools and the accounts', () => {
  for (const [section, column] of [
    ['what-limited-it', 0],
    ['pools', 0],
    ['target-and-environment', 0],
  ] as const) {
    const ids = rowsOf(page, section).map(row => row[column]);
    for (const { id } of result.scenarios) expect(ids, section).toContain(id);
  }
  const results = rowsOf(page, 'throughput').filter(row => row.length > 10);
  expect(results).toHaveLength(result.scenarios.length + 1);
});

test('the chart of throughput tells the medians and intervals of result.json', () => {
  const tip = tips.find(([head, first]) => head === '50 workers' && first?.endsWith('ops/s'));
  const { median, low, high } = find('ioredis', 50, 1).summary?.opsPerSecond ?? {};
  expect(numbersIn(tip?.[1]?.replace('1 pool', ''))).toEqual([median, low, high]);
  const other = find('ioredis', 50, 2).summary?.opsPerSecond;
  expect(numbersIn(tip?.[2]?.replace('2 pools', ''))).toEqual([other?.median, other?.low, other?.high]);
});

test('the table behind it has the same', () => {
  const rows = rowsOf(page, 'throughput').filter(([head]) => head === '100 workers');
  const { median, low, high } = find('ioredis', 100, 1).summary?.opsPerSecond ?? {};
  expect(numbersIn(rows[0]?.[1])).toEqual([median, low, high]);
});

test('percentiles are those of the histograms of all rounds', () => {
  const { rounds } = find('ioredis', 10, 1);
  const encoded = rounds.map(({ histograms }) => histograms.response);
  const p99 = withMerged(encoded, merged => merged.getValueAtPercentile(99) / 1e6);
  const longest = withMerged(encoded, merged => merged.getValueAtPercentile(100) / 1e6);
  const curve = percentileCurve(encoded);
  expect(curve?.points.find(({ percentile }) => percentile === 99)?.ms).toBeCloseTo(p99, 6);
  expect(curve?.maxMs).toBeCloseTo(longest, 6);
  expect(curve?.count).toBe(2000);
  const tip = tips.find(([head, first]) => head === 'p99' && first?.startsWith('1 pool: response'));
  expect(number(/response ([\d.]+)/.exec(tip?.[1] ?? '')?.[1])).toBeCloseTo(p99, 5);
  // 2,000 values tell nothing of a percentile that fewer than one of them lies beyond.
  expect(curve?.points.at(-1)?.percentile).toBe(99.925);
});

test('what is no histogram makes no curve and no harm', () => {
  expect(percentileCurve(['', ''])).toBeNull();
});

test('the series tells each second of each round, with what failed', () => {
  const { rounds } = find('wire', 100, 2);
  const last = rounds.at(-1)?.series[0];
  const told = tips.filter(([head]) => head === 'round 5, second 0').map(([, ...rest]) => rest);
  expect(told).toHaveLength(result.scenarios.length);
  expect(told.map(([first]) => numbersIn(first)[0])).toContain(last?.completed);
  for (const lines of told) expect(lines[1]).toBe('failed: 3');
});

test('utilization is the mean over the rounds', () => {
  const { rounds } = find('ioredis', 10, 1);
  const active = rounds.map(({ poolMetrics }) => poolMetrics.utilization[0]?.active ?? 0);
  const mean = active.reduce((sum, one) => sum + one, 0) / active.length;
  const tip = tips.find(([head, first]) => head === '0 to 100 ms' && numbersIn(first)[2] === 20);
  expect(numbersIn(tip?.[1])[0]).toBeCloseTo(mean, 5);
});

test('a claim is told with its verdict, its figure and its predicted range on the axis', () => {
  const [claim] = result.claims;
  const tip = tips.find(([head]) => head === claim?.id);
  expect(numbersIn(tip?.[2])[0]).toBeCloseTo(claim?.measured ?? 0, 5);
  expect(tip?.[3]).toBe('predicted: ×1.05 or more');
  expect(tip?.[4]).toBe(claim?.verdict);
});

test('the config is there as it was, with the seed and the command that repeats the run', () => {
  const full = buildFullResult(
    { workers: [10], pools: [1], clients: ['wire'], rounds: 1 },
    { name: 'my run', seed: 42, config: { name: 'my run', note: '</code>' } },
  );
  const text = renderReportPage(full);
  expect(text).toContain(
    '{\n  &quot;name&quot;: &quot;my run&quot;,\n  &quot;note&quot;: &quot;&lt;/code&gt;&quot;\n}',
  );
  expect(text).toContain('npm start -- my-run.json');
  expect(text).toContain('seed is 42');
});
