/**
 * The tables of docs/tuning.md: which arms of which suite they show, with which figures. `npm run findings` keeps their
 * cells beside a ledger, because the results that they are made of are too large for that.
 */
import { z } from 'zod';
import type { Result, RoundResult, ScenarioResult } from '../src/aggregate/result.ts';
import { withoutControls } from '../src/aggregate/stats/control.ts';
import {
  allServed,
  batchThroughput,
  type Measure,
  maxResponse,
  meanLatency,
  p50,
  p95,
  p99,
  p999,
  singlesP99,
  throughput,
} from '../src/aggregate/stats/measures.ts';
import { pairByRound } from '../src/aggregate/stats/rounds.ts';
import { medianInterval } from '../src/aggregate/stats/sign-test.ts';
import { median, sumOf } from '../src/aggregate/stats/statistics.ts';
import {
  formatCount,
  formatInterval,
  formatMs,
  formatRate,
  formatRatioInterval,
} from '../src/aggregate/text/format.ts';

/** The cells of a table, as text. */
const keptTable = z.object({
  columns: z.array(z.string()),
  rows: z.array(z.object({ name: z.string(), cells: z.array(z.string()) })),
});
export type KeptTable = z.infer<typeof keptTable>;

/** `tables.json` of a kept ledger: the tables of one server, by name. One of a suite without a result is absent. */
export const keptTablesSchema = z.record(z.string(), keptTable);
export type KeptTables = z.infer<typeof keptTablesSchema>;

interface Figure {
  readonly name: string;
  readonly cell: (scenario: ScenarioResult, all: readonly ScenarioResult[]) => string;
}

interface TuningTable {
  /** In its marker in docs/tuning.md. */
  readonly name: string;
  readonly suite: string;
  /** Name of a row; scenarios without one are left out. */
  readonly row: (scenario: ScenarioResult) => string | undefined;
  readonly figures: readonly Figure[];
}

type Of = (round: RoundResult) => number;

const interval = (name: string, of: Of, format: (value: number) => string): Figure => ({
  name,
  cell: ({ rounds }) => formatInterval(medianInterval(rounds.map(of)), format),
});
const middle = (name: string, of: Of, format: (value: number) => string): Figure => ({
  name,
  cell: ({ rounds }) => format(median(rounds.map(of))),
});
const opsPerSecond = interval('ops/s', throughput.figure, formatRate);
const p50Ms = interval('p50 ms', ({ response }) => response.p50, formatMs);
const p99Ms = interval('p99 ms', p99.figure, formatMs);
const limit: Figure = { name: 'limited by', cell: ({ limitedBy }) => limitedBy.resource };

/** To the scenario that `isBase` finds for this one; nothing for that one itself. */
const ratio = (
  name: string,
  of: Measure,
  isBase: (base: ScenarioResult, scenario: ScenarioResult) => boolean,
): Figure => ({
  name,
  cell: (scenario, all) => {
    const base = all.find(other => isBase(other, scenario));
    return base === undefined || base === scenario
      ? ''
      : formatRatioInterval(pairByRound(base, scenario, of).ratio);
  },
});

const equal = (one: ScenarioResult, other: ScenarioResult, ...keys: (keyof ScenarioResult)[]) =>
  keys.every(key => JSON.stringify(one[key]) === JSON.stringify(other[key]));
const onePool = (base: ScenarioResult, of: ScenarioResult) =>
  base.pools === 1 && equal(base, of, 'client', 'pool', 'workers');
const oneThread = (base: ScenarioResult, of: ScenarioResult) =>
  of.threads > 1 && base.threads === 1 && equal(base, of, 'client', 'pool', 'workers', 'pools');
const ofBaseline = (base: ScenarioResult, of: ScenarioResult) =>
  base.pool === 'baseline' && equal(base, of, 'workers');
/** The same with half of the connections, for bursts. */
const ofHalf = (base: ScenarioResult, of: ScenarioResult) =>
  !isClosed(base) && 2 * base.connections <= of.connections;
const perWorker = ({ connections, workers }: ScenarioResult) => connections / workers;
const warmedUp = ({ minIdle, connections }: ScenarioResult) => minIdle / connections;
/** Of the numbers of workers with several pools: the table has one row for each of their arms. */
const shownWorkers = [50, 100, 200, 400];
const describePools = ({ pools, threads }: Pick<ScenarioResult, 'pools' | 'threads'>) =>
  pools === 1 ? '1 pool' : `${pools} pools in ${threads === 1 ? 'one thread' : `${threads} threads`}`;
const describeTtl = ({ healthTtlMs }: ScenarioResult) =>
  healthTtlMs === 3_600_000 ? 'off' : `${healthTtlMs} ms`;
const isClosed = ({ arrival }: ScenarioResult) => arrival.kind === 'closed';
const failedOperations = middle(
  'failed operations',
  ({ failed }) => sumOf(Object.values(failed), count => count),
  formatCount,
);
const meanWait = middle('mean wait ms', ({ poolMetrics }) => poolMetrics.acquireWait.mean, formatMs);
const shares = new Map([
  [0, '0'],
  [0.125, 'max/8'],
  [0.25, 'max/4'],
  [0.5, 'max/2'],
  [1, 'all'],
]);

export const tuningTables: readonly TuningTable[] = [
  {
    name: 'one-connection',
    suite: 'one-connection',
    row: ({ pool, connections, autoPipelining }) =>
      pool === 'shared'
        ? `${connections} shared${autoPipelining ? ', auto-pipelined' : ''}`
        : `a pool of ${connections}`,
    figures: [
      opsPerSecond,
      ratio('vs the pool', throughput, base => base.pool === 'optimized'),
      p99Ms,
      middle('client µs/op', ({ cpu }) => cpu.clientMicrosPerOp ?? 0, formatMs),
    ],
  },
  {
    name: 'pool-size',
    suite: 'pool-size',
    row: scenario => (isClosed(scenario) ? String(perWorker(scenario)) : undefined),
    figures: [
      opsPerSecond,
      ratio('vs 2', throughput, base => isClosed(base) && perWorker(base) === 2),
      p99Ms,
      meanWait,
    ],
  },
  {
    name: 'pool-size-bursts',
    suite: 'pool-size',
    row: scenario =>
      isClosed(scenario) ? undefined : `${scenario.connections} for bursts of ${scenario.workers}`,
    figures: [
      p50Ms,
      ratio('p50 vs half as many', p50, ofHalf),
      p99Ms,
      ratio('p99 vs half as many', p99, ofHalf),
      meanWait,
    ],
  },
  {
    name: 'one-pool',
    suite: 'scaling',
    row: ({ client, pool, pools, workers }) =>
      client === 'ioredis' && pools === 1 ? `${pool}, ${workers}` : undefined,
    figures: [opsPerSecond, p99Ms, limit],
  },
  {
    name: 'several-pools',
    suite: 'scaling',
    row: ({ client, pool, pools, threads, workers }) =>
      pools > 1 && shownWorkers.includes(workers)
        ? `${client}, ${pool}, ${workers} workers, ${describePools({ pools, threads })}`
        : undefined,
    figures: [ratio('vs 1 pool', throughput, onePool), ratio('threads vs one thread', throughput, oneThread)],
  },
  {
    name: 'pipeline',
    suite: 'pipeline',
    row: ({ workers, pipeline }) => `${workers} worker${workers === 1 ? '' : 's'}, ${pipeline}`,
    figures: [
      opsPerSecond,
      ratio('vs single', throughput, (base, of) => base.pipeline === 1 && equal(base, of, 'workers')),
      interval('p99 of a batch, ms', p99.figure, formatMs),
    ],
  },
  ...['optimizations', 'tails'].map(suite => ({
    name: suite,
    suite,
    row: ({ pool, workers }: ScenarioResult) => (pool === 'baseline' ? undefined : `${pool}, ${workers}`),
    figures: [
      ratio('ops/s vs baseline', throughput, ofBaseline),
      ratio('p95', p95, ofBaseline),
      ratio('p99', p99, ofBaseline),
    ],
  })),
  {
    name: 'health-interval',
    suite: 'health-interval',
    row: scenario => (scenario.cutEveryMs > 0 ? undefined : describeTtl(scenario)),
    figures: [
      interval('mean ms', meanLatency.figure, formatMs),
      ratio('vs off', meanLatency, base => base.cutEveryMs === 0 && describeTtl(base) === 'off'),
      middle('checks per window', ({ poolMetrics }) => poolMetrics.healthChecksRun, formatCount),
    ],
  },
  {
    name: 'silent-connections',
    suite: 'health-interval',
    row: scenario => (scenario.cutEveryMs > 0 ? describeTtl(scenario) : undefined),
    figures: [
      middle('connections that went silent', ({ cuts }) => cuts, formatCount),
      failedOperations,
      middle('checks per window', ({ poolMetrics }) => poolMetrics.healthChecksRun, formatCount),
    ],
  },
  {
    name: 'warming',
    suite: 'warming',
    row: scenario =>
      scenario.pool === 'warmed'
        ? `${scenario.workers} workers, ${warmedUp(scenario) === 1 ? 'all' : 'a quarter'}`
        : undefined,
    figures: [
      ratio('p99 vs cold', p99, ofBaseline),
      ratio('max vs cold', maxResponse, ofBaseline),
      middle('opened in the window', ({ poolMetrics }) => poolMetrics.created, formatCount),
    ],
  },
  {
    name: 'min-idle',
    suite: 'min-idle',
    row: scenario => shares.get(warmedUp(scenario)),
    figures: [
      p99Ms,
      ratio('vs 0', p99, base => base.minIdle === 0),
      middle('opened in the window', ({ poolMetrics }) => poolMetrics.created, formatCount),
    ],
  },
  {
    name: 'cold-start',
    suite: 'cold-start',
    row: ({ pool, workers, connects }) =>
      pool === 'baseline' ? `${pool}, ${workers}` : `${pool}, ${connects}, ${workers}`,
    figures: [
      interval('until all are served, ms', allServed.figure, formatMs),
      middle('median connect, ms', ({ poolMetrics }) => poolMetrics.connectTime.p50, formatMs),
    ],
  },
  {
    name: 'reconnect',
    suite: 'reconnect',
    row: ({ pool, cutEveryMs }) => (cutEveryMs === 0 ? undefined : pool),
    figures: [
      ratio('ops/s vs uncut', throughput, (base, of) => base.cutEveryMs === 0 && equal(base, of, 'pool')),
      ratio('p99 vs uncut', p99, (base, of) => base.cutEveryMs === 0 && equal(base, of, 'pool')),
      middle('reconnects per window', ({ poolMetrics }) => poolMetrics.reconnects, formatCount),
      failedOperations,
    ],
  },
  {
    name: 'low-latency',
    suite: 'low-latency',
    row: scenario => (isClosed(scenario) ? String(scenario.workers) : undefined),
    figures: [p50Ms, p99Ms, interval('p99.9 ms', p999.figure, formatMs), opsPerSecond],
  },
  {
    name: 'low-latency-open',
    suite: 'low-latency',
    row: ({ arrival }) => (arrival.kind === 'closed' ? undefined : `${formatCount(arrival.rate ?? 0)} due/s`),
    figures: [p50Ms, p99Ms, interval('p99.9 ms', p999.figure, formatMs), opsPerSecond],
  },
  {
    name: 'high-throughput',
    suite: 'high-throughput',
    row: ({ client, pools, threads, pipeline }) =>
      `${client}, ${describePools({ pools, threads })}, ${pipeline === 1 ? 'single commands' : `batches of ${pipeline}`}`,
    figures: [opsPerSecond, interval('p99 of a batch, ms', p99.figure, formatMs), limit],
  },
  {
    name: 'variable-load',
    suite: 'variable-load',
    row: ({ pool, workers }) => `${pool}, bursts of ${workers}`,
    figures: [
      p50Ms,
      ratio('p50 vs baseline', p50, ofBaseline),
      p99Ms,
      ratio('p99 vs baseline', p99, ofBaseline),
    ],
  },
  {
    name: 'mixed',
    suite: 'mixed',
    row: ({ pool, batch }) => `${pool}, ${batch.pool}`,
    figures: [
      interval('p99 of singles, ms', singlesP99.figure, formatMs),
      interval('singles/s', ({ loads }) => loads[0]?.opsPerSecond ?? 0, formatRate),
      interval('in batches, ops/s', batchThroughput.figure, formatRate),
    ],
  },
];

/** The tables that the result of a suite has rows for. */
export function keepTables(suite: string, result: Result): KeptTables {
  const scenarios = withoutControls(result);
  const kept = tuningTables
    .filter(table => table.suite === suite)
    .map(({ name, row, figures }): [string, KeptTable] => {
      const rows = scenarios.flatMap(scenario => {
        const title = row(scenario);
        return title === undefined
          ? []
          : [{ name: title, cells: figures.map(({ cell }) => cell(scenario, scenarios)) }];
      });
      return [name, { columns: figures.map(figure => figure.name), rows }];
    });
  return Object.fromEntries(kept.filter(([, { rows }]) => rows.length > 0));
}
