import type { Address } from '../pool/client/address.ts';
import type { PoolSnapshot } from '../pool/metrics.ts';
import type { Client, ConnectPacing, Preset, Probe, ReadFrom, Transport } from '../pool/presets.ts';

/** Everything that crosses the boundary between the coordinator and a thread is in this file. All of it is plain data. */

/** Which keys the operations are for. */
export type KeyChoice =
  | { readonly kind: 'uniform' | 'sequential' | 'partitioned' }
  | { readonly kind: 'zipfian'; readonly exponent: number }
  | { readonly kind: 'gaussian'; readonly spread: number }
  | { readonly kind: 'hotSet'; readonly operationShare: number; readonly keyShare: number };

/** One of the values that the load writes, with a weight of any scale. */
export interface ValueVariant {
  readonly weight: number;
  /** Random of this size, or text as it is. */
  readonly value: { readonly bytes: number } | { readonly text: string };
}

/** A command with placeholders (see workload/command-templates.ts), with a weight of any scale. */
export interface WeightedCommand {
  readonly command: string;
  readonly weight: number;
  /** Whether it adds a record, in a workload whose records grow. */
  readonly inserts?: true;
}

/** What differs for the keys of one type; the rest is as in the workload. */
export interface KeysOfType {
  readonly keys?: number;
  readonly members?: number;
  readonly keyChoice?: KeyChoice;
}

/** The operations that a scenario sends. */
export interface WorkloadTask {
  /** Keys of all pools together, of each type. */
  readonly keys: number;
  /** Elements of each hash, list, set, sorted set, stream and hyperloglog that the prefill writes. */
  readonly members: number;
  readonly keyChoice: KeyChoice;
  /** By the name of the type (`typeName` in workload/families.ts). Absent: nothing differs. */
  readonly types?: Readonly<Record<string, KeysOfType>>;
  readonly values: readonly ValueVariant[];
  /** Fraction of a random value that is one repeated character, 0 to 1. */
  readonly compressibleRatio: number;
  /** Empty if the operations are sessions of a script. */
  readonly commands: readonly WeightedCommand[];
  /** The file of the script. */
  readonly script?: string;
  /** Connections of all pools together that subscribe to what the load publishes. Absent: none. */
  readonly subscribers?: number;
  /** A file with the order of the commands, their keys and instants (workload/replay.ts). Absent: the order and keys are drawn. */
  readonly replay?: string;
  /** Fraction of reads that are for keys which the prefill writes, 0 to 1; the rest are for keys that nobody writes. */
  readonly hitShare: number;
  /**
   * How records grow where commands insert some. `latest`: each record is a key, and the newest are read most often.
   * `index`: the records are members of one sorted set, and are scanned. Null: no command inserts.
   */
  readonly growth: 'latest' | 'index' | null;
  /** Whether the operations of each command are counted and timed separately. */
  readonly apart: boolean;
}

/** Workers of one pool that send batches of the same size. */
export interface WorkerGroup {
  readonly workers: number;
  /** Commands written together and awaited together by one worker. */
  readonly pipeline: number;
}

/** The key numbers `firstKey` … `firstKey + keys - 1`. */
export interface KeyRange {
  readonly firstKey: number;
  readonly keys: number;
}

/** The task of a pool: its part of the scenario's workers, connections and keys. */
export interface PoolTask extends KeyRange {
  readonly groups: readonly WorkerGroup[];
  /** Maximum of connections that the pool may hold. */
  readonly connections: number;
  readonly minIdle: number;
}

/** When operations are due: a schedule that does not depend on replies. */
export interface Arrivals {
  /**
   * `constant`: at equal intervals; `poisson`: exponential gaps; `burst`: `size` at once, at equal
   * intervals.
   */
  readonly kind: 'constant' | 'poisson' | 'burst';
  /** Operations a second, over all pools of the scenario; the mean of the stages. */
  readonly rate: number;
  /** Operations of a burst that are due at once, over all pools. A multiple of the batch size. */
  readonly size: number;
  /**
   * How the rate changes in the measured window; together they are as long as the window. Absent: the rate is constant.
   */
  readonly stages?: readonly RateStage[];
}

/**
 * Operations that are due at the instants at which they were recorded (workload/replay.ts). The recording begins with the
 * measured window and is repeated until its end. Nothing is due in the warm-up.
 */
export interface RecordedArrivals {
  readonly kind: 'recorded';
  /** Operations a second of the whole recording, over all pools of the scenario. */
  readonly rate: number;
  /** How many times as fast as the recording. */
  readonly speed: number;
  readonly stages?: undefined;
}

/** A part of the measured window. */
export interface RateStage {
  readonly seconds: number;
  /** Operations a second when it begins, over all pools of the scenario. */
  readonly rate: number;
  /** The rate at its end, reached at a steady pace; null: the same. */
  readonly rampTo: number | null;
}

/** One thread's part of a scenario's arrivals. */
export interface OpenLoopTask {
  readonly arrivals: Arrivals | RecordedArrivals;
  /** Pools among which the schedule is divided, and the number of this thread's first one, from 0. */
  readonly pools: number;
  readonly firstPool: number;
}

/** The part of a load, of a scenario or a population, that a thread runs in one round. */
export interface ThreadTask {
  /**
   * Index of the task among those of the measurement, from 0: its slot in `shared` and a part of its seed. One thread can
   * run several tasks, each of a different load.
   */
  readonly thread: number;
  readonly address: Address;
  /** Nodes of the cluster that the load goes to instead of `address`; undefined: a single server. */
  readonly cluster?: readonly Address[];
  readonly client: Client;
  /** The file to load it from: its package's main file, or the user's module. Absent: installed with poolbench. */
  readonly clientFile?: string;
  /** Options of the client, which override its defaults. */
  readonly clientOptions: Readonly<Record<string, unknown>>;
  readonly preset: Preset;
  readonly probe: Probe;
  readonly healthTtlMs: number;
  readonly connects: ConnectPacing;
  /** Whether ioredis, or its fork, joins commands of one connection that are sent in the same turn of the event loop. */
  readonly autoPipelining: boolean;
  /** A value other than `primary` only in a cluster or behind a Sentinel. */
  readonly readFrom: ReadFrom;
  /** Of wire. */
  readonly transport: Transport;
  readonly pools: readonly PoolTask[];
  readonly keyPrefix: string;
  readonly workload: WorkloadTask;
  /** Seed of this thread's generators: the same seed draws the same keys in the same order. */
  readonly seed: number;
  /** Seed of the values: the same in all threads and rounds of a run, so that a thread can keep them. */
  readonly valueSeed: number;
  /** At least: it lasts until the coordinator opens the measured window. 0: the window begins at the start instant. */
  readonly warmupSeconds: number;
  readonly seconds: number;
  /**
   * Whether every worker keeps its first connection until all workers of the thread have one, even without a warm-up.
   */
  readonly burst: boolean;
  /** Null in a closed loop. */
  readonly openLoop: OpenLoopTask | null;
  /** A batch that is unanswered for this long fails with TIMEOUT, and its connection is closed. */
  readonly timeoutMs: number;
  /** Barrier, stop flag and progress of all threads: see shared-state.ts. */
  readonly shared: SharedArrayBuffer;
}

/** One second of one thread, counted from the start of the measured window. */
export interface SecondSample {
  readonly second: number;
  readonly completed: number;
  readonly failed: number;
  /** Response times of the second, 2 digits: HDR V2 compressed, base64, nanoseconds. */
  readonly response: string;
}

/** The reason that a thread returns if its pools could not open their connections. */
export interface ThreadRefusal {
  readonly refused: string;
}

/** One command's measured operations. Operations that never reached a connection belong to no command. */
export interface CommandSample {
  /** The command's name, which several commands of a mix can have. */
  readonly name: string;
  /** Whether its misses are reads that found nothing. To other commands null is an answer like any other. */
  readonly nullIsMiss: boolean;
  readonly completed: number;
  readonly failed: Readonly<Record<string, number>>;
  /** Misses among the completed. */
  readonly misses: number;
  /** Of a transaction: those among the completed that were not executed, because a key that they watched had changed. */
  readonly aborted?: number;
  /** HDR V2 compressed, base64, nanoseconds, 3 digits. A command has the latency of its whole batch. */
  readonly service: string;
  readonly response: string;
}

/** The steps of one name in measured sessions. */
export interface StepSample {
  readonly name: string;
  readonly completed: number;
  readonly failed: number;
  /** Of the completed ones: HDR V2 compressed, base64, nanoseconds, 3 digits. */
  readonly latency: string;
}

/** What was in the sessions of a thread. */
export interface ScriptSample {
  /** Commands that measured sessions sent. */
  readonly commands: number;
  readonly steps: readonly StepSample[];
  /** How often a step was still running when its session ended, by name, including the warm-up. */
  readonly unawaited: Readonly<Record<string, number>>;
  /** Everything sent, by the name in commandstats, including the warm-up; null if the server counts differently. */
  readonly sent: Readonly<Record<string, number | null>>;
  /** The first message of failed sessions by error code, including the warm-up. */
  readonly messages: Readonly<Record<string, string>>;
}

/** The operations of all workers of one thread that send batches of the same size. */
export interface LoadSample {
  readonly pipeline: number;
  /** Measured operations: issued = completed + failed + unfinished. */
  readonly issued: number;
  readonly completed: number;
  /** By error code: the first word of an error reply (`OOM`), or that of the connection (`ECONNRESET`, `TIMEOUT`). */
  readonly failed: Readonly<Record<string, number>>;
  readonly unfinished: number;
  /** Replies among the completed that are misses: null, or empty if that means the same. */
  readonly misses: number;
  /** One for each command if the workload asks for it; otherwise empty. */
  readonly commands: readonly CommandSample[];
  /** Operations of the discarded warm-up that the server answered without an error. */
  readonly warmupCompleted: number;
  /** HDR V2 compressed, base64, nanoseconds, 3 digits. */
  readonly service: string;
  readonly response: string;
  /**
   * How long failed operations had waited, as `service` and `response`; empty if none failed. An operation that never
   * reached a connection has no service time.
   */
  readonly failedWaits: { readonly service: string; readonly response: string };
  /** Latencies above the histogram's range, which it counts as its highest value. */
  readonly overRange: number;
  readonly series: readonly SecondSample[];
  /** Of operations that are sessions. */
  readonly script?: ScriptSample;
}

/** What delayed a thread in the measured window, for all loads that it ran. */
export interface ThreadLoadFigures {
  /** Fraction of the window in which the event loop was busy, 0 to 1. A thread without a core counts as busy. */
  readonly eventLoopUtilization: number;
  /** Cores that the thread really had; null if the platform does not report it. */
  readonly cores: number | null;
  /** Fraction of the window in which the thread was ready to run and had no core; null as above. */
  readonly waitShare: number | null;
  /** Pauses of the garbage collector: their number, sum and maximum. */
  readonly gcPauses: number;
  readonly gcMs: number;
  readonly gcLongestMs: number;
  /** Delay of timers. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** Fraction of the window, 0 to 1, in which the thread spun its event loop until an arrival of any of its loads. Absent: no open loop. */
  readonly spinShare?: number;
}

/** What was due in one stage, and what came of it. */
export interface StageSample {
  readonly stage: RateStage;
  /** As of the window. */
  readonly offered: number;
  readonly largestBacklog: number;
  /** Response times of the completed operations that were due in it, 2 digits: HDR V2 compressed, base64, nanoseconds. */
  readonly response: string;
}

/** Further figures of a thread in an open loop, all of the measured window. */
export interface OpenLoopSample {
  /** Operations a second, over all pools of the scenario; the mean of the stages or of the recording. */
  readonly rate: number;
  /** Absent if the arrivals have no stages. */
  readonly stages?: readonly StageSample[];
  /** Operations that were due by the schedule; offered = issued + unsent. */
  readonly offered: number;
  readonly unsent: number;
  /** Operations that were completed in the window, whenever they were due. */
  readonly completedInWindow: number;
  /** Maximum of operations that were due while every worker was busy: the sum over the pools. */
  readonly largestBacklog: number;
  /** How long the oldest unsent operation had been due at the end; 0 if there is none. */
  readonly oldestUnsentMs: number;
  /** How late the thread took arrivals for which a worker was free: HDR V2 compressed, base64, nanoseconds. */
  readonly lag: string;
  /** Arrivals of which that was above the histogram's range, which counts them as its highest value. */
  readonly lagOverRange: number;
  /** Fraction of the window, 0 to 1, in which the thread spun its event loop with nothing to do, to be on time. */
  readonly spinShare: number;
}

/** Deliveries to the subscribers of a thread, of the messages that it published in the measured window. */
export interface DeliverySample {
  readonly subscribers: number;
  /** Subscribers whose connection was lost. */
  readonly closed: number;
  /** For each message that the server accepted, one delivery to every subscriber of its channel. */
  readonly expected: number;
  readonly received: number;
  /** From the send of a message to its arrival: HDR V2 compressed, base64, nanoseconds, 3 digits. */
  readonly latency: string;
}

/** How often a cluster's nodes redirected a command. */
export interface Redirects {
  readonly moved: number;
  readonly ask: number;
}

/** What one thread returns. An operation belongs to the window in which it was due, even if the drain completes it. */
export interface ThreadSample {
  readonly thread: number;
  /** Length of the measured window, which is shorter than planned if the run was stopped in it. */
  readonly seconds: number;
  /** One for each batch size, smallest first. */
  readonly loads: readonly LoadSample[];
  /** From the start instant until every worker had its first reply; null if one never had. */
  readonly allServedMs: number | null;
  /** One for each pool of the thread. */
  readonly pools: readonly PoolSnapshot[];
  readonly threadLoad: ThreadLoadFigures;
  /** Null in a closed loop. */
  readonly openLoop: OpenLoopSample | null;
  /** Absent without subscribers. */
  readonly deliveries?: DeliverySample;
  /** Redirections that were followed in the measured window and its drain; null: a single server. */
  readonly redirects: Redirects | null;
  /** Records that each pool inserted, with the warm-up. Records beyond the number of its keys overwrote others. */
  readonly inserted: readonly number[];
}
