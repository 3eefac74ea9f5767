import type { z } from 'zod';
import { judgeClaims } from '../../src/aggregate/claims/claims.ts';
import {
  type ClaimResult,
  type Result,
  type RoundResult,
  resultSchema,
  type ScenarioResult,
} from '../../src/aggregate/result.ts';
import { fieldsOf, type ScenarioFields } from '../../src/aggregate/scenario/scenario.ts';
import type { LoadEnvironment } from '../../src/aggregate/stats/limit-figures.ts';
import { limitedBy } from '../../src/aggregate/stats/limited-by.ts';
import { type ServerFigures, serverFieldNames } from '../../src/aggregate/stats/server-fields.ts';
import type { ServerSeries } from '../../src/aggregate/stats/server-series.ts';
import { seededRandom } from '../../src/aggregate/stats/statistics.ts';
import { summarise } from '../../src/aggregate/stats/summary.ts';
import { scenarioGroup } from '../../src/main/experiment/scenario-group.ts';
import { expandScenarios } from '../../src/main/experiment/scenarios.ts';
import { createHistogram, encodeHistogram } from './library-histogram.ts';

/** Results as a run would leave them, made of the few figures that a test is about. */

/** A histogram in which nothing is. */
const noTimes = encodeHistogram(createHistogram(3));

/** A round of one second at `opsPerSecond`, in which every operation completed, the client busy and the server not. */
export function buildRound(
  round: number,
  opsPerSecond: number,
  changes: Partial<RoundResult> = {},
): RoundResult {
  const completed = Math.round(opsPerSecond);
  const latency = buildLatency(completed, completed === 0 ? 0 : 10_000 / opsPerSecond);
  const times = { count: 0, mean: 0, p50: 0, p99: 0, max: 0 };
  return {
    round,
    startedAt: null,
    seconds: 1,
    issued: completed,
    completed,
    failed: {},
    unfinished: 0,
    misses: 0,
    hits: null,
    commands: [],
    overRange: 0,
    opsPerSecond,
    service: latency,
    response: latency,
    loads: [],
    openLoop: null,
    histograms: { service: noTimes, response: noTimes },
    poolMetrics: {
      acquisitions: completed,
      immediate: completed,
      acquireWait: times,
      lockWaits: 0,
      lockWaitMs: 0,
      healthChecksRun: 3,
      healthChecksSkipped: Math.max(0, completed - 3),
      healthCheckMs: 0.1,
      createdBefore: 25,
      created: 75,
      lastCreatedMs: 20,
      connectTime: times,
      connectFailures: 0,
      reconnects: 0,
      peakWaiting: 0,
      utilization: [],
    },
    allServedMs: null,
    cuts: 0,
    redirects: null,
    basePingMs: 0.05,
    cpu: {
      clientMicrosPerOp: completed === 0 ? null : 1e6 / completed,
      clientCores: 1,
      machineBusyShare: 0.2,
      eventLoopUtilization: [0.99],
      threads: [],
      serverCores: 0.6,
      serverMainThreadCores: 0.55,
    },
    serverCalls: completed,
    series: [{ second: 0, completed, failed: 0, p50: latency.p50, p99: latency.p99 }],
    ...changes,
  };
}

export function buildLatency(count: number, p50: number): RoundResult['response'] {
  const at = (factor: number) => p50 * factor;
  return { count, mean: at(1.1), p50, p90: at(1.5), p95: at(1.8), p99: at(2.5), p999: at(6), max: at(20) };
}

/** The only scenario of a group that says nothing. */
const usualFields = expandScenarios([scenarioGroup.parse({})]).map(fieldsOf)[0] as ScenarioFields;

const machine: LoadEnvironment = { cores: 8, local: true, serverThreads: 1 };

/** One cell of a matrix with its summary and what limited it; an optimized pool with a thread of its own unless told. */
export function buildScenario(
  cell: { client?: string; pools?: number; workers?: number } & Partial<ScenarioResult>,
  rounds: readonly RoundResult[],
): ScenarioResult {
  const { client, pool, pools, poolsPerThread, workers } = { ...usualFields, ...cell };
  return {
    ...usualFields,
    id: `${client}-${pool}-${pools}pools-${workers}workers`,
    threads: Math.ceil(pools / poolsPerThread),
    connections: workers * 2,
    minIdle: workers / 2,
    rounds: [...rounds],
    summary: summarise(rounds),
    limitedBy: limitedBy(rounds, machine),
    ...cell,
  };
}

export interface Matrix {
  readonly clients?: readonly string[];
  readonly workers?: readonly number[];
  readonly pools?: readonly number[];
  readonly rounds?: number;
  /** Throughput of these pools to one pool of the same round. */
  readonly gain: (cell: { client: string; workers: number; pools: number; round: number }) => number;
}

/** A matrix in which all cells of a round share its weather (up to 10 %) and have 1 % of noise of their own. */
export function buildMatrix({
  clients = ['ioredis'],
  workers = [10, 50, 100, 200],
  pools = [1, 2, 4],
  rounds = 8,
  gain,
}: Matrix): ScenarioResult[] {
  const random = seededRandom(7);
  const weather = Array.from({ length: rounds }, () => 1 + 0.1 * random());
  return clients.flatMap(client =>
    workers.flatMap(workers =>
      pools.map(pools => {
        const ops = weather.map((factor, round) => {
          const ratio = pools === 1 ? 1 : gain({ client, workers, pools, round });
          return 30_000 * factor * ratio * (1 + 0.01 * (random() - 0.5));
        });
        return buildScenario(
          { client, pools, workers },
          ops.map((rate, round) => buildRound(round, rate)),
        );
      }),
    ),
  );
}

/** Without controls. */
export interface BuiltResult extends Result {
  scenarios: ScenarioResult[];
}

/** A run of these scenarios against a real Redis, with its claims judged; it satisfies the schema of result.json. */
export function buildResult(
  scenarios: readonly ScenarioResult[],
  changes: Partial<Result> = {},
): BuiltResult {
  const result = buildUnread(scenarios, changes);
  const parsed = readAs(resultSchema, { ...result, claims: changes.claims ?? judgeClaims(result) });
  return { ...parsed, scenarios: parsed.scenarios as ScenarioResult[] };
}

/** The verdict on one claim that {@link buildResult} would have; without the time that it takes to read all of a result. */
export function buildVerdict(
  id: string,
  scenarios: readonly ScenarioResult[],
  changes: Partial<Result> = {},
): ClaimResult {
  const judged = judgeClaims(buildUnread(scenarios, changes)).find(claim => claim.id === id);
  if (judged === undefined) throw new Error(`expected ${id} to be judged`);
  return readAs(resultSchema.shape.claims.element, judged);
}

/** As a reader finds it: an end that nothing bounds is null in the file. */
function readAs<T>(schema: z.ZodType<T>, written: unknown): T {
  return schema.parse(JSON.parse(JSON.stringify(written)));
}

/** As a run has it in memory, and no claim judged: to read a large result by its schema takes longer than to judge a claim. */
export function buildUnread(scenarios: readonly ScenarioResult[], changes: Partial<Result> = {}): Result {
  const target: Result['target'] = {
    declared: { server: 'redis', url: 'redis://localhost:6379/0' },
    detected: { server: 'redis', version: '7.0.15', threads: 1 },
    foundBy: 'running at redis://localhost:6379/0',
    standIn: false,
    local: true,
  };
  return {
    schemaVersion: 1,
    complete: true,
    name: 'redis',
    startedAt: '2026-11-23T10:00:00.000Z',
    finishedAt: '2026-11-23T10:03:00.000Z',
    seed: 1,
    tool: { name: 'poolbench', version: '0.1.0' },
    environment: { node: '20.20.2', os: 'linux', cpu: 'a processor', cores: 8, memoryBytes: 8 * 2 ** 30 },
    target,
    warnings: [],
    config: { name: 'redis', rounds: 8 },
    scenarios: [...scenarios],
    claims: [],
    comparisons: [],
    thresholds: [],
    ...changes,
  };
}

/** What a server told, once a second from the start of `buildResult` on; null where nothing else is given. */
export function buildServerSeries(told: readonly Partial<ServerFigures>[]): ServerSeries {
  const nothing = Object.fromEntries(serverFieldNames.map(name => [name, null])) as ServerFigures;
  const startMs = Date.parse('2026-11-23T10:00:00.000Z');
  return {
    everySeconds: 1,
    points: told.map((figures, index) => {
      return { at: new Date(startMs + index * 1000).toISOString(), ...nothing, ...figures };
    }),
    asked: told.length,
    unanswered: 0,
    cost: { calls: 20, micros: 1000, seconds: told.length },
  };
}

/** What a run against a stand-in for Dragonfly says of its target. */
export const standInTarget: Result['target'] = {
  declared: { server: 'dragonfly', url: 'redis://localhost:6382/0' },
  detected: { server: 'redis', version: '7.0.15', threads: 1 },
  foundBy: 'package redis-tools, unpacked privately',
  standIn: true,
  local: true,
};
