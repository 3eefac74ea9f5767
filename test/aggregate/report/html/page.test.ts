import { describe, expect, test } from 'vitest';
import { compareResults } from '../../../../src/aggregate/comparison/compare-results.ts';
import { renderComparisonPage } from '../../../../src/aggregate/report/html/comparison-page.ts';
import { renderReportPage } from '../../../../src/aggregate/report/html/report-page.ts';
import { percentileCurve } from '../../../../src/aggregate/report/html/sections/latency.ts';
import type { RoundResult, ScenarioResult } from '../../../../src/aggregate/result.ts';
import { withMerged } from '../../../../src/aggregate/stats/histogram.ts';
import { buildFullResult } from '../../../support/full-result.ts';
import { buildStagedScenario } from '../../../support/open-loop-round.ts';
import { explanationsOf, rowsOf, tipsOf } from '../../../support/page-text.ts';
import {
  buildLatency,
  buildResult,
  buildRound,
  buildScenario,
  buildServerSeries,
  standInTarget,
} from '../../../support/result-builder.ts';

describe('the figures of a page', () => {
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

  test('the chart of throughput shows the medians and intervals of result.json', () => {
    const tip = tips.find(([head, first]) => head === '50 workers' && first?.endsWith('ops/s'));
    const { median, low, high } = find('ioredis', 50, 1).summary?.opsPerSecond ?? {};
    expect(numbersIn(tip?.[1]?.replace('1 pool', ''))).toEqual([median, low, high]);
    const other = find('ioredis', 50, 2).summary?.opsPerSecond;
    expect(numbersIn(tip?.[2]?.replace('2 pools', ''))).toEqual([other?.median, other?.low, other?.high]);
  });

  test('a lower bound has its sign in the chart of each scenario, its tip and its table', () => {
    const rounds = [1, 2, 3].map(round => ({ ...buildRound(round, 1000), unfinished: 500 }));
    const bounded = renderReportPage(buildResult([buildScenario({ workers: 1 }, rounds)]));
    const tip = tipsOf(bounded).find(lines => lines.some(line => /^≥[\d.,]+ .*ms$/.test(line)));
    expect(tip).toBeDefined();
    const chart = bounded.slice(bounded.indexOf('Response p99 of each scenario'));
    const [drawn = ''] = chart.split('</figure>');
    expect(drawn).toContain('≥25.0 [25.0, 25.0]</span>');
    expect(drawn).toContain('≥25 [25, 25]</table>');
    const side = buildResult([buildScenario({ workers: 1 }, rounds)]);
    expect(renderComparisonPage(compareResults([side, side]))).toContain('<span>≥25.0 [25.0, 25.0]</span>');
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
    expect(curve?.count).toBe(2400);
    const tip = tips.find(([head, first]) => head === 'p99' && first?.startsWith('1 pool: response'));
    expect(number(/response ([\d.]+)/.exec(tip?.[1] ?? '')?.[1])).toBeCloseTo(p99, 5);
    // 2,400 values tell nothing of a percentile that fewer than one of them lies beyond.
    expect(curve?.points.at(-1)?.percentile).toBe(99.95);
  });

  test('what is no histogram makes no curve and no harm', () => {
    expect(percentileCurve(['', ''])).toBeNull();
  });

  test('the series shows each second of each round, with what failed', () => {
    const { rounds } = find('wire', 100, 2);
    const last = rounds.at(-1)?.series[0];
    const told = tips.filter(([head]) => head === 'round 6, second 0').map(([, ...rest]) => rest);
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

  test('a claim is shown with its verdict, its figure and its predicted range on the axis', () => {
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
});

describe('the server over time', () => {
  const at = (second: number) => ({ startedAt: `2026-11-23T10:00:0${second}.200Z`, seconds: 0.5 });
  const scenario = buildScenario({ id: 'load' }, [buildRound(1, 10, at(1)), buildRound(2, 10, at(3))]);
  const titlesOf = (page: string) =>
    [
      ...(page.split('id="the-server-over-time"')[1]?.split('</section>')[0] ?? '').matchAll(
        /<figcaption><b>([^<]*)/g,
      ),
    ].map(([, title]) => title);

  test('has a chart of all that was ever above 0, with what was measured at that time', () => {
    const serverSeries = buildServerSeries([
      { usedMemoryBytes: 1000, evictedKeys: 7, expiredKeys: 0, latestForkMicros: 0 },
      { usedMemoryBytes: 3000, evictedKeys: 7, expiredKeys: 0, latestForkMicros: 0 },
      { usedMemoryBytes: 2000, evictedKeys: 57, expiredKeys: 0, latestForkMicros: 0 },
    ]);
    const page = renderReportPage(buildResult([scenario], { serverSeries }));
    expect(titlesOf(page)).toEqual(['Memory', 'Keys evicted and expired']);
    expect(tipsOf(page)).toContainEqual(['2.0 s; round 1 of load', 'memory in use: 2,000 bytes']);
    expect(tipsOf(page)).toContainEqual(['1.0 s', 'evicted keys: 0 keys/s']);
    expect(tipsOf(page)).toContainEqual(['2.0 s; round 1 of load', 'evicted keys: 50 keys/s']);
    expect(page.match(/class="span"/g)?.length).toBeGreaterThanOrEqual(2);
    const rows = rowsOf(page, 'the-server-over-time');
    expect(rows).toContainEqual(['Memory in use', 'bytes', '1.00k', '2.00k', '1.00k', '3.00k', '–']);
    expect(rows).toContainEqual(['Evicted keys', 'keys/s', '0', '50', '0', '50', '50']);
    expect(page).toContain('20 INFO commands of 50.0 µs each');
  });

  test('of a long run has the maximum of some seconds together, and none of the gap before it was resumed', () => {
    const told = Array.from({ length: 600 }, (_, second) => ({
      usedMemoryBytes: second === 301 ? 9e6 : 1e6,
    }));
    const series = buildServerSeries(told);
    const later = series.points.map((point, second) => {
      const gapMs = second < 300 ? 0 : 3_600_000;
      return { ...point, at: new Date(Date.parse(point.at) + gapMs).toISOString() };
    });
    const page = renderReportPage(
      buildResult([scenario], {
        serverSeries: { ...series, points: later },
        resumed: [{ at: '2026-11-23T11:04:59.500Z', afterRounds: 1, gapSeconds: 3600 }],
      }),
    );
    const tips = tipsOf(page).filter(lines => lines[1]?.startsWith('memory in use'));
    expect(tips).toHaveLength(120);
    expect(tips.at(-1)?.[0]).toBe('599.0 s');
    expect(tips.filter(([, text]) => text === 'memory in use: 9,000,000 bytes')).toHaveLength(1);
  });

  test('is no section of a result without it', () => {
    expect(renderReportPage(buildResult([scenario]))).not.toContain('the-server-over-time');
  });
});

describe('the alerts of a page', () => {
  /** The part above the first section, and the part below the last. */
  function ends(page: string): { top: string; end: string } {
    return { top: page.split('<main>')[0]?.split('</style>')[1] ?? '', end: page.split('</main>')[1] ?? '' };
  }

  const failing = () =>
    buildRound(1, 0, {
      issued: 10,
      failed: { OOM: 10 },
      series: [{ second: 0, completed: 0, failed: 10, p50: null, p99: null }],
    });

  test('a stand-in is named at the top and at the end, of a comparison too', () => {
    const banner = /STAND-IN: .* redis 7\.0\.15, .* dragonfly\./;
    const result = buildFullResult({ rounds: 1 }, { target: standInTarget });
    for (const page of [renderReportPage(result), renderComparisonPage(compareResults([result, result]))]) {
      expect(ends(page).top).toMatch(banner);
      expect(ends(page).end).toMatch(banner);
    }
  });

  test('an interrupted run, one without rounds, and one of nothing but failures are pages that say so', () => {
    const some = renderReportPage(
      buildFullResult(
        { rounds: 2 },
        { complete: false, config: { thresholds: { 'response.p99': '< 5ms' } } },
      ),
    );
    expect(ends(some).top).toContain('INCOMPLETE: ');
    expect(ends(some).top).toContain('Thresholds: not judged');
    expect(ends(renderReportPage(buildResult([]))).top).toContain('NOTHING MEASURED');
    expect(ends(renderReportPage(buildResult([buildScenario({}, [])], { complete: false }))).top).toContain(
      'INCOMPLETE',
    );
    const failed = renderReportPage(
      buildResult([buildScenario({}, [failing(), { ...failing(), round: 2 }])]),
    );
    expect(ends(failed).top).toContain('NOTHING COMPLETED');
    expect(failed).toContain('nothing completed');
    expect(failed).toContain('class="outage"');
  });

  test('no page has a figure that is none', () => {
    const pages = [
      renderReportPage(buildResult([])),
      renderReportPage(buildResult([buildScenario({}, [])])),
      renderReportPage(buildResult([buildScenario({}, [failing()])])),
      renderReportPage(buildResult([buildScenario({}, [buildRound(1, 100, { seconds: 0, series: [] })])])),
      renderReportPage(buildFullResult()),
      renderReportPage(buildFullResult({ rounds: 1 }, { serverSeries: buildServerSeries([]) })),
      renderReportPage(buildFullResult({ rounds: 1 }, { serverSeries: buildServerSeries([{}, {}]) })),
      renderReportPage(
        buildFullResult({ rounds: 1 }, { serverSeries: buildServerSeries([{ usedMemoryBytes: 1 }]) }),
      ),
      renderComparisonPage(compareResults([buildResult([]), buildResult([])])),
    ];
    for (const page of pages)
      expect(page.replace(/<script>.*<\/script>/s, '')).not.toMatch(/NaN|Infinity|undefined|null/);
  });

  test('a comparison of nothing says so', () => {
    const page = renderComparisonPage(compareResults([buildResult([]), buildResult([])]));
    expect(ends(page).top).toContain('NOTHING TO COMPARE');
  });

  test('each part of a page explains its marks once, of a comparison too', () => {
    const stalled = buildResult([
      buildScenario(
        { workers: 100 },
        [1, 2, 3, 4, 5, 6].map(round => buildRound(round, 10_000)),
      ),
    ]);
    const explained = [
      renderReportPage(stalled),
      renderComparisonPage(compareResults([stalled, stalled])),
    ].map(page => explanationsOf(page, '†'));
    // The section of throughput and its table; the sections of differences and of both sides, and the table of the first.
    expect(explained).toEqual([
      [1, 1],
      [1, 1, 1],
    ]);
  });

  test('a line chart marks a figure in its drawing, its tip and its table', () => {
    const rounds = (perSecond: number) =>
      [1, 2, 3].map(round => ({ ...buildRound(round, perSecond), unfinished: 500 }));
    const page = renderReportPage(
      buildResult([
        buildScenario({ workers: 10 }, rounds(1000)),
        buildScenario({ workers: 20 }, rounds(2000)),
      ]),
    );
    const [drawn = ''] = page.slice(page.indexOf('Response p99 against workers')).split('</figure>');
    expect(drawn.match(/class="sign"[^>]*>≥†</g)).toHaveLength(2);
    expect(tipsOf(drawn).map(([, line]) => line)).toEqual([
      expect.stringMatching(/: ≥[\d.]+† \[.* ms$/),
      expect.stringMatching(/: ≥[\d.]+† \[.* ms$/),
    ]);
    expect(drawn.match(/<td>≥[\d.]+† \[/g)).toHaveLength(2);
    expect(new Set(explanationsOf(page, '≥'))).toEqual(new Set([1]));
    const [throughput = ''] = page.slice(page.indexOf('Throughput against workers')).split('</figure>');
    expect(throughput).not.toContain('≥');
  });

  test('a certificate that was not checked, a crossed threshold and every warning are shown', () => {
    const page = renderReportPage(
      buildFullResult(
        { rounds: 1 },
        {
          warnings: ['odd', 'very odd'],
          target: { ...buildResult([]).target, unverified: true },
          thresholds: [{ metric: 'opsPerSecond', condition: '> 1', scenario: null, value: 0, crossed: true }],
        },
      ),
    );
    expect(ends(page).top).toContain('NOT VERIFIED: ');
    expect(ends(page).end).toContain('NOT VERIFIED: ');
    expect(ends(page).top).toContain('crossed: 1 of 1');
    expect(page).toContain('<li>Odd.</li><li>Very odd.</li>');
  });

  test('an open loop is shown against its load, with backlog and lag', () => {
    const lag = buildLatency(100, 0.02);
    const at = (rate: number): RoundResult =>
      buildRound(1, rate, {
        openLoop: {
          rate,
          offered: rate,
          sent: rate,
          completed: rate,
          shortfall: 0,
          unsent: 0,
          largestBacklog: 17,
          oldestUnsentMs: 0,
          lag,
          lagHistogram: '',
          spinShare: 0.5,
        },
      });
    const page = renderReportPage(
      buildResult(
        [1000, 2000].map(rate =>
          buildScenario({ id: `open${rate}`, arrival: { kind: 'poisson', rate } }, [at(rate)]),
        ),
      ),
    );
    const [load = ''] = page.split('<section id="load"').slice(1);
    expect(load.split('</section>')[0]?.match(/<figure /g)).toHaveLength(4);
    expect(tipsOf(page).flat()).toContainEqual(expect.stringMatching(/: 17 operations$/));
    expect(tipsOf(page).flat()).toContainEqual(expect.stringMatching(/: 0\.05 ms$/));
  });

  test('stages have a section with charts of their own, and no curve with one load in it', () => {
    const page = renderReportPage(buildResult([buildStagedScenario()]));
    const chartsOf = (id: string) =>
      page
        .split(`<section id="${id}"`)[1]
        ?.split('</section>')[0]
        ?.match(/<figure /g)?.length ?? 0;
    expect(page).toContain('<a href="#stages">');
    expect([chartsOf('load'), chartsOf('stages')]).toEqual([0, 3]);
    expect(tipsOf(page)).toContainEqual([
      '1000/s to 7000/s, 0.5 to 1 s',
      'due: 4,000 [4,000, 4,000] ops/s',
      'completed, also after the stage: 3,800 [3,800, 3,800] ops/s',
    ]);
    expect(rowsOf(page, 'stages')).toContainEqual(
      expect.arrayContaining(['0.5 to 1', '1000/s to 7000/s', '2,000', '≥20.0']),
    );
  });
});
