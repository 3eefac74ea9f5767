import type { Address } from '../pool/address.ts';
import type { PoolSnapshot } from '../pool/metrics.ts';
import type { Client, Preset, Probe } from '../pool/presets.ts';

/** Everything that crosses the boundary between the coordinator and a thread lives in this file. All of it is plain data. */

/** What one pool gets of a scenario's totals. */
export interface PoolShare {
  readonly workers: number;
  /** Most connections the pool may hold. */
  readonly connections: number;
  readonly minIdle: number;
  /** The pool's workers draw from the key numbers `firstKey` … `firstKey + keys - 1`. */
  readonly firstKey: number;
  readonly keys: number;
}

/** What one thread has to do for one scenario of one round. */
export interface ThreadTask {
  /** Position of the thread in this scenario, from 0: its slot in `shared` and a part of its seed. */
  readonly thread: number;
  readonly address: Address;
  readonly client: Client;
  readonly preset: Preset;
  readonly probe: Probe;
  readonly healthTtlMs: number;
  readonly pools: readonly PoolShare[];
  /** Commands written together and awaited together by one worker. */
  readonly pipeline: number;
  readonly keyPrefix: string;
  readonly valueBytes: number;
  /** Share of GET among the commands, 0 to 1; the rest is SET. */
  readonly readShare: number;
  /** Seed of this thread's generator: the same seed draws the same keys in the same order. */
  readonly seed: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
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

/** What a thread hands back if its pools could not open their connections: the reason. */
export interface ThreadRefusal {
  readonly refused: string;
}

/** What one thread hands back. An operation belongs to the window in which it was due; the drain completes it. */
export interface ThreadSample {
  readonly thread: number;
  /** Length of the measured window: shorter than asked for when the run was stopped in it. */
  readonly seconds: number;
  /** Measured operations: issued = completed + failed + unfinished. */
  readonly issued: number;
  readonly completed: number;
  /** By error code: the first word of an error reply (`OOM`), or that of the connection (`ECONNRESET`, `TIMEOUT`). */
  readonly failed: Readonly<Record<string, number>>;
  readonly unfinished: number;
  /** GETs that found no value, among the completed. */
  readonly misses: number;
  /** Operations of the discarded warm-up that the server answered without an error. */
  readonly warmupCompleted: number;
  /** HDR V2 compressed, base64, nanoseconds, 3 digits. */
  readonly service: string;
  readonly response: string;
  /** Latencies above the histogram's range; they count in it as its highest value. */
  readonly overRange: number;
  readonly series: readonly SecondSample[];
  /** One for each pool of the thread. */
  readonly pools: readonly PoolSnapshot[];
  /** Share of the measured window in which the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number;
}
