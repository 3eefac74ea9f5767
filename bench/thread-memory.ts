import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { nowNs } from '../src/pool/clock.ts';
import type { ThreadTask } from '../src/workers/contract.ts';
import { SharedState } from '../src/workers/shared-state.ts';

const threadFile = new URL('../dist/workers/thread.js', import.meta.url).href;
const emptyFile = fileURLToPath(new URL('empty-thread.mjs', import.meta.url));

/** Megabytes of this process for each of `threads` Piscina threads: empty, and driving 50 wire connections each. */
export async function measureThreadMemory(port: number, threads: number) {
  return {
    emptyMegabytes: await residentPerThread(emptyFile, threads, () => undefined),
    wireMegabytes: await residentPerThread(threadFile, threads, shared => wireTask(port, shared)),
  };
}

async function residentPerThread(
  filename: string,
  threads: number,
  task: (shared: SharedState) => ThreadTask | undefined,
): Promise<number> {
  const before = process.memoryUsage.rss();
  const piscina = new Piscina({
    filename,
    minThreads: threads,
    maxThreads: threads,
    atomics: 'disabled',
    execArgv: [],
  });
  const shared = SharedState.forThreads(threads);
  shared.release(nowNs());
  const running = Array.from({ length: threads }, () => piscina.run(task(shared)));
  await Promise.all(running);
  const megabytes = (process.memoryUsage.rss() - before) / 1e6 / threads;
  await piscina.destroy();
  return megabytes;
}

function wireTask(port: number, shared: SharedState): ThreadTask {
  return {
    thread: 0,
    address: { host: '127.0.0.1', port, tls: false, database: 0 },
    client: 'wire',
    preset: 'optimized',
    probe: 'poll',
    healthTtlMs: 1000,
    pools: [{ workers: 50, connections: 50, minIdle: 50, firstKey: 0, keys: 1000 }],
    pipeline: 1,
    keyPrefix: 'poolbench:bench:',
    valueBytes: 32,
    readShare: 0.5,
    seed: 1,
    warmupSeconds: 0,
    seconds: 1,
    timeoutMs: 5000,
    shared: shared.buffer,
  };
}
