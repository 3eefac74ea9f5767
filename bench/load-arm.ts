import { setTimeout as sleep } from 'node:timers/promises';
import { nowNs } from '../src/pool/clock.ts';
import type { Client } from '../src/pool/presets.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import runTask from '../src/workers/thread.ts';
import { plainWorkload } from '../src/workers/workload/plain-workload.ts';

export interface ArmOptions {
  readonly client: Client;
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  readonly seconds: number;
}

export interface ArmFigures {
  readonly opsPerSecond: number;
  readonly cpuMicrosPerOp: number;
  readonly userMicrosPerOp: number;
}

const warmupSeconds = 0.7;
/** Makes keys as long as those of redis-benchmark: all arms send as many bytes. */
export const keyPrefix = 'bench:1:';
export const keys = 10_000;
export const valueBytes = 32;

/** Counts operations and CPU between two instants, with the server's load steady around them. */
export async function measureWindow(seconds: number, completed: () => number): Promise<ArmFigures> {
  await sleep(warmupSeconds * 1000);
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

/** One thread's load by poolbench, optimized pool, in this process. */
export async function drivePoolbench({
  client,
  port,
  connections,
  pipeline,
  seconds,
}: ArmOptions): Promise<ArmFigures> {
  const shared = SharedState.forThreads(1);
  const sample = runTask({
    thread: 0,
    address: { host: '127.0.0.1', port, tls: false, database: 0 },
    client,
    preset: 'optimized',
    probe: 'poll',
    healthTtlMs: 1000,
    connects: 'parallel',
    autoPipelining: false,
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
    workload: plainWorkload({ keys, valueBytes, readShare: 0.5 }),
    seed: 1,
    warmupSeconds: 0,
    // The window is cut out of the middle by measureWindow; the load outlasts it.
    seconds: warmupSeconds + seconds + 0.5,
    timeoutMs: 5000,
    shared: shared.buffer,
  });
  while (shared.ready === 0) await sleep(1);
  shared.release(nowNs());
  // The thread publishes its counters every 50 ms: against seconds, that is 1 % at most, and the same in every round.
  const figures = await measureWindow(seconds, () => shared.progress(0).completed);
  const outcome = await sample;
  if ('refused' in outcome) throw new Error(outcome.refused);
  const failed = outcome.loads.map(load => load.failed).filter(byCode => Object.keys(byCode).length > 0);
  if (failed.length > 0) throw new Error(`operations failed: ${JSON.stringify(failed)}`);
  return figures;
}
