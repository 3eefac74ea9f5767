import { setTimeout as sleep } from 'node:timers/promises';
import { mergeLatencies } from '../src/aggregate/stats/histogram.ts';
import { nowNs } from '../src/pool/clock.ts';
import type { Client, Transport } from '../src/pool/presets.ts';
import type { ThreadTask } from '../src/workers/contract.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import runTask from '../src/workers/thread.ts';
import { plainWorkload } from '../test/support/plain-workload.ts';

export interface ArmOptions {
  readonly client: Client;
  /** Of wire. @default direct */
  readonly transport?: Transport;
  /** Of a client that is loaded. */
  readonly clientFile?: string;
  /** Its sessions are the operations. */
  readonly script?: string;
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  readonly seconds: number;
}

/** What a process did in its measured window, and the CPU it took. */
export interface WindowFigures {
  readonly opsPerSecond: number;
  readonly cpuMicrosPerOp: number;
  /** The part of it outside of the kernel. */
  readonly userMicrosPerOp: number;
}

export interface ArmFigures extends WindowFigures {
  /** NaN, null in JSON, where the tool does not tell. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Until V8 has compiled what is hot: its compiling is CPU of this process, too. */
const warmupSeconds = 1;
/** Makes keys as long as those of redis-benchmark: all arms send as many bytes. */
export const keyPrefix = 'bench:1:';
export const keys = 10_000;
export const valueBytes = 32;

/** Counts operations and CPU between two instants, with the server's load steady around them. */
export async function measureWindow(
  seconds: number,
  completed: () => number,
  onBegin = () => {},
): Promise<WindowFigures> {
  await sleep(warmupSeconds * 1000);
  onBegin();
  const before = { cpu: process.cpuUsage(), completed: completed(), ns: nowNs() };
  await sleep(seconds * 1000);
  const cpu = process.cpuUsage(before.cpu);
  const operations = completed() - before.completed;
  return {
    opsPerSecond: operations / ((nowNs() - before.ns) / 1e9),
    cpuMicrosPerOp: (cpu.user + cpu.system) / operations,
    userMicrosPerOp: cpu.user / operations,
  };
}

/** The task of a thread with one optimized pool, in which every worker has a connection. */
export function poolTask(
  { client, transport = 'direct', clientFile, script, port, connections, pipeline, seconds }: ArmOptions,
  shared: SharedState,
  thread = 0,
): ThreadTask {
  return {
    thread,
    address: { host: '127.0.0.1', port, tls: false, database: 0 },
    client,
    ...(clientFile === undefined ? {} : { clientFile }),
    preset: 'optimized',
    probe: 'poll',
    healthTtlMs: 1000,
    connects: 'parallel',
    clientOptions: {},
    autoPipelining: false,
    readFrom: 'primary',
    transport,
    burst: false,
    openLoop: null,
    pools: [
      {
        groups: [{ workers: connections, pipeline }],
        connections,
        minIdle: connections,
        firstKey: 0,
        keys,
      },
    ],
    keyPrefix,
    workload: {
      ...plainWorkload({ keys, valueBytes, readShare: 0.5 }),
      ...(script === undefined ? {} : { commands: [], script }),
    },
    seed: 1,
    valueSeed: 1,
    warmupSeconds,
    seconds,
    timeoutMs: 5000,
    shared: shared.buffer,
  };
}

/** Starts the load of `poolTask` now, and its measured window after the warm-up. */
export function release(shared: SharedState): void {
  const releasedNs = nowNs();
  shared.openWindow(releasedNs + warmupSeconds * 1e9);
  shared.release(releasedNs);
}

/** One thread's load by poolbench, in this process. */
export async function drivePoolbench(options: ArmOptions): Promise<ArmFigures> {
  const shared = SharedState.forThreads(1);
  const sample = runTask(poolTask(options, shared));
  while (shared.ready === 0) await sleep(1);
  release(shared);
  await sleep(warmupSeconds * 1000);
  const before = process.cpuUsage();
  await sleep(options.seconds * 1000);
  const cpu = process.cpuUsage(before);
  const outcome = await sample;
  if ('refused' in outcome) throw new Error(outcome.refused);
  const failed = outcome.loads.map(load => load.failed).filter(byCode => Object.keys(byCode).length > 0);
  if (failed.length > 0) throw new Error(`operations failed: ${JSON.stringify(failed)}`);
  const completed = outcome.loads.reduce((sum, load) => sum + load.completed, 0);
  const { summary } = mergeLatencies(outcome.loads.map(load => load.response));
  return {
    opsPerSecond: completed / outcome.seconds,
    cpuMicrosPerOp: (cpu.user + cpu.system) / completed,
    userMicrosPerOp: cpu.user / completed,
    p50Ms: summary.p50,
    p99Ms: summary.p99,
  };
}
