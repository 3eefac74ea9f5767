/**
 * `npx tsx bench/tuning-tables.ts LEDGER`: the tables of docs/tuning.md for one server, from a ledger folder as
 * `npm run claims` leaves it, each suite with its result.json.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { figures as figureColumn, table, words } from '../src/aggregate/report/blocks.ts';
import { renderMarkdown } from '../src/aggregate/report/markdown.ts';
import { type RoundResult, resultSchema, type ScenarioResult } from '../src/aggregate/result.ts';
import { withoutControls } from '../src/aggregate/stats/control.ts';
import {
  allServed,
  batchThroughput,
  type Measure,
  maxResponse,
  p95,
  p99,
  singlesP99,
  throughput,
} from '../src/aggregate/stats/measures.ts';
import { pairByRound } from '../src/aggregate/stats/rounds.ts';
import { medianInterval } from '../src/aggregate/stats/sign-test.ts';
import { median } from '../src/aggregate/stats/statistics.ts';
import {
  formatCount,
  formatInterval,
  formatMs,
  formatRate,
  formatRatioInterval,
} from '../src/aggregate/text/format.ts';

interface Figure {
  readonly name: string;
  readonly cell: (scenario: ScenarioResult, all: readonly ScenarioResult[]) => string;
}

interface Table {
  readonly suite: string;
  readonly title?: string;
  /** Name of a row; scenarios without one are left out. */
  readonly row: (scenario: ScenarioResult) => string | undefined;
  readonly figures: readonly Figure[];
}

const folder = process.argv[2];
if (folder === undefined) throw new Error('Expected a ledger folder, such as results/…-claims-redis');

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
const perWorker = ({ connections, workers }: ScenarioResult) => connections / workers;
const warmedUp = ({ minIdle, connections }: ScenarioResult) => minIdle / connections;
const shares = new Map([
  [0, '0'],
  [0.125, 'max/8'],
  [0.25, 'max/4'],
  [0.5, 'max/2'],
  [1, 'all'],
]);

const tables: readonly Table[] = [
  {
    suite: 'one-connection',
    row: ({ pool, connections, autoPipelining }) =>
      pool === 'shared'
        ? `${connections} shared${autoPipelining ? ', auto-pipelined' : ''}`
        : `a pool of ${connections}`,
    figures: [
      opsPerSecond,
      ratio('to the pool', throughput, base => base.pool === 'optimized'),
      p99Ms,
      middle('client µs/op', ({ cpu }) => cpu.clientMicrosPerOp ?? 0, formatMs),
    ],
  },
  {
    suite: 'pool-size',
    title: 'Connections for each of 50 workers',
    row: scenario => String(perWorker(scenario)),
    figures: [
      opsPerSecond,
      ratio('to 2', throughput, base => perWorker(base) === 2),
      p99Ms,
      middle('mean wait ms', ({ poolMetrics }) => poolMetrics.acquireWait.mean, formatMs),
    ],
  },
  {
    suite: 'scaling',
    title: 'One ioredis pool, by preset and workers',
    row: ({ client, pool, pools, workers }) =>
      client === 'ioredis' && pools === 1 ? `${pool}, ${workers}` : undefined,
    figures: [opsPerSecond, p99Ms, limit],
  },
  {
    suite: 'scaling',
    title: 'Several pools, equal totals',
    row: ({ client, pool, pools, threads, workers }) =>
      pools > 1 && workers > 10
        ? `${client}, ${pool}, ${workers} workers, ${pools} pools in ${threads === 1 ? 'one thread' : `${threads} threads`}`
        : undefined,
    figures: [ratio('to 1 pool', throughput, onePool), ratio('threads to one thread', throughput, oneThread)],
  },
  {
    suite: 'pipeline',
    row: ({ workers, pipeline }) => `${workers} worker${workers === 1 ? '' : 's'}, ${pipeline}`,
    figures: [
      opsPerSecond,
      ratio('to single', throughput, (base, of) => base.pipeline === 1 && equal(base, of, 'workers')),
      interval('p99 of a batch, ms', p99.figure, formatMs),
    ],
  },
  {
    suite: 'optimizations',
    title: 'To baseline, by preset and workers',
    row: ({ pool, workers }) => (pool === 'baseline' ? undefined : `${pool}, ${workers}`),
    figures: [
      ratio('ops/s', throughput, ofBaseline),
      ratio('p95', p95, ofBaseline),
      ratio('p99', p99, ofBaseline),
    ],
  },
  {
    suite: 'health-interval',
    row: ({ cutEveryMs, healthTtlMs }) =>
      cutEveryMs > 0 ? undefined : healthTtlMs === 3_600_000 ? 'off' : `${healthTtlMs} ms`,
    figures: [
      opsPerSecond,
      ratio('to off', throughput, base => base.cutEveryMs === 0 && base.healthTtlMs === 3_600_000),
      middle('checks a window', ({ poolMetrics }) => poolMetrics.healthChecksRun, formatCount),
    ],
  },
  {
    suite: 'warming',
    title: 'warmed to baseline, by how many connections stood before',
    row: scenario =>
      scenario.pool === 'warmed'
        ? `${scenario.workers} workers, ${warmedUp(scenario) === 1 ? 'all' : 'a quarter'}`
        : undefined,
    figures: [
      ratio('p99 to cold', p99, ofBaseline),
      ratio('longest to cold', maxResponse, ofBaseline),
      middle('opened in the window', ({ poolMetrics }) => poolMetrics.created, formatCount),
    ],
  },
  {
    suite: 'min-idle',
    title: 'optimized, by minIdle',
    row: scenario => shares.get(warmedUp(scenario)),
    figures: [
      p99Ms,
      ratio('to 0', p99, base => base.minIdle === 0),
      middle('opened in the window', ({ poolMetrics }) => poolMetrics.created, formatCount),
    ],
  },
  {
    suite: 'cold-start',
    row: ({ pool, workers, connects }) =>
      pool === 'baseline' ? `${pool}, ${workers}` : `${pool}, ${connects}, ${workers}`,
    figures: [
      interval('until all serve, ms', allServed.figure, formatMs),
      middle('one connect, ms', ({ poolMetrics }) => poolMetrics.connectTime.p50, formatMs),
    ],
  },
  {
    suite: 'reconnect',
    row: ({ pool, cutEveryMs }) => (cutEveryMs === 0 ? undefined : pool),
    figures: [
      ratio('ops/s to uncut', throughput, (base, of) => base.cutEveryMs === 0 && equal(base, of, 'pool')),
      ratio('p99 to uncut', p99, (base, of) => base.cutEveryMs === 0 && equal(base, of, 'pool')),
      middle('reconnects a window', ({ poolMetrics }) => poolMetrics.reconnects, formatCount),
      middle(
        'failed operations',
        ({ failed }) => Object.values(failed).reduce((sum, count) => sum + count, 0),
        formatCount,
      ),
    ],
  },
  {
    suite: 'low-latency',
    row: ({ workers }) => String(workers),
    figures: [
      interval('p50 ms', ({ response }) => response.p50, formatMs),
      p99Ms,
      interval('p99.9 ms', ({ response }) => response.p999, formatMs),
      opsPerSecond,
    ],
  },
  {
    suite: 'high-throughput',
    row: ({ client, pools }) => `${client}, ${pools} pool${pools === 1 ? '' : 's'}`,
    figures: [opsPerSecond, interval('p99 of a batch, ms', p99.figure, formatMs), limit],
  },
  {
    suite: 'mixed',
    row: ({ pool, batch }) => `${pool}, ${batch.pool}`,
    figures: [
      interval('p99 of singles, ms', singlesP99.figure, formatMs),
      interval('singles/s', ({ loads }) => loads[0]?.opsPerSecond ?? 0, formatRate),
      interval('in batches, ops/s', batchThroughput.figure, formatRate),
    ],
  },
];

for (const { suite, title, row, figures } of tables) {
  const text = readFileSync(join(folder, suite, 'result.json'), 'utf8');
  const scenarios = withoutControls(resultSchema.parse(JSON.parse(text)));
  const rows = scenarios.flatMap(scenario => {
    const name = row(scenario);
    return name === undefined ? [] : [{ name, scenario }];
  });
  console.log(`<!-- ${suite} -->${title === undefined ? '' : `\n${title}:`}\n`);
  console.log(
    renderMarkdown([
      table(rows, [
        words('', ({ name }) => name),
        ...figures.map(({ name, cell }) =>
          figureColumn(name, ({ scenario }: (typeof rows)[number]) => cell(scenario, scenarios)),
        ),
      ]),
    ]),
  );
}
