/**
 * How late the generator comes to its arrivals, on one thread and a redis-server of its own on loopback. It takes an idle
 * core for each of the two. Start: `npm run build && tsx bench/open-loop-lag.ts [RATE…]`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import type { RoundResult } from '../src/aggregate/result.ts';
import { mergeSamples } from '../src/aggregate/stats/merge.ts';
import { findServerBinary } from '../src/main/server/find-server.ts';
import { startServer } from '../src/main/server/server-process.ts';
import { nowNs } from '../src/pool/clock.ts';
import type { Client } from '../src/pool/presets.ts';
import type { ThreadSample, ThreadTask } from '../src/workers/contract.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import { plainWorkload } from '../test/support/plain-workload.ts';

const rates = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1000, 5000, 20_000, 50_000];
const workers = 50;
const seconds = 2;
const warmupSeconds = 0.5;

function buildTask(port: number, shared: SharedState, client: Client, rate: number): ThreadTask {
  return {
    thread: 0,
    address: { host: '127.0.0.1', port, tls: false, database: 0 },
    client,
    preset: 'optimized',
    probe: 'poll',
    healthTtlMs: 1000,
    connects: 'parallel',
    clientOptions: {},
    autoPipelining: false,
    readFrom: 'primary',
    transport: 'direct',
    burst: false,
    openLoop: { arrivals: { kind: 'constant', rate, size: 1 }, pools: 1, firstPool: 0 },
    pools: [
      {
        groups: [{ workers, pipeline: 1 }],
        connections: workers,
        minIdle: workers,
        firstKey: 0,
        keys: 1000,
      },
    ],
    keyPrefix: 'bench:',
    workload: plainWorkload({ keys: 1000, valueBytes: 32, readShare: 0.5 }),
    seed: 1,
    valueSeed: 1,
    warmupSeconds,
    seconds,
    timeoutMs: 5000,
    shared: shared.buffer,
  };
}

async function measure(
  threads: Piscina,
  port: number,
  client: Client,
  rate: number,
): Promise<{ sample: ThreadSample; round: RoundResult }> {
  const shared = SharedState.forThreads(1);
  const running = threads.run(buildTask(port, shared, client, rate)) as Promise<ThreadSample>;
  while (shared.ready < 1) await sleep(1);
  const releasedNs = nowNs() + 10e6;
  shared.openWindow(releasedNs + warmupSeconds * 1e9);
  shared.release(releasedNs);
  const sample = await running;
  const context = {
    round: 1,
    startedAt: null,
    clientCpuMicros: 0,
    machineBusyShare: 0,
    cuts: 0,
    basePingMs: null,
  };
  const unknown = { serverCores: null, serverMainThreadCores: null, serverCalls: null };
  return { sample, round: mergeSamples([sample], { ...context, ...unknown }) };
}

const binary = await findServerBinary('redis', console.error);
if ('reason' in binary) throw new Error(binary.reason);
const server = await startServer('redis', binary, {});
const threads = new Piscina({
  filename: new URL('../dist/workers/thread.js', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
  concurrentTasksPerWorker: 1,
  atomics: 'disabled',
  execArgv: [],
  recordTiming: false,
});
const micros = (ms: number) => (ms * 1000).toFixed(0);
const percent = (share: number | null) => (share === null ? '–' : `${(share * 100).toFixed(0)} %`);
console.log(
  '| client | rate | lag p50 µs | p99 | p99.9 | max | response p50 µs | p99 | spun | without a core | collections |',
);
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
try {
  for (const client of ['wire', 'ioredis'] as const) {
    for (const rate of rates) {
      const { sample, round } = await measure(threads, server.port, client, rate);
      const { openLoop, response } = round;
      if (openLoop === null) throw new Error('expected an open loop');
      const { lag, spinShare } = openLoop;
      const cells = [
        ...[client, rate, micros(lag.p50), micros(lag.p99), micros(lag.p999), micros(lag.max)],
        ...[micros(response.p50), micros(response.p99), percent(spinShare)],
        ...[percent(sample.threadLoad.waitShare)],
        `${sample.threadLoad.gcPauses} in ${sample.threadLoad.gcMs.toFixed(1)} ms`,
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
} finally {
  await threads.destroy();
  await server.stop();
}
