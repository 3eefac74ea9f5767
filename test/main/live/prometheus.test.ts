import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serverFields } from '../../../src/aggregate/stats/server-fields.ts';
import { renderExposition } from '../../../src/main/live/exposition.ts';
import { LiveRun } from '../../../src/main/live/live-run.ts';
import { MetricsServer, parseListenAddress } from '../../../src/main/live/metrics-server.ts';
import { LatencyBuckets, maxScenarios, metricsOf } from '../../../src/main/live/run-metrics.ts';
import { SharedState } from '../../../src/workers/shared-state.ts';
import { anyText } from '../../support/any-text.ts';
import { metricValue, parseExposition } from '../../support/exposition.ts';
import { createHistogram, encodeHistogram } from '../../support/library-histogram.ts';
import { buildLatency, buildRound, buildServerSeries, standInTarget } from '../../support/result-builder.ts';
import { runMetrics } from '../../support/run-metrics.ts';

describe('exposition tells what the results do', () => {
  function encoded(latenciesMs: readonly number[]): string {
    const histogram = createHistogram(3);
    for (const ms of latenciesMs) histogram.recordValue(ms * 1e6);
    const text = encodeHistogram(histogram);
    histogram.destroy();
    return text;
  }

  function roundOf(latenciesMs: readonly number[]) {
    const count = latenciesMs.length;
    const mean = latenciesMs.reduce((sum, ms) => sum + ms, 0) / count;
    const latency = { ...buildLatency(count, 1), mean };
    const text = encoded(latenciesMs);
    return buildRound(1, count, {
      service: latency,
      response: latency,
      histograms: { service: text, response: text },
      failed: { OOM: 2 },
      unfinished: 1,
    });
  }

  const about = {
    tool: { name: 'poolbench', version: '1.2.3' },
    node: 'v20.0.0',
    targets: new Map([['', { ...standInTarget, unverified: true }]]),
    servers: new Map(),
  };
  const step = { round: 1, rounds: 2, index: 1, total: 1, threads: 1, warmupSeconds: 0, seconds: 1 };

  test('counters and histograms are those of the results; gauges those of the moment', () => {
    const run = new LiveRun(() => 5e9);
    const latencies = new LatencyBuckets();
    run.begin();
    const scrape = () => parseExposition(renderExposition(metricsOf(run.snapshot(), latencies, about)));
    const scenario = 'a "b" \\ c\nd';
    for (const latenciesMs of [
      [0.04, 0.3, 0.7, 3],
      [0.3, 20_000],
    ]) {
      const shared = SharedState.forThreads(1);
      run.follow(
        { ...step, scenario, course: { secondsDone: 0, secondsLeft: 1, measurementsLeft: 1 } },
        shared,
      );
      shared.openWindow(4e9);
      shared.release(4e9);
      shared.publish(0, {
        ...{ atNs: 5e9, warmupCompleted: 0, warmupFailed: 0, completed: 1, failed: 1, p99Ms: 2.5 },
        ...{ busyNs: 0.25e9, cpuNs: 0.25e9, connections: 8, idle: 3, waiting: 6 },
      });
      run.look();
      const now = scrape();
      expect(metricValue(now, 'poolbench_operations_per_second')).toBe(1);
      expect(metricValue(now, 'poolbench_response_p99_seconds')).toBe(0.0025);
      expect(metricValue(now, 'poolbench_pool_connections', { state: 'in_use' })).toBe(5);
      expect(metricValue(now, 'poolbench_pool_waiting_workers')).toBe(6);
      expect(metricValue(now, 'poolbench_thread_busy_ratio', { thread: '0' })).toBe(0.25);
      expect(metricValue(now, 'poolbench_left_seconds')).toBeGreaterThanOrEqual(0);
      const result = roundOf(latenciesMs);
      run.finished(result);
      latencies.add({ scenario }, result);
    }
    const end = scrape();
    expect(metricValue(end, 'poolbench_operations_completed_total')).toBe(6);
    expect(metricValue(end, 'poolbench_operations_failed_total', { code: 'OOM' })).toBe(4);
    expect(metricValue(end, 'poolbench_operations_unfinished_total')).toBe(2);
    expect(metricValue(end, 'poolbench_measurements_finished')).toBe(2);
    expect(metricValue(end, 'poolbench_operations_per_second')).toBeUndefined();
    for (const [le, count] of [
      ['0.00005', 1],
      ['0.00025', 1],
      ['0.0005', 3],
      ['0.001', 4],
      ['0.0025', 4],
      ['0.005', 5],
      ['10', 5],
      ['+Inf', 6],
    ] as const) {
      expect(metricValue(end, 'poolbench_response_seconds_bucket', { scenario, le }), le).toBe(count);
    }
    expect(metricValue(end, 'poolbench_service_seconds_count', { scenario })).toBe(6);
    expect(metricValue(end, 'poolbench_service_seconds_sum', { scenario })).toBeCloseTo(20.00434, 9);
    expect(end.get('poolbench_target_info')?.samples[0]?.labels).toMatchObject({
      declared: standInTarget.declared.server,
      server: standInTarget.detected.server,
      stand_in: 'true',
      unverified: 'true',
    });
  });

  test('of the server there is what it told last, and nothing once it does not answer', () => {
    const metrics = runMetrics();
    const scrape = () => parseExposition(renderExposition(metrics.now()));
    for (const { prometheus, kind, unit } of Object.values(serverFields)) {
      const name = `poolbench_${prometheus}${kind === 'counter' ? '_total' : ''}`;
      const family = scrape().get(name);
      expect(family?.type, name).toBe(kind);
      expect(family?.samples[0]?.labels).toEqual({ side: 'left' });
      if (unit === 'µs') expect(family?.samples[0]?.value).toBeLessThan(0.001);
      else expect(family?.samples[0]?.value).toBeGreaterThanOrEqual(1);
    }
    const [point] = buildServerSeries([{ evictedKeys: 12 }]).points;
    metrics.served('left', point ?? null);
    expect(metricValue(scrape(), 'poolbench_server_evicted_keys_total')).toBe(12);
    expect(metricValue(scrape(), 'poolbench_server_used_memory_bytes')).toBeUndefined();
    metrics.served('left', null);
    expect(metricValue(scrape(), 'poolbench_server_evicted_keys_total')).toBeUndefined();
  });

  test('scenarios are bounded: the rest are one', () => {
    const latencies = new LatencyBuckets();
    const round = roundOf([1]);
    for (let i = 0; i < maxScenarios + 3; i++) latencies.add({ scenario: `s${i}` }, round);
    latencies.add({ scenario: 's0' }, round);
    const counts = latencies.of('response');
    expect(counts).toHaveLength(maxScenarios + 1);
    expect(counts.at(0)).toMatchObject({ labels: { scenario: 's0' }, count: 2 });
    expect(counts.at(-1)).toMatchObject({ labels: { scenario: 'other' }, count: 3 });
  });

  test('a population has series of its own, so that those of the scenario stay what they are alone', () => {
    const metrics = parseExposition(renderExposition(runMetrics().now()));
    const seriesOf = (name: string, label: string) =>
      metrics.get(`poolbench_${name}`)?.samples.map(({ labels, value }) => [labels[label], value]);
    expect(seriesOf('operations_completed_total', 'population')).toEqual([
      [undefined, 3],
      ['bulk', 7],
    ]);
    expect(seriesOf('operations_failed_total', 'population')).toEqual([
      [undefined, 2],
      ['bulk', 2],
    ]);
    expect(seriesOf('pool_waiting_workers', 'population')).toEqual([
      [undefined, 6],
      ['bulk', 6],
    ]);
    const { samples = [] } = metrics.get('poolbench_response_seconds') ?? {};
    const counts = samples.filter(({ name }) => name.endsWith('_count')).map(({ labels }) => labels);
    const scenario = 'a "b"';
    expect(counts).toEqual([
      { suite: 'mixed', scenario },
      { suite: 'mixed', scenario: `${scenario}, population bulk`, population: 'bulk' },
    ]);
  });

  test('suites of a ledger that have a scenario alike are told apart', () => {
    const latencies = new LatencyBuckets();
    latencies.add({ suite: 'pool-size', scenario: 's' }, roundOf([1]));
    latencies.add({ suite: 'mixed', scenario: 's' }, roundOf([1, 2]));
    expect(latencies.of('service')).toMatchObject([
      { labels: { suite: 'pool-size', scenario: 's' }, count: 1 },
      { labels: { suite: 'mixed', scenario: 's' }, count: 2 },
    ]);
  });

  test('a label is read as it was, whatever is in it', () => {
    fc.assert(
      fc.property(anyText(), fc.string({ unit: 'binary-ascii' }), (a, b) => {
        const help = 'a\nb \\ c';
        const text = renderExposition([
          { name: 'm', type: 'gauge', help, samples: [{ labels: { a, b }, value: 1.5 }] },
        ]);
        const family = parseExposition(text).get('m');
        expect(family).toMatchObject({ type: 'gauge', help: 'a\\nb \\\\ c' });
        expect(family?.samples).toEqual([{ name: 'm', labels: { a, b }, value: 1.5 }]);
      }),
    );
  });
});

describe('metrics address is this machine unless told', () => {
  test.each([
    ['9400', { host: '127.0.0.1', port: 9400 }],
    ['0', { host: '127.0.0.1', port: 0 }],
    ['0.0.0.0:9400', { host: '0.0.0.0', port: 9400 }],
    ['localhost:9400', { host: 'localhost', port: 9400 }],
    ['[::1]:9400', { host: '::1', port: 9400 }],
  ])('%s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });

  test.each([
    '',
    'x',
    '65536',
    '-1',
    '9400x',
    ':9400',
    '::1:9400',
    '1.5',
    'http://127.0.0.1:9400',
    '9400/metrics',
  ])('"%s" is none', text => {
    expect(() => parseListenAddress(text)).toThrow(/expected --prometheus PORT, or HOST:PORT .*found/);
  });

  test('port 0 is a free port, which the URL shows', async () => {
    const server = await MetricsServer.open('0', runMetrics());
    onTestFinished(() => server.close());
    expect(server.url).toMatch(/:[1-9]\d*\/metrics$/);
    expect((await fetch(server.url)).status).toBe(200);
  });
});
