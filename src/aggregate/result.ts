import { z } from 'zod';
import { resultShape } from './scenario/scenario.ts';
import {
  type LaterKey,
  type PercentileKey,
  percentiles,
  type RatioMetric,
  type SummaryRow,
  summaryMetrics,
} from './stats/metrics.ts';

/**
 * `result.json`, schemaVersion 1: what others may rely on. Latencies and times in milliseconds, throughput in
 * operations per second, unless a name says otherwise. Null stands where nothing was measured.
 */

export const interval = z.object({ median: z.number(), low: z.number(), high: z.number() });

/** A count, a time, a rate. */
const amount = z.number().nonnegative();

type Later = LaterKey<typeof percentiles>;
type PercentileShape = { [Key in Exclude<PercentileKey, Later>]: typeof amount } & {
  [Key in Later]: z.ZodOptional<typeof amount>;
};
const percentileShape = Object.fromEntries(
  Object.entries(percentiles).map(([key, row]) => [key, 'since' in row ? amount.optional() : amount]),
) as PercentileShape;

const latency = z.object({ count: amount, mean: amount, ...percentileShape, max: amount });

const times = z.object({
  count: amount,
  mean: amount,
  p50: amount,
  p99: amount,
  max: amount,
});

const poolMetrics = z.object({
  acquisitions: z.number(),
  immediate: z.number(),
  /** Over all acquisitions; those served at once count as 0. */
  acquireWait: times,
  lockWaits: z.number(),
  lockWaitMs: z.number(),
  healthChecksRun: z.number(),
  healthChecksSkipped: z.number(),
  healthCheckMs: z.number(),
  createdBefore: z.number(),
  created: z.number(),
  /** From the start of the window until the last of these was there; null if none was created in it. */
  lastCreatedMs: z.number().nullable().default(null),
  connectTime: times,
  connectFailures: z.number(),
  reconnects: z.number(),
  /** The most that waited at one pool at the same time. */
  peakWaiting: z.number(),
  /** Summed over the pools, in slots of 100 ms. */
  utilization: z.array(
    z.object({
      atMs: z.number(),
      active: z.number(),
      idle: z.number(),
      waiting: z.number(),
      total: z.number(),
    }),
  ),
});

/** What one event loop did in the measured window. */
const threadStrain = z.object({
  /** Cores the thread really had; share of the window in which it was ready to run and had none. */
  cores: z.number().nullable(),
  waitShare: z.number().nullable(),
  /** Pauses of the garbage collector. */
  gcPauses: z.number(),
  gcMs: z.number(),
  gcLongestMs: z.number(),
  /** How late the event loop came to a timer. */
  loopDelayP99Ms: z.number(),
  loopDelayMaxMs: z.number(),
});

const cpu = z.object({
  /** CPU of the whole client process per completed operation, in microseconds; without that of `openLoop.spinShare`. */
  clientMicrosPerOp: z.number().nullable(),
  /** Cores the client process used. */
  clientCores: z.number(),
  /** Share of the client's machine in use by anything, 0 to 1: by poolbench, a local server, and neighbours. */
  machineBusyShare: z.number(),
  /** One entry a thread, 0 to 1. */
  eventLoopUtilization: z.array(z.number()),
  /** One entry a thread. Results of version 0.1 have none. */
  threads: z.array(threadStrain).default([]),
  /** Cores the server used: all of it, and its main thread where INFO tells. */
  serverCores: z.number().nullable(),
  serverMainThreadCores: z.number().nullable(),
});

/** Operations of the workers that send batches of one size. */
const load = z.object({
  pipeline: amount,
  issued: amount,
  completed: amount,
  failed: z.record(z.string(), amount),
  unfinished: amount,
  opsPerSecond: amount,
  service: latency,
  response: latency,
});

/** Operations of one command of a mix; those that never reached a connection are of none. */
const command = z.object({
  name: z.string(),
  completed: amount,
  failed: z.record(z.string(), amount),
  /** Null replies among the completed. */
  misses: amount,
  service: latency,
  response: latency,
});

/** What an open loop had due in the window, and what became of it; operations, unless a name says otherwise. */
const openLoop = z.object({
  /** Operations a second that were asked for. */
  rate: z.number(),
  /** What the schedule had due: sent + unsent. */
  offered: z.number(),
  /** As `issued` and `completed` of the round. */
  sent: z.number(),
  completed: z.number(),
  /** offered − completed. */
  shortfall: z.number(),
  /** Due, and still without a worker at the end. They would have been the slowest: percentiles are lower bounds then. */
  unsent: z.number(),
  /** The most that were due while every worker was busy: of each pool, added up. */
  largestBacklog: z.number(),
  /** For how long the oldest unsent one had been due at the end; 0 without one. */
  oldestUnsentMs: z.number(),
  /** How late the generator came to arrivals for which a worker was free. Its own error: in the response time, too. */
  lag: latency,
  /** HDR V2 compressed, base64, nanoseconds. */
  lagHistogram: z.string(),
  /** Share of the window, 0 to 1, in which the threads turned their event loops with nothing to do: their mean. */
  spinShare: z.number(),
});

/** What the rounds say together: see `summarise`. A latency is null while nothing has completed. */
type SummaryShape = {
  [Metric in SummaryRow as Metric['summaryKey']]: Metric extends RatioMetric
    ? z.ZodNumber
    : Metric extends { inEveryRound: true }
      ? typeof interval
      : Metric extends { since: string }
        ? z.ZodOptional<z.ZodNullable<typeof interval>>
        : z.ZodNullable<typeof interval>;
};
const summary = z.object(
  Object.fromEntries(summaryMetrics.map(metric => [metric.summaryKey, schemaOf(metric)])) as SummaryShape,
);

function schemaOf(metric: SummaryRow): z.ZodType {
  if ('part' in metric) return z.number();
  if ('inEveryRound' in metric) return interval;
  return 'since' in metric ? interval.nullable().optional() : interval.nullable();
}

const round = z.object({
  round: amount,
  /** When the window began, on this machine's clock. Results before version 0.3 do not tell. */
  startedAt: z.string().nullable().default(null),
  seconds: amount,
  issued: amount,
  completed: amount,
  failed: z.record(z.string(), amount),
  unfinished: amount,
  /** Null replies among the completed: reads that found nothing, as a rule. */
  misses: amount,
  /** Reads that found a value, of those that tell whether they did; null where none does, or commands are not counted apart. */
  hits: z.number().nullable().default(null),
  overRange: amount,
  /** In an open loop: what completed in the window, whenever it was due. Else: what was due in it and completed. */
  opsPerSecond: amount,
  service: latency,
  response: latency,
  /** Each command of a mix apart; else empty. */
  commands: z.array(command).default([]),
  /** The same apart, where workers send batches of different sizes; else empty. */
  loads: z.array(load).default([]),
  /** Null in a closed loop. */
  openLoop: openLoop.nullable().default(null),
  /** HDR V2 compressed, base64, nanoseconds. */
  histograms: z.object({ service: z.string(), response: z.string() }),
  poolMetrics,
  /** From the start instant until every worker had its first reply; null if one never had. */
  allServedMs: z.number().nullable().default(null),
  /** Connections that were cut on purpose in the window. */
  cuts: amount.default(0),
  /** Redirections of a cluster that were followed, in the window and its drain; null: a server alone. */
  redirects: z.object({ moved: z.number(), ask: z.number() }).nullable().default(null),
  /** Median round trip of a PING on an idle connection just before; null where none was answered. */
  basePingMs: z.number().nullable().default(null),
  cpu,
  /** The server's own count of this scenario's commands, less those of the warm-up; null where INFO does not tell. */
  serverCalls: z.number().nullable(),
  series: z.array(
    z.object({
      second: amount,
      completed: amount,
      failed: amount,
      p50: amount.nullable(),
      p99: amount.nullable(),
    }),
  ),
});

const scenario = z.object({
  id: z.string(),
  ...resultShape,
  rounds: z.array(round).max(10_000),
  /** Null until one round of the scenario has been measured. */
  summary: summary.nullable(),
  limitedBy: z.object({
    resource: z.enum(['client', 'server', 'machine', 'pool', 'network', 'none', 'unknown']),
    evidence: z.string(),
  }),
});

const claim = z.object({
  id: z.string(),
  statement: z.string(),
  predicted: z.string(),
  /** Of measured, low and high: "×" for a ratio, else as in "ms". */
  unit: z.string().default('×'),
  measured: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Where the claim has `measured`, open where null; null: nothing is measured, or nothing predicted of it. */
  predictedRange: z
    .object({ low: z.number().nullable(), high: z.number().nullable() })
    .nullable()
    .default(null),
  verdict: z.enum(['supported', 'refuted', 'inconclusive', 'not tested']),
  reason: z.string(),
  /** What decided, in a sentence or two, and what nobody should read the verdict without. Results of version 0.1 have none. */
  gist: z.string().default(''),
  /** How many chances to err by luck the verdict has: see `falseVerdictChance`. */
  predictions: z.number().default(1),
  /** What limited the arms that were judged, each resource once. */
  limitedBy: z.array(z.string()).default([]),
  /** The ratios that were judged, or that a reader should see beside those. Results of version 0.1 had another form. */
  comparisons: z
    .array(
      z.object({
        /** What is compared, for a reader: "throughput", "response p99, pool effect". */
        measure: z.string(),
        /** Ids of the two scenarios; the ratio is other / base. */
        base: z.string(),
        other: z.string(),
        /** Rounds that both have measured. */
        rounds: z.number(),
        ratio: interval,
        /** Sign-flip permutation test of the paired log ratios, two-sided: exact up to 30 rounds, sampled above. */
        p: z.number(),
        /** The range that the claim predicts for this ratio, open where null; null: it predicts none. */
        predicted: z.object({ low: z.number().nullable(), high: z.number().nullable() }).nullable(),
        limitedBy: z.object({ base: z.string(), other: z.string() }),
      }),
    )
    .catch([]),
});

/** A threshold of the config, held against one scenario or a claim. */
export const thresholdSchema = z.object({
  metric: z.string(),
  /** As the config has it. */
  condition: z.string(),
  /** Id of the scenario; null: a claim is of the whole run. */
  scenario: z.string().nullable(),
  /** In the units of this file; of a claim its verdict. Null: nothing was measured, which counts as crossed. */
  value: z.union([z.number(), z.string()]).nullable(),
  crossed: z.boolean(),
});

export const resultSchema = z.object({
  schemaVersion: z.literal(1),
  complete: z.boolean(),
  name: z.string(),
  /** Equal on all sides of a run that measured several in turn: their rounds are paired. Absent from any other. */
  session: z.string().optional(),
  /** When it was resumed after it had been stopped, and how long after it had last written. Absent from any other. */
  resumed: z.array(z.object({ at: z.string(), afterRounds: z.number(), gapSeconds: z.number() })).optional(),
  startedAt: z.string(),
  finishedAt: z.string(),
  seed: z.number(),
  tool: z.object({ name: z.string(), version: z.string() }),
  environment: z.object({
    node: z.string(),
    os: z.string(),
    cpu: z.string(),
    cores: z.number(),
    memoryBytes: z.number(),
  }),
  target: z.object({
    declared: z.object({ server: z.string(), url: z.string() }),
    detected: z.object({
      server: z.string(),
      version: z.string(),
      threads: z.number().nullable(),
      /** What it writes to disk, in words; empty: nothing. Null where it does not tell; earlier results have none. */
      persistence: z.array(z.string()).readonly().nullable().optional(),
      /** RESP version of the load, 2 or 3; earlier results have none. */
      protocol: z.number().optional(),
      /** Masters of the cluster; null: a server alone. Earlier results have none. */
      masters: z.number().nullable().optional(),
    }),
    /** How it was found, for a reader: "running at redis://…", "binary /usr/bin/redis-server", … */
    foundBy: z.string(),
    standIn: z.boolean(),
    /** Whether whoever answered was believed: TLS without a look at the certificate. Earlier results do not tell. */
    unverified: z.boolean().optional(),
    /** Whether it shares this machine's cores with poolbench. */
    local: z.boolean(),
  }),
  /** What a reader must know before trusting the figures: said by the preflight, the accounting and the run. */
  warnings: z.array(z.string()),
  config: z.record(z.string(), z.unknown()),
  scenarios: z.array(scenario).max(10_000),
  claims: z.array(claim),
  /** Empty where the config sets none, and where the run did not come to its end. */
  thresholds: z.array(thresholdSchema).default([]),
});

export type Result = z.infer<typeof resultSchema>;
export type ScenarioResult = z.infer<typeof scenario>;
export type RoundResult = z.infer<typeof round>;
export type ClaimResult = z.infer<typeof claim>;
export type { Interval } from './stats/statistics.ts';
export type SummaryResult = NonNullable<ScenarioResult['summary']>;
export type ThresholdResult = z.infer<typeof thresholdSchema>;
export type Verdict = ClaimResult['verdict'];
export type Comparison = ClaimResult['comparisons'][number];
export type LatencySummary = z.infer<typeof latency>;
export type Times = z.infer<typeof times>;
export type PoolMetrics = z.infer<typeof poolMetrics>;
export type CpuUse = z.infer<typeof cpu>;
export type CommandResult = z.infer<typeof command>;
export type LoadResult = z.infer<typeof load>;
export type OpenLoopResult = z.infer<typeof openLoop>;
export type LimitedBy = ScenarioResult['limitedBy'];
