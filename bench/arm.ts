/**
 * One arm of a comparison, in a process of its own: drives one thread's load against a server and prints, as JSON,
 * the operations and the CPU of this process within the measured window. Start: `tsx bench/arm.ts '{…}'`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { keyName } from '../src/pool/batch.ts';
import { nowNs } from '../src/pool/clock.ts';
import type { Client } from '../src/pool/presets.ts';
import { createPrng } from '../src/workers/prng.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import runTask from '../src/workers/thread.ts';
import { randomValue } from '../src/workers/workload.ts';

export interface ArmOptions {
  /** `bare-ioredis`: one loop a connection, no pool and no measurement, as a home-made script would do it. */
  readonly client: Client | 'bare-ioredis';
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  readonly seconds: number;
}

export interface ArmFigures {
  readonly operations: number;
  readonly seconds: number;
  readonly cpuMicrosPerOp: number;
  readonly userMicrosPerOp: number;
}

const warmupSeconds = 1;
const keyPrefix = 'poolbench:bench:';
const keys = 10_000;
const valueBytes = 32;

/** Counts operations and CPU between two instants, with the server's load steady around them. */
async function measureWindow(seconds: number, completed: () => number): Promise<ArmFigures> {
  await sleep(warmupSeconds * 1000);
  const before = { cpu: process.cpuUsage(), completed: completed(), ns: nowNs() };
  await sleep(seconds * 1000);
  const cpu = process.cpuUsage(before.cpu);
  const operations = completed() - before.completed;
  return {
    operations,
    seconds: (nowNs() - before.ns) / 1e9,
    cpuMicrosPerOp: (cpu.user + cpu.system) / operations,
    userMicrosPerOp: cpu.user / operations,
  };
}

async function poolbenchArm({
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
    client: client as Client,
    preset: 'optimized',
    probe: 'poll',
    healthTtlMs: 1000,
    pools: [{ workers: connections, connections, minIdle: connections, firstKey: 0, keys }],
    pipeline,
    keyPrefix,
    valueBytes,
    readShare: 0.5,
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
  const { failed } = outcome;
  if (Object.keys(failed).length > 0) throw new Error(`operations failed: ${JSON.stringify(failed)}`);
  return figures;
}

async function bareIoredisArm({ port, connections, seconds }: ArmOptions): Promise<ArmFigures> {
  const value = randomValue(valueBytes, 1);
  const draw = createPrng(1);
  let completed = 0;
  let running = true;
  const loop = async () => {
    const redis = new Redis({ port, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true });
    await redis.connect();
    while (running) {
      const read = draw() < 2 ** 31;
      const key = keyName(keyPrefix, Math.floor((draw() / 2 ** 32) * keys));
      if (read) await redis.get(key);
      else await redis.set(key, value);
      completed++;
    }
    redis.disconnect();
  };
  const loops = Array.from({ length: connections }, loop);
  const figures = await measureWindow(seconds, () => completed);
  running = false;
  await Promise.all(loops);
  return figures;
}

const options = JSON.parse(process.argv[2] ?? '{}') as ArmOptions;
const figures = await (options.client === 'bare-ioredis' ? bareIoredisArm(options) : poolbenchArm(options));
process.stdout.write(`${JSON.stringify(figures)}\n`);
