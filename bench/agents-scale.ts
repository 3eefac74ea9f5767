import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Agents } from '../src/main/agents/agents.ts';
import type { Scenario } from '../src/main/experiment/scenarios.ts';
import type { Target } from '../src/main/server/find-target.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import { startStubs } from './agents-stub.ts';
import { poolTask } from './load-arm.ts';
import type { Question } from './question.ts';
import { range } from './report.ts';

const counts = (process.env.AGENTS ?? '64,256,1000').split(',').map(Number);
/** Of each agent. */
const threadsEach = Number(process.env.THREADS ?? 1);
/** What the prototype took for a turn, in seconds, without the lead. */
const prototype: Readonly<Record<number, string>> = { 64: '0.3–0.7', 256: '1.1–2.4', 1000: '2.8–5.0' };
/** Of the load that a sample tells of. */
const windowSeconds = 1;
const leadSeconds = 0.03;

/**
 * A turn with many agents, of which only the load is missing: how long it takes, the coordinator's CPU, and the memory of
 * the control server. They share one process and this machine's cores, so on few cores it is theirs, too.
 */
export const ask: Question = async ({ server, report, rounds }) => {
  const url = `redis://127.0.0.1:${server.port}`;
  report.title(`Many agents, threads each: ${threadsEach}`);
  const rows: string[][] = [];
  for (const count of counts) {
    const group = `scale-${count}`;
    const stop = startStubs({ url, group, agents: count, threads: threadsEach, seconds: windowSeconds });
    const agents = await Agents.enlist({
      ...{ url, agents: count, group, waitMs: 120_000, name: group, say: () => {} },
      signal: new AbortController().signal,
    });
    try {
      const figures = await measureTurns(agents, count, server.port, rounds);
      rows.push([
        String(count),
        range(figures.seconds, 2),
        prototype[count] ?? '',
        range(figures.cpuSeconds, 2),
        range(figures.memoryMb, 0),
      ]);
    } finally {
      await agents.end();
      stop();
    }
  }
  report.table(
    ['agents', 'turn, s without lead', 'prototype', 'coordinator CPU, s', 'control server, MB at most'],
    rows,
  );
};

async function measureTurns(agents: Agents, count: number, port: number, rounds: number) {
  const threadCount = count * threadsEach;
  const shared = () => SharedState.forThreads(threadCount);
  const options = { client: 'wire', port, connections: 1, pipeline: 1, seconds: windowSeconds } as const;
  const first = poolTask(options, shared());
  const target = { address: first.address, control: { address: first.address } } as Target;
  const threads = agents.threads([{ threads: threadCount, hosts: 0, cutEveryMs: 0 } as Scenario], [target]);
  const found = { seconds: [] as number[], cpuSeconds: [] as number[], memoryMb: [] as number[] };
  const redis = new Redis({ port });
  try {
    for (let round = 0; round < rounds; round++) {
      const memory = watchMemory(redis);
      const state = shared();
      const tasks = Array.from({ length: threadCount }, (_, thread) => ({
        ...poolTask(options, state, thread),
        ...{ address: first.address, warmupSeconds: 0, keyPrefix: 'poolbench:1:' },
      }));
      const cpu = process.cpuUsage();
      const startMs = performance.now();
      const samples = await threads.run(
        tasks,
        state,
        () => {},
        tasks.map((_, index) => index),
      );
      if (samples.length !== threadCount)
        throw new Error(`expected ${threadCount} samples, found ${samples.length}`);
      found.seconds.push((performance.now() - startMs) / 1000 - leadSeconds);
      const { user, system } = process.cpuUsage(cpu);
      found.cpuSeconds.push((user + system) / 1e6);
      found.memoryMb.push(await memory());
    }
  } finally {
    redis.disconnect();
  }
  return found;
}

/** The maximum that the server reports until it is called. */
function watchMemory(redis: Redis): () => Promise<number> {
  let max = 0;
  let over = false;
  const watching = (async () => {
    while (!over) {
      const info = await redis.info('memory');
      max = Math.max(max, Number(/used_memory:(\d+)/.exec(info)?.[1] ?? 0) / 2 ** 20);
      await sleep(20);
    }
  })();
  return async () => {
    over = true;
    await watching;
    return max;
  };
}
