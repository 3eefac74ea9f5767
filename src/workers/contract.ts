import type { Address } from '../pool/client/address.ts';
import type { PoolSnapshot } from '../pool/metrics.ts';
import type { Client, ConnectPacing, Preset, Probe } from '../pool/presets.ts';

/** Everything that crosses the boundary between the coordinator and a thread lives in this file. All of it is plain data. */

/** Which keys the operations are for. */
export type KeyChoice =
  | { readonly kind: 'uniform' | 'sequential' | 'partitioned' }
  | { readonly kind: 'zipfian'; readonly exponent: number }
  | { readonly kind: 'gaussian'; readonly spread: number }
  | { readonly kind: 'hotSet'; readonly operationShare: number; readonly keyShare: number };

/** One of the values that the load writes, and how often to any scale. */
export interface ValueVariant {
  readonly weight: number;
  /** Random of this size, or text as it is. */
  readonly value: { readonly bytes: number } | { readonly text: string };
}

/** A command with placeholders (see workload/command-templates.ts), and how often to any scale. */
export interface WeightedCommand {
  readonly command: string;
  readonly weight: number;
  /** Whether it adds a record, where records grow. */
  readonly inserts?: true;
}

/** What is asked of the server. */
export interface WorkloadTask {
  /** Keys of all pools together. */
  readonly keys: number;
  readonly keyChoice: KeyChoice;
  readonly values: readonly ValueVariant[];
  /** Fraction of a random value that is one character over and over, 0 to 1. */
  readonly compressibleShare: number;
  readonly commands: readonly WeightedCommand[];
  /** Fraction of reads that are for keys which the prefill writes, 0 to 1; the rest are for keys that nobody writes. */
  readonly hitShare: number;
  /**
   * Where commands insert records: `latest`, each is a key, and the newest are read most; `index`, all are members of one
   * sorted set, and are scanned. Null: there are as many keys at the end as at the beginning.
   */
  readonly growth: 'latest' | 'index' | null;
  /** Whether the operations of each command are counted and timed apart. */
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

/** What one pool has to do: its part of the scenario's workers, connections and keys. */
export interface PoolTask extends KeyRange {
  readonly groups: readonly WorkerGroup[];
  /** Maximum of connections that the pool may hold. */
  readonly connections: number;
  readonly minIdle: number;
}

/** When operations are due: by a schedule that knows nothing of replies. */
export interface Arrivals {
  /** At equal distances; at random (exponential gaps); `size` at one instant, the instants at equal distances. */
  readonly kind: 'constant' | 'poisson' | 'burst';
  /** Operations a second, over all pools of the scenario. */
  readonly rate: number;
  /** Of a burst: operations that are due at one instant, over all pools. Whole batches. */
  readonly size: number;
}

/** The part that one thread has in the arrivals of a scenario. */
export interface OpenLoopTask {
  readonly arrivals: Arrivals;
  /** The schedule is dealt out to this many pools; the first of this thread has this number, from 0. */
  readonly pools: number;
  readonly firstPool: number;
}

/** What one thread has to do for one scenario of one round. */
export interface ThreadTask {
  /** Position of the thread in this scenario, from 0: its slot in `shared` and a part of its seed. */
  readonly thread: number;
  readonly address: Address;
  /** Nodes of the cluster that the load goes to, in the place of `address`; undefined: a server alone. */
  readonly cluster?: readonly Address[];
  readonly client: Client;
  readonly preset: Preset;
  readonly probe: Probe;
  readonly healthTtlMs: number;
  readonly connects: ConnectPacing;
  /** Whether ioredis joins commands of one connection that are sent in the same turn of the event loop. */
  readonly autoPipelining: boolean;
  readonly pools: readonly PoolTask[];
  readonly keyPrefix: string;
  readonly workload: WorkloadTask;
  /** Seed of this thread's generator: the same seed draws the same keys in the same order. */
  readonly seed: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** Without a warm-up, too, every worker keeps its first connection until all workers of the thread have one. */
  readonly burst: boolean;
  /** Null in a closed loop. */
  readonly openLoop: OpenLoopTask | null;
  /** A batch unanswered for this long counts as failed with TIMEOUT and its connection is given up. */
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

/** What a thread returns if its pools could not open their connections: the reason. */
export interface ThreadRefusal {
  readonly refused: string;
}

/** The operations of one command among the measured ones; those that never reached a connection are of none. */
export interface CommandSample {
  /** The command's name; several commands of a mix can have the same. */
  readonly name: string;
  /** Whether its misses are reads that found nothing; null may be an answer like any other. */
  readonly tellsMisses: boolean;
  readonly completed: number;
  readonly failed: Readonly<Record<string, number>>;
  /** Null replies among the completed. */
  readonly misses: number;
  /** HDR V2 compressed, base64, nanoseconds, 3 digits. A command has the latency of its whole batch. */
  readonly service: string;
  readonly response: string;
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
  /** Null replies among the completed: reads that found no value. */
  readonly misses: number;
  /** Each command apart, where that is asked for; else empty. */
  readonly commands: readonly CommandSample[];
  /** Operations of the discarded warm-up that the server answered without an error. */
  readonly warmupCompleted: number;
  /** HDR V2 compressed, base64, nanoseconds, 3 digits. */
  readonly service: string;
  readonly response: string;
  /** Latencies above the histogram's range; they count in it as its highest value. */
  readonly overRange: number;
  readonly series: readonly SecondSample[];
}

/** What held up a thread in the measured window. */
export interface ThreadLoadFigures {
  /** Fraction of the window in which the event loop was busy, 0 to 1. A thread without a core counts as busy. */
  readonly eventLoopUtilization: number;
  /** Cores that the thread really had, and the fraction of the window in which it was ready to run and had none; null where the platform does not tell. */
  readonly cores: number | null;
  readonly waitShare: number | null;
  /** Pauses of the garbage collector: how many, how long together and at most. */
  readonly gcPauses: number;
  readonly gcMs: number;
  readonly gcLongestMs: number;
  /** How late the event loop came to a timer. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
}

/** What a thread in an open loop knows beyond its operations. All of it is of the measured window. */
export interface OpenLoopSample {
  /** Of all pools together. */
  readonly rate: number;
  /** Operations that the schedule had due; offered = issued + unsent. */
  readonly offered: number;
  readonly unsent: number;
  /** Operations that were completed in it, whenever they were due. */
  readonly completedInWindow: number;
  /** The most operations that were due while every worker was busy: of each pool, added up. */
  readonly largestBacklog: number;
  /** For how long the oldest unsent operation had been due at the end; 0 without one. */
  readonly oldestUnsentMs: number;
  /** How late the generator came to arrivals for which a worker was free: HDR V2 compressed, base64, nanoseconds. */
  readonly lag: string;
  /** Fraction of the window, 0 to 1, in which the thread turned its event loop with nothing to do, so as not to be late. */
  readonly spinShare: number;
}

/** How often a cluster's nodes sent a command elsewhere. */
export interface Redirects {
  readonly moved: number;
  readonly ask: number;
}

/** What one thread returns. An operation belongs to the window in which it was due; the drain completes it. */
export interface ThreadSample {
  readonly thread: number;
  /** Length of the measured window: shorter than asked for when the run was stopped in it. */
  readonly seconds: number;
  /** One for each size of batch, smallest first. */
  readonly loads: readonly LoadSample[];
  /** From the start instant until every worker had its first reply; null if one never had. */
  readonly allServedMs: number | null;
  /** One for each pool of the thread. */
  readonly pools: readonly PoolSnapshot[];
  readonly threadLoad: ThreadLoadFigures;
  /** Null in a closed loop. */
  readonly openLoop: OpenLoopSample | null;
  /** Redirections of a cluster that were followed in the measured window and its drain; null: a server alone. */
  readonly redirects: Redirects | null;
  /** Records that each pool inserted, warm-up included; those beyond its keys overwrote others. */
  readonly inserted: readonly number[];
}
