import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeFromCompressedBase64,
  HistogramLogReader,
  HistogramLogWriter,
  listTags,
} from 'hdr-histogram-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Result, resultSchema } from '../../src/aggregate/result.ts';
import { mergeLatencies } from '../../src/aggregate/stats/histogram.ts';
import { failedOf } from '../../src/aggregate/stats/metrics.ts';
import { calm } from '../support/experiment.ts';
import { parseCsv } from '../support/parse-csv.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { shareServer } from '../support/servers.ts';

/** A figure of a histogram, which has three digits, in a file with three decimals. */
const about = (value: number) =>
  expect.toSatisfy((found: number) => Math.abs(found - value) <= 0.002 + value * 0.001, `about ${value}`);

const kinds = ['service', 'response'] as const;
const files = [
  'histograms',
  'histograms.hlog',
  'junit.xml',
  'report.html',
  'report.md',
  'result.json',
  'scenarios.csv',
  'series.csv',
  'server.csv',
];

/** One real run, whose folder all tests read. */
let home = '';
let folder = '';
let result: Result;
let stderr = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'poolbench-files-'));
  const server = await shareServer();
  const config = {
    name: 'files',
    target: { server: 'redis', url: server.url },
    workload: { keys: 200, commands: [{ command: 'GET {key}' }, { command: 'SET {key} {value}' }] },
    scenarios: [
      { client: 'wire', workers: [4, 6], ...calm },
      { client: 'wire', workers: 8, pools: 2, arrival: { kind: 'constant', rate: 200 } },
    ],
    rounds: 2,
    seconds: 0.3,
    warmupSeconds: 0,
    // No server is so fast.
    thresholds: { 'response.p50': '> 0us' },
  };
  await writeFile(join(home, 'config.json'), JSON.stringify(config));
  const outcome = await runPoolbench([join(home, 'config.json'), '--out', join(home, 'results')]);
  expect(outcome.code, outcome.stderr).toBe(0);
  stderr = outcome.stderr;
  const [only = ''] = await readdir(join(home, 'results'));
  folder = join(home, 'results', only);
  result = resultSchema.parse(JSON.parse(await read('result.json')));
});

afterAll(() => rm(home, { recursive: true, force: true }));

const read = (path: string) => readFile(join(folder, path), 'utf8');

test('the folder holds what the last line says', async () => {
  expect((await readdir(folder)).toSorted()).toEqual(files);
  expect((await readdir(join(folder, 'histograms'))).toSorted()).toEqual(
    result.scenarios.flatMap(({ id }) => kinds.map(kind => `${id}.${kind}.hgrm`)).toSorted(),
  );
  const written = /\nWritten: .*\/(result\.json.*)\n$/.exec(stderr)?.[1];
  expect(
    written
      ?.split(/, | and /)
      .map(name => name.replace('/', ''))
      .toSorted(),
  ).toEqual(files);
});

test('histograms.hlog read by hdr-histogram-js: every interval at its time, with the percentiles of its round', async () => {
  const log = await read('histograms.hlog');
  const ids = result.scenarios.map(({ id }) => id);
  expect(listTags(log).toSorted()).toEqual(ids.flatMap(id => kinds.map(kind => `${id}.${kind}`)).toSorted());
  const reader = new HistogramLogReader(log, 64);
  const seen: string[] = [];
  let latest = 0;
  for (;;) {
    const interval = reader.nextIntervalHistogram();
    if (interval === null) break;
    const [, id, kind] = /^(.*)\.(service|response)$/.exec(interval.tag) ?? [];
    const round = result.scenarios
      .find(scenario => scenario.id === id)
      ?.rounds.find(
        ({ startedAt }) => Math.abs(Date.parse(startedAt ?? '') - interval.startTimeStampMsec) < 1,
      );
    if (round === undefined) throw new Error(`no round of ${interval.tag} at ${interval.startTimeStampMsec}`);
    const times = round[kind === 'service' ? 'service' : 'response'];
    expect(interval.totalCount).toBe(times.count);
    for (const [percentile, ms] of [
      [50, times.p50],
      [90, times.p90],
      [99, times.p99],
      [99.9, times.p999],
      [100, times.max],
    ] as const)
      expect(interval.getValueAtPercentile(percentile)).toBe(Math.round(ms * 1e6));
    const lengthMs = interval.endTimeStampMsec - interval.startTimeStampMsec;
    expect(Math.abs(lengthMs - round.seconds * 1000)).toBeLessThanOrEqual(1);
    expect(interval.startTimeStampMsec).toBeGreaterThanOrEqual(latest);
    latest = interval.startTimeStampMsec;
    seen.push(`${interval.tag} ${round.round}`);
  }
  expect(new Set(seen).size).toBe(ids.length * 2 * 2);
  expect(latest).toBeLessThan(Date.parse(result.finishedAt));
});

test('its lines are those of HistogramLogWriter, without an empty one', async () => {
  const log = await read('histograms.hlog');
  const lines = log.trimEnd().split('\n');
  expect(lines).not.toContain('');
  const line = lines.find(text => text.startsWith('Tag=')) ?? '';
  const [tag = '', start, length, , encoded = ''] = line.split(',');
  const histogram = decodeFromCompressedBase64(encoded, 64, false);
  histogram.tag = tag.replace('Tag=', '');
  let written = '';
  const writer = new HistogramLogWriter(text => {
    written += text;
  });
  writer.outputLogFormatVersion();
  writer.outputLegend();
  writer.outputIntervalHistogram(histogram, Number(start), Number(start) + Number(length), 1e6);
  for (const expected of written.trimEnd().split('\n')) expect(lines).toContain(expected);
});

test('each .hgrm has the merged percentiles and the count of its scenario', async () => {
  for (const { id, rounds } of result.scenarios) {
    for (const kind of kinds) {
      const lines = (await read(`histograms/${id}.${kind}.hgrm`)).split('\n');
      const ticks = lines
        .slice(2)
        .filter(line => line !== '' && !line.startsWith('#'))
        .map(line => line.trim().split(/ +/).map(Number));
      const { summary } = mergeLatencies(rounds.map(({ histograms }) => histograms[kind]));
      const valueAt = (share: number) => ticks.find(([, percentile = 0]) => percentile >= share)?.[0];
      expect(valueAt(0.5)).toEqual(about(summary.p50));
      expect(valueAt(0.9)).toEqual(about(summary.p90));
      expect(ticks.at(-1)).toEqual([about(summary.max), 1, summary.count]);
      expect(summary.count).toBe(rounds.reduce((sum, round) => sum + round[kind].count, 0));
      const [, mean] = /^#\[Mean {4}= +([\d.]+), StdDeviation {3}= +[\d.]+\]$/.exec(lines.at(-4) ?? '') ?? [];
      expect(Number(mean)).toEqual(about(summary.mean));
      expect(lines.at(-3)).toContain(`Total count    = ${String(summary.count).padStart(12)}]`);
    }
  }
});

test('series.csv has every second of every round', async () => {
  const [names, ...rows] = parseCsv(await read('series.csv'));
  expect(names).toEqual([
    'scenario',
    'round',
    'roundStartedAt',
    'second',
    'completed',
    'failed',
    'responseP50Ms',
    'responseP99Ms',
    'population',
  ]);
  expect(rows).toEqual(
    result.scenarios.flatMap(({ id, rounds }) =>
      rounds.flatMap(({ round, startedAt, series }) =>
        series.map(({ second, completed, failed, p50, p99 }) =>
          [id, round, startedAt, second, completed, failed, p50 ?? '', p99 ?? '', ''].map(String),
        ),
      ),
    ),
  );
});

test('server.csv has what the server told, and whose window it was', async () => {
  const [names = [], ...rows] = parseCsv(await read('server.csv'));
  expect(names.slice(0, 4)).toEqual(['at', 'scenario', 'round', 'usedMemoryBytes']);
  const points = result.serverSeries?.points ?? [];
  // One at the start and one at the end; those between them depend on how long the run takes.
  expect(points.length).toBeGreaterThanOrEqual(2);
  expect(rows).toHaveLength(points.length);
  for (const [index, { at, usedMemoryBytes, netOutputBytes, replicationLagBytes }] of points.entries()) {
    const row = Object.fromEntries(names.map((name, column) => [name, rows[index]?.[column] ?? '']));
    expect(row).toMatchObject({
      at,
      usedMemoryBytes: String(usedMemoryBytes),
      netOutputBytes: String(netOutputBytes),
      replicationLagBytes: replicationLagBytes ?? '',
    });
    const own = result.scenarios.find(({ id }) => id === row.scenario)?.rounds;
    const startMs = Date.parse(own?.find(({ round }) => String(round) === row.round)?.startedAt ?? '');
    if (row.scenario === '') continue;
    expect(Date.parse(at) - startMs).toBeGreaterThanOrEqual(0);
    expect(Date.parse(at) - startMs).toBeLessThan(2000);
  }
});

test('what asking cost the server is in the report', async () => {
  const { asked = 0, unanswered, cost } = result.serverSeries ?? {};
  expect(unanswered).toBe(0);
  expect(cost?.calls).toBeGreaterThanOrEqual(asked);
  expect(cost?.micros).toBeGreaterThan(0);
  expect(await read('report.md')).toMatch(/INFO commands of [\d.]+ µs each/);
});

test('scenarios.csv has the parameters, medians and limit of every scenario', async () => {
  const [names = [], ...rows] = parseCsv(await read('scenarios.csv'));
  expect(rows).toHaveLength(result.scenarios.length);
  for (const [index, scenario] of result.scenarios.entries()) {
    const row = Object.fromEntries(names.map((name, column) => [name, rows[index]?.[column] ?? '']));
    const { summary, rounds, arrival, limitedBy } = scenario;
    const sum = (count: (round: (typeof rounds)[number]) => number) =>
      rounds.reduce((total, round) => total + count(round), 0);
    const expected = {
      scenario: scenario.id,
      client: scenario.client,
      pool: scenario.pool,
      pools: scenario.pools,
      workers: scenario.workers,
      connections: scenario.connections,
      arrival: arrival.kind,
      rate: arrival.rate ?? '',
      batchPool: 'none',
      rounds: 2,
      completed: sum(({ completed }) => completed),
      failed: sum(failedOf),
      opsPerSecond: summary?.opsPerSecond.median,
      opsPerSecondLow: summary?.opsPerSecond.low,
      opsPerSecondHigh: summary?.opsPerSecond.high,
      responseP99Ms: summary?.responseP99?.median,
      responseP99LowMs: summary?.responseP99?.low,
      responseP999HighMs: summary?.responseP999?.high,
      serviceP50Ms: summary?.serviceP50?.median,
      limitedBy: limitedBy.resource,
      evidence: limitedBy.evidence,
    };
    // An end of an interval is unbounded if a busy machine left something unsent.
    const cell = (value: unknown) =>
      Math.abs(Number(value)) === Number.POSITIVE_INFINITY ? '' : String(value);
    for (const [name, value] of Object.entries(expected)) expect(row[name], name).toBe(cell(value));
  }
});

test('--as memtier has the keys and figures that its readers look for', async () => {
  const [scenario] = result.scenarios;
  if (scenario === undefined) throw new Error('no scenario');
  const { code, stdout, stderr } = await runPoolbench([
    'report',
    folder,
    '--as',
    'memtier',
    '--scenario',
    scenario.id,
  ]);
  expect(code, stderr).toBe(0);
  const document = JSON.parse(stdout);
  const { Totals: all, Gets: gets, Sets: sets, Runtime: runtime } = document['ALL STATS'];
  const { rounds } = scenario;
  const encoded = rounds.map(({ histograms }) => histograms.response);
  const { summary } = mergeLatencies(encoded);
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  // What completes behind the end of a window is in the count, and in no throughput.
  const inWindows = rounds.reduce((sum, round) => sum + round.opsPerSecond * round.seconds, 0);
  expect(document).toMatchObject({
    configuration: { server: '127.0.0.1', threads: 1, clients: 4, pipeline: 1, key_maximum: 200 },
    'run information': { Threads: 1, 'Connections per thread': 8 },
    poolbench: { scenario: scenario.id },
  });
  expect(runtime).toMatchObject({ 'Total duration': Math.round(seconds * 1000), Interrupted: 'false' });
  expect(all).toMatchObject({
    Count: summary.count,
    'Ops/sec': expect.closeTo(inWindows / seconds, 3),
    Latency: summary.mean,
    'Average Latency': summary.mean,
    'Max Latency': summary.max,
    'Percentile Latencies': { 'p50.00': summary.p50, 'p99.00': summary.p99, 'p99.90': summary.p999 },
    'KB/sec': null,
  });
  // What memtier's own tests hold its file to.
  expect(all['Accumulated Latency'] / all.Count).toEqual(about(all.Latency));
  expect(gets.Count + sets.Count).toBe(all.Count);
  expect(gets['Hits/sec'] + gets['Misses/sec']).toBeCloseTo(gets['Ops/sec'], 3);
  expect(gets['Percentile Latencies']['p50.00']).toBeGreaterThan(0);
  const slots = Object.values<{ Count: number }>(all['Time-Serie']);
  expect(slots.reduce((sum, { Count }) => sum + Count, 0)).toBe(all.Count);
  const micros = decodeFromCompressedBase64(
    all['Percentile Latencies']['Histogram log format']['Compressed Histogram'],
    64,
  );
  expect(micros.totalCount).toBe(summary.count);
  expect(micros.getValueAtPercentile(99) / 1000).toEqual(about(summary.p99));
});
