import { z } from 'zod';
import { resultShape } from './scenario/scenario.ts';
import {
  type LaterKey,
  type PercentileKey,
  type PooledMetric,
  percentiles,
  type RatioMetric,
  type SummaryRow,
  summaryMetrics,
} from './stats/metrics.ts';
import { type ServerFieldName, serverFieldNames } from './stats/server-fields.ts';

/**
 * `result.json`, schemaVersion 1: what others may rely on. Latencies and times are in milliseconds, throughput in
 * operations per second, unless a name says otherwise. Null: nothing was measured. Optional keys and keys with a default
 * are absent from earlier results.
 */

/**
 * A median with its interval. JSON has no infinite numbers, so these are null in the file: an end that nothing bounds, and
 * a ratio to an arm that completed nothing in so many rounds. Only with a median that is infinite can `low` be, too: then
 * a `low` of null is that of such a ratio, else nothing bounds it.
 */
export const interval = z
  .object({ median: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() })
  .transform(({ median, low, high }) => ({
    median: median ?? Number.POSITIVE_INFINITY,
    low: low ?? (median === null ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY),
    high: high ?? Number.POSITIVE_INFINITY,
  }));

/** A count, a time, a rate. */
const amount = z.number().nonnegative();

/** Counts by error code. Not a `z.record`, which drops the code `__proto__`: a server may answer with any word. */
const countsByCode = z.custom<Readonly<Record<string, number>>>(
  value =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(count => amount.safeParse(count).success),
  'Invalid input: expected counts by error code',
);

type Later = LaterKey<typeof percentiles>;
type PercentileShape = { [Key in Exclude<PercentileKey, Later>]: typeof amount } & {
  [Key in Later]: z.ZodOptional<typeof amount>;
};
const percentileShape = Object.fromEntries(
  Object.entries(percentiles).map(([key, row]) => [key, row.since === null ? amount : amount.optional()]),
) as PercentileShape;

const latency = z.object({ count: amount, mean: amount, ...percentileShape, max: amount });

const beyond = z.object({ mean: amount, ...percentileShape });

/**
 * Why a percentile is not what its name says. `lower bound`: operations were lost after a longer wait. `worst stall`: so
 * few cycles of a closed loop's workers were slower that one stall decides it.
 */
export const caveatSchema = z.enum(['lower bound', 'worst stall']);

const times = latency.pick({ count: true, mean: true, p50: true, p99: true, max: true });

const poolMetrics = z.object({
  acquisitions: z.number(),
  immediate: z.number(),
  /** Of all acquisitions; 0 for those served at once. */
  acquireWait: times,
  lockWaits: z.number(),
  lockWaitMs: z.number(),
  healthChecksRun: z.number(),
  healthChecksSkipped: z.number(),
  healthCheckMs: z.number(),
  createdBefore: z.number(),
  created: z.number(),
  /** From the start of the window until the last of these was open; null if none was created. */
  lastCreatedMs: z.number().nullable().default(null),
  /** Those of `created` that a worker waited for and that replaced none: the pools grew by them. Since 0.6. */
  createdForWorkers: z.number().optional(),
  /** As `lastCreatedMs`, of these. */
  lastCreatedForWorkersMs: z.number().nullable().optional(),
  connectTime: times,
  connectFailures: z.number(),
  reconnects: z.number(),
  /** Max of those that waited at one pool at the same time. */
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
const threadLoad = z.object({
  /** The thread's number in the run, from 1: a scenario with fewer threads runs on others in each round. */
  thread: z.number().optional(),
  /** CPU of the thread for each operation that it completed, in microseconds, as `clientMicrosPerOp`; null as below. */
  microsPerOp: z.number().nullable().optional(),
  /** Cores that the thread used; fraction of the window in which it was ready to run and had none. */
  cores: z.number().nullable(),
  waitShare: z.number().nullable(),
  /** Pauses of the garbage collector. */
  gcPauses: z.number(),
  gcMs: z.number(),
  gcLongestMs: z.number(),
  /** How late timers were. */
  loopDelayP99Ms: z.number(),
  loopDelayMaxMs: z.number(),
});

const cpuSet = z.object({ cpus: amount, busyShare: z.number().nullable() });

const cpu = z.object({
  /**
   * CPU of the whole client process per completed operation, in microseconds; without that of `openLoop.spinShare`, and
   * without the threads of other loads that ran at the same time.
   */
  clientMicrosPerOp: z.number().nullable(),
  /** Cores the client process used. */
  clientCores: z.number(),
  /** Fraction of all CPUs of the client's machine in use: by poolbench, a local server, and other programs. Null: not known. */
  machineBusyShare: z.number().nullable(),
  /**
   * CPUs of the machine; those that poolbench may use, and those that poolbench or a local server may use, each with
   * the fraction in use. Null: not known.
   */
  cpuSets: z.object({ machine: amount, client: cpuSet, both: cpuSet }).nullable().optional(),
  /** Periods of the CPU quota in the window, those in which it stopped poolbench, and for how long over all CPUs. Null: none, or not known. */
  throttling: z
    .object({ periods: amount, throttledPeriods: amount, throttledMs: amount })
    .nullable()
    .optional(),
  /** One entry per thread, 0 to 1. */
  eventLoopUtilization: z.array(z.number()),
  /** One entry per thread. */
  threads: z.array(threadLoad).default([]),
  /** Cores the server used: all of it, and its main thread; null if INFO does not say. */
  serverCores: z.number().nullable(),
  serverMainThreadCores: z.number().nullable(),
  /** The fullest thread of a local server, without io-threads that spin; null if the system does not report it. */
  serverFullestThread: z.object({ name: z.string(), cores: amount }).nullable().optional(),
});

/** Operations of the workers that send batches of one size. */
const load = z.object({
  pipeline: amount,
  issued: amount,
  completed: amount,
  failed: countsByCode,
  unfinished: amount,
  opsPerSecond: amount,
  service: latency,
  response: latency,
});

/** Operations of one command of a mix, without those that never reached a connection. */
const command = z.object({
  name: z.string(),
  completed: amount,
  failed: countsByCode,
  /** Misses among the completed. */
  misses: amount,
  /** Of a transaction: those among the completed that EXEC did not execute, because a watched key had changed. Since 0.8. */
  aborted: amount.optional(),
  service: latency,
  response: latency,
  /** As of the round. */
  serverMicrosPerCall: amount.nullable().optional(),
});

/** What was due in one stage, and what came of it, whenever that was. */
const openLoopStage = z.object({
  seconds: amount,
  /** Operations a second that were asked for at its start, and at its end; null: the same. */
  rate: amount,
  rampTo: amount.nullable(),
  offered: amount,
  completed: amount,
  /** As of the window, in this stage; a part of it can have been due before. */
  largestBacklog: amount,
  /** Response times. */
  p50: amount.nullable(),
  p99: amount.nullable(),
});

/** What was due in the window of an open loop, and what came of it; operations, unless a name says otherwise. */
const openLoop = z.object({
  /** Operations a second that were asked for; the mean of stages. */
  rate: z.number(),
  /** What was due: sent + unsent. */
  offered: z.number(),
  /** As `issued` and `completed` of the round. */
  sent: z.number(),
  completed: z.number(),
  /** offered − completed. */
  shortfall: z.number(),
  /** Due, and without a worker until the end. They would have been the slowest: then percentiles are lower bounds. */
  unsent: z.number(),
  /** Max of those due while every worker was busy: of each pool, added up. */
  largestBacklog: z.number(),
  /** For how long the oldest unsent one had been due at the end; 0 if none was unsent. */
  oldestUnsentMs: z.number(),
  /** How late the generator sent what a free worker could take: its own error, which is in the response time, too. */
  lag: latency,
  /** As `histograms` of the round. */
  lagHistogram: z.string(),
  /** Arrivals whose lag was above the histogram's range, which counts them as its highest value. Since 0.6. */
  lagOverRange: z.number().optional(),
  /** Fraction of the window in which the threads spun until the next arrival: their mean. */
  spinShare: z.number(),
  /** The parts of the window with rates of their own; absent if the rate stays the same. Since 0.9. */
  stages: z.array(openLoopStage).optional(),
});

type FigureSchema<Metric> = Metric extends RatioMetric
  ? z.ZodNumber
  : Metric extends PooledMetric
    ? z.ZodNullable<z.ZodNumber>
    : Metric extends { inEveryRound: true }
      ? typeof interval
      : z.ZodNullable<typeof interval>;

/**
 * Medians and ratios over the rounds, see `summarise`. A latency is null if nothing has completed. Pooled tails are absent
 * as long as a run lasts.
 */
type SummaryShape = {
  [Metric in SummaryRow as Metric['summaryKey']]: Metric extends { since: string }
    ? z.ZodOptional<FigureSchema<Metric>>
    : FigureSchema<Metric>;
};
const summary = z.object(
  Object.fromEntries(summaryMetrics.map(metric => [metric.summaryKey, schemaOf(metric)])) as SummaryShape,
);

function schemaOf(metric: SummaryRow): z.ZodType {
  const schema = schemaOfFigure(metric);
  return metric.since === null ? schema : schema.optional();
}

function schemaOfFigure(metric: SummaryRow): z.ZodType {
  if ('part' in metric) return z.number();
  if ('pooled' in metric) return z.number().nullable();
  return 'inEveryRound' in metric ? interval : interval.nullable();
}

/** One agent in the window of a measurement. */
const hostRound = z.object({
  /** As in `hosts` of the result. */
  name: z.string(),
  /** That it ran of the scenario. */
  threads: amount,
  /** Cores that poolbench used there, and the fraction of all CPUs of that machine in use; null: not known. */
  cores: amount,
  machineBusyShare: z.number().nullable(),
  /** Its clock differed from that of the coordinator by no more than this when the threads were to start. */
  clockBoundMs: amount,
  /** Time that was left when it received the instant of the start. */
  leadMs: z.number(),
  /** From the start instant, by its own clock, until the last of its threads had begun. */
  startLagMs: amount,
});

/** What was in the sessions of a script. */
const script = z.object({
  /** Commands that measured sessions sent. */
  commands: amount,
  /**
   * All commands that were sent, with the warm-up, and the server's own count of them: of those that were in no transaction,
   * and that no script of the server's can have called. Null: there are none, or the server does not report it.
   */
  counted: z.object({ sent: amount, server: amount }).nullable(),
  /** Parts of sessions, each with its own latencies, without the time in which the session thought. */
  steps: z.array(z.object({ name: z.string(), completed: amount, failed: amount, latency })),
  /** How often steps were still running when their session ended, also in the warm-up, by name. Absent: none was. */
  unawaited: countsByCode.optional(),
  /** Of sessions that failed, also in the warm-up: the first message by error code. */
  messages: z.record(z.string(), z.string()),
});

/** One load in one round: that of a scenario, or of a population beside it. */
const loadInRound = z.object({
  round: amount,
  /** Start of the window, ISO 8601. */
  startedAt: z.string().nullable().default(null),
  seconds: amount,
  /** How long the warm-up really was, and whether the pools had grown by its end. Absent: none, or before 0.6. */
  warmup: z.object({ seconds: amount, grown: z.boolean() }).optional(),
  issued: amount,
  completed: amount,
  failed: countsByCode,
  unfinished: amount,
  /** Misses among the completed: null replies, and empty ones to commands that report a missing key that way. */
  misses: amount,
  /** Reads that found a value; null if no command's reply says so, or commands are not counted apart. */
  hits: z.number().nullable().default(null),
  /**
   * Reads whose outcome can be foreseen, and those of them that found a value. `expectedHitRatio` is null if the mix
   * itself removes what it reads. Null if there are no such reads, or the result is older.
   */
  reads: z
    .object({ count: amount, found: amount, expectedHitRatio: z.number().nullable() })
    .nullable()
    .optional(),
  /**
   * The data before the measurement: as planned; restored, because keys were missing or the server was another one;
   * rewritten, because the load changes it; or not as planned. `missing` of `sampled` keys were not there. Null if the
   * server does not report it, or the result is older.
   */
  dataSet: z
    .object({
      state: z.enum(['asPlanned', 'restored', 'rewritten', 'notAsPlanned']),
      sampled: amount,
      missing: amount,
    })
    .nullable()
    .optional(),
  overRange: amount,
  /** Open loop: what completed in the window, whenever it was due. Closed loop: what was issued in it and completed. */
  opsPerSecond: amount,
  service: latency,
  response: latency,
  /**
   * Operations that failed after a longer wait than this percentile of the completed ones, or than their mean; absent if
   * none failed.
   */
  failedLater: z.object({ service: beyond, response: beyond }).optional(),
  /** One entry per command of a mix; else empty. */
  commands: z.array(command).default([]),
  /** If the operations are sessions of a script; else absent. Since 0.9. */
  script: script.optional(),
  /**
   * Messages to subscribers in the measured window; absent without subscribers. `expected`: for each message that the server
   * accepted, one delivery to every subscriber of its channel; `lost`: deliveries that did not arrive; `closed`: subscribers whose
   * connection was lost. Since 0.10.
   */
  deliveries: z
    .object({
      subscribers: amount,
      closed: amount,
      expected: amount,
      received: amount,
      lost: amount,
      latency,
    })
    .optional(),
  /** One entry per size, if workers send batches of different sizes; else empty. */
  loads: z.array(load).default([]),
  /** Null in a closed loop. */
  openLoop: openLoop.nullable().default(null),
  /** HDR V2 compressed, base64, nanoseconds. */
  histograms: z.object({ service: z.string(), response: z.string() }),
  poolMetrics,
  /** From the start until every worker had its first reply; null if one never had. */
  allServedMs: z.number().nullable().default(null),
  /** Connections that were cut on purpose in the window. */
  cuts: amount.default(0),
  /** Redirections that were followed, in the window and its drain; null without a cluster. */
  redirects: z.object({ moved: z.number(), ask: z.number() }).nullable().default(null),
  /** Median round trip of a PING on an idle connection just before; null if none was answered. */
  basePingMs: z.number().nullable().default(null),
  cpu,
  /** The server's own count of the scenario's commands, without the warm-up; null if INFO does not say. */
  serverCalls: z.number().nullable(),
  /**
   * If reads may go to replicas: all calls of the commands that only read, as the servers counted them, with the warm-up,
   * and those that replicas ran. Null: not known; absent: all commands go to primaries. Since 0.10.
   */
  readCalls: z.object({ all: amount, ofReplicas: amount }).nullable().optional(),
  /** Mean time that the server took to run a command, by its `commandstats` at both ends of the window; null if it is not known. */
  serverMicrosPerCall: amount.nullable().optional(),
  /** The network interface to a server elsewhere, and how full its fuller direction was; null: not known. */
  link: z.object({ name: z.string(), speedMbps: amount, busyShare: amount }).nullable().optional(),
  /** The agents that took part; absent without agents. */
  hosts: z.array(hostRound).optional(),
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

/** Every figure is finite: what is not known is null, never NaN. */
export const roundSchema = loadInRound.extend({
  /** What ran at the same time; absent if the scenario ran alone. Since 0.10. */
  populations: z.array(loadInRound.extend({ name: z.string() })).optional(),
  /**
   * Operations of the scenario and its populations, and the server's own count of all their commands, as `serverCalls`. If
   * several loads send the same commands, the count of each alone is not known. Absent without populations. Since 0.10.
   */
  together: z.object({ issued: amount, completed: amount, serverCalls: z.number().nullable() }).optional(),
});

/** A ratio of two scenarios, paired by round. */
const comparison = z.object({
  /** What is compared, as text: "throughput", "response p99, pool effect". */
  measure: z.string(),
  /** Ids of the two scenarios; the ratio is other / base. */
  base: z.string(),
  other: z.string(),
  /** Rounds that the ratio is made of: those that both have measured, up to the last look. */
  rounds: z.number(),
  ratio: interval,
  /** Sign-flip permutation test of the paired log ratios, two-sided: exact up to 30 rounds, sampled above. */
  p: z.number(),
  /** The range that the claim predicts for this ratio, open where null; null: it predicts none. */
  predicted: z.object({ low: z.number().nullable(), high: z.number().nullable() }).nullable(),
  /** Of the measure in either scenario; absent: none. */
  caveat: caveatSchema.optional(),
  limitedBy: z.object({ base: z.string(), other: z.string() }),
});

const limitedBy = z.object({
  resource: z.enum(['client', 'server', 'machine', 'pool', 'network', 'none', 'unknown']),
  evidence: z.string(),
});

const scenario = z.object({
  id: z.string(),
  /** It is a control: it measured once more what the scenario with its id but for "-control" measured. */
  control: z.literal(true).optional(),
  ...resultShape,
  /** How many rounds it was to have: as many as decide the questions, or a fixed number, as before version 0.6. */
  plannedRounds: z.object({ atLeast: z.number(), atMost: z.number() }).optional(),
  rounds: z.array(roundSchema).max(10_000),
  /** Null before the first round. */
  summary: summary.nullable(),
  limitedBy,
  /** The same figures of each of its populations; absent if it runs alone. Since 0.10. */
  populations: z.array(z.object({ name: z.string(), summary: summary.nullable(), limitedBy })).optional(),
});

const claim = z.object({
  id: z.string(),
  statement: z.string(),
  predicted: z.string(),
  /** Of measured, low and high: "×" for a ratio, or for example "ms". */
  unit: z.string().default('×'),
  measured: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Where the claim predicts `measured`, open where null; null: it predicts no figure, or none was measured. */
  predictedRange: z
    .object({ low: z.number().nullable(), high: z.number().nullable() })
    .nullable()
    .default(null),
  verdict: z.enum(['supported', 'refuted', 'inconclusive', 'not tested']),
  reason: z.string(),
  /** What decided, in a sentence or two, with the caveat of the verdict. */
  gist: z.string().default(''),
  /** How many comparisons, or families that share the chance to err, can make the verdict false: see `falseVerdictChance`. */
  predictions: z.number().default(1),
  /** What limited the arms that were judged, each resource once. */
  limitedBy: z.array(z.string()).default([]),
  /** The ratios that were judged, or that belong beside those. Results of version 0.1 have another form. */
  comparisons: z.array(comparison).catch([]),
});

/** Two identical arms, measured like all others: their difference is the error of the run. */
const control = z.object({
  /** Throughput of the controls to that of their twins: per round the geometric mean over all pairs. */
  ratio: interval,
  /** Rounds that all of them have measured. */
  rounds: z.number(),
  /** Ids of the controls. */
  controls: z.array(z.string()),
});

/** A threshold of the config, judged for one scenario or a claim. */
export const thresholdSchema = z.object({
  metric: z.string(),
  /** As the config has it. */
  condition: z.string(),
  /** Id of the scenario; null for a claim, which is of the whole run. */
  scenario: z.string().nullable(),
  /** In the units of this file, or the verdict of a claim. Null counts as crossed. */
  value: z.union([z.number(), z.string()]).nullable(),
  crossed: z.boolean(),
  /** Of the value; absent: none. */
  caveat: caveatSchema.optional(),
});

const told = amount.nullable().default(null);

/** What the server told of itself beside the load; of a cluster all masters together, see `serverFields`. Null: it does not tell it. */
const serverSeries = z.object({
  /** Between two points: 1, or more in a run of hours, which keeps every second, fourth, … of them. */
  everySeconds: amount,
  points: z.array(
    z.object({
      /** When it answered, ISO 8601. */
      at: z.iso.datetime(),
      ...(Object.fromEntries(serverFieldNames.map(name => [name, told])) as Record<
        ServerFieldName,
        typeof told
      >),
    }),
  ),
  /** How often it was asked, and how often it did not answer. */
  asked: amount,
  unanswered: amount,
  /**
   * By its own count, all INFO commands that it ran in so many seconds, those of others and of other readings included, and
   * the time that it took to run them. Null: not known, or not yet.
   */
  cost: z.object({ calls: amount, micros: amount, seconds: amount }).nullable(),
});

/** What else explains figures of a machine. Null: not known; absent from results before 0.6. */
const machineShape = {
  /** CPUs that are online. */
  cpus: z.number().nullable().optional(),
  /** Those that poolbench may use: "0-3,8". */
  affinity: z.string().nullable().optional(),
  /** Cores that a control group allows; 'none' without a quota. */
  quotaCores: z
    .union([z.number(), z.literal('none')])
    .nullable()
    .optional(),
  /** Of the CPUs' frequency, as the kernel names it. */
  governor: z.string().nullable().optional(),
  /** Whether two threads share a core. */
  smt: z.boolean().nullable().optional(),
  /** What the virtual machine is, as far as it is known; 'none' on bare metal. */
  virtualisation: z.string().nullable().optional(),
};

export const resultSchema = z.object({
  schemaVersion: z.literal(1),
  complete: z.boolean(),
  name: z.string(),
  /** Equal on all sides that were measured in turn, whose rounds are paired; absent from other runs. */
  session: z.string().optional(),
  /** When a stopped run was resumed, and the time since its last write; absent from other runs. */
  resumed: z.array(z.object({ at: z.string(), afterRounds: z.number(), gapSeconds: z.number() })).optional(),
  /**
   * Why it ended by itself: all that it was asked is decided, it has the rounds that were planned, or its budget was spent.
   * Absent if it was ended, and before version 0.7.
   */
  ended: z.enum(['decided', 'rounds', 'budget']).optional(),
  startedAt: z.string(),
  finishedAt: z.string(),
  seed: z.number(),
  tool: z.object({ name: z.string(), version: z.string() }),
  environment: z.object({
    node: z.string(),
    os: z.string(),
    cpu: z.string(),
    /** What CPU affinity and quota leave to poolbench. */
    cores: z.number(),
    memoryBytes: z.number(),
    ...machineShape,
  }),
  /** The agents on which the load ran; absent if it ran here. `environment` is then that of the coordinator alone. */
  hosts: z
    .array(
      z.object({
        name: z.string(),
        node: z.string(),
        os: z.string(),
        cpu: z.string(),
        /** What CPU affinity and quota leave to poolbench there. */
        cores: amount,
        /** Threads of the run there. */
        threads: amount,
        /** A PING to the target before the run; null if none was answered. */
        roundTripMs: z.number().nullable(),
        /** True: it took part only before the run was resumed. Since 0.10. */
        left: z.literal(true).optional(),
      }),
    )
    .optional(),
  /** The clients that were measured, with the package and version of each; null: poolbench's own, or not told. Since 0.9. */
  clients: z
    .array(z.object({ client: z.string(), package: z.string().nullable(), version: z.string().nullable() }))
    .optional(),
  /**
   * The files that its workloads name (scripts, replays, values), each with its key in the config and the hash of its text
   * but not of its imports; absent without any, and before 0.10.
   */
  files: z.array(z.object({ key: z.string(), file: z.string(), sha256: z.string() })).optional(),
  target: z.object({
    declared: z.object({ server: z.string(), url: z.string() }),
    detected: z.object({
      server: z.string(),
      version: z.string(),
      threads: z.number().nullable(),
      /** Descriptions of what it writes to disk; empty: nothing. Null: unknown. */
      persistence: z.array(z.string()).readonly().nullable().optional(),
      /** RESP version of the load, 2 or 3. */
      protocol: z.number().optional(),
      /** Masters of the cluster; null without a cluster. */
      masters: z.number().nullable().optional(),
    }),
    /** How it was found, as text: "running at redis://…", "binary /usr/bin/redis-server", … */
    foundBy: z.string(),
    standIn: z.boolean(),
    /** Why it is not the declared server, as text; absent unless it is a stand-in. */
    standInReason: z.string().optional(),
    /** Whether the certificate of its TLS was not checked. */
    unverified: z.boolean().optional(),
    /** Whether it shares this machine's cores with poolbench. */
    local: z.boolean(),
  }),
  /** Caveats of the figures. */
  warnings: z.array(z.string()),
  config: z.record(z.string(), z.unknown()),
  scenarios: z.array(scenario).max(10_000),
  /** From the end of the warm-up of the threads until the end of the last measurement. Since 0.9. */
  serverSeries: serverSeries.optional(),
  /** Absent if the run has no control. */
  control: control.optional(),
  claims: z.array(claim),
  /** What a run without claims compares: its arms with the first one of their block. */
  comparisons: z.array(comparison).default([]),
  /** Empty if the config sets none, or if the run ended early. */
  thresholds: z.array(thresholdSchema).default([]),
});

export type Result = z.infer<typeof resultSchema>;
/** As the file has it: an arm, or a control. */
export type MeasuredResult = z.infer<typeof scenario>;
/**
 * An arm: no control. All that compares, judges or shows scenarios takes these, so that the compiler refuses the
 * scenarios of a result as they are: `withoutControls` of `stats/control.ts` makes them so.
 */
export interface ScenarioResult extends MeasuredResult {
  readonly control?: undefined;
}
export type ControlResult = z.infer<typeof control>;
export type RoundResult = z.infer<typeof roundSchema>;
export type PopulationRound = NonNullable<RoundResult['populations']>[number];
export type ClaimResult = z.infer<typeof claim>;
export type { Interval } from './stats/statistics.ts';
export type SummaryResult = NonNullable<ScenarioResult['summary']>;
export type ThresholdResult = z.infer<typeof thresholdSchema>;
export type Verdict = ClaimResult['verdict'];
export type Comparison = z.infer<typeof comparison>;
export type LatencySummary = z.infer<typeof latency>;
export type Times = z.infer<typeof times>;
export type PoolMetrics = z.infer<typeof poolMetrics>;
export type CpuUse = z.infer<typeof cpu>;
export type CommandResult = z.infer<typeof command>;
export type LoadResult = z.infer<typeof load>;
export type Caveat = z.infer<typeof caveatSchema>;
export type OpenLoopResult = z.infer<typeof openLoop>;
export type HostResult = NonNullable<Result['hosts']>[number];
export type LimitedBy = ScenarioResult['limitedBy'];
