import { z } from 'zod';
import { type LaterKey, type PercentileKey, percentiles } from './stats/metrics.ts';

/** What one round measured of a scenario: `scenarios[].rounds[]` of `result.json`, by the rules of `result.ts`. */

/** A count, a time, a rate. */
export const amount = z.number().nonnegative();

/** ISO 8601, in UTC. */
export const instant = z.iso.datetime();

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

/** What one event loop did in the measured window, for all loads that it ran. */
const threadLoad = z.object({
  /** The thread's number in the run, from 1: a scenario with fewer threads runs on others in each round. */
  thread: z.number().optional(),
  /**
   * CPU of the thread for each operation that it completed, in microseconds, as `clientMicrosPerOp`; null as below, and if
   * other loads ran in the same thread.
   */
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
  /** Of this thread; `openLoop.spinShare` is the mean of all. Absent: no open loop ran in it, or the version was before 0.12. */
  spinShare: z.number().optional(),
});

const cpuSet = z.object({ cpus: amount, busyShare: z.number().nullable() });

const cpu = z.object({
  /**
   * CPU of the whole client process per completed operation, in microseconds; without that of `openLoop.spinShare`, and
   * without the threads of other loads that ran at the same time. Null: unknown, for example because one of its threads also
   * ran another load.
   */
  clientMicrosPerOp: z.number().nullable(),
  /** Cores the client process used, spinning included. */
  clientCores: z.number(),
  /**
   * Cores on which threads that drive only other loads spun until an arrival: `clientCores` and `machineBusyShare` include it,
   * and the threads below do not. Absent: there were no such threads, or the version was before 0.13.
   */
  othersSpunCores: amount.optional(),
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
  /** Operations a second that were asked for; the mean of stages or of a recording. */
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
  /** Start of the window. */
  startedAt: instant.nullable().default(null),
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

export type RoundResult = z.infer<typeof roundSchema>;
export type PopulationRound = NonNullable<RoundResult['populations']>[number];
export type LatencySummary = z.infer<typeof latency>;
export type Times = z.infer<typeof times>;
export type PoolMetrics = z.infer<typeof poolMetrics>;
export type CpuUse = z.infer<typeof cpu>;
export type CommandResult = z.infer<typeof command>;
export type LoadResult = z.infer<typeof load>;
export type OpenLoopResult = z.infer<typeof openLoop>;
