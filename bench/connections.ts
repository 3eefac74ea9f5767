import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '../src/pool/presets.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import runTask from '../src/workers/thread.ts';
import { answer, childArgument, runInChild } from './child.ts';
import { drivePoolbench, poolTask, release } from './load-arm.ts';
import type { Question } from './question.ts';

const wanted = 10_000;
/** Descriptors that a process needs beside its connections. */
const spare = 100;
const seconds = 3;

interface Child {
  readonly port: number;
  readonly client: Client;
  readonly connections: number;
}

interface Found {
  readonly idleKilobytes: number;
  readonly loadedKilobytes: number;
  readonly connectSeconds: number;
  readonly opsPerSecond: number;
  readonly failed: number;
}

/** Ten thousand connections from one thread, each with a worker: what a connection takes of memory, idle and under load. */
export const ask: Question = async ({ server, report }) => {
  const connections = Math.min(wanted, hardLimit() - spare);
  report.title(`${connections} connections in one pool and one thread`);
  if (connections < wanted) report.say(`${wanted} were wanted: \`ulimit -Hn\` allows no more.\n`);
  const rows: string[][] = [];
  for (const client of ['wire', 'ioredis'] as const) {
    const child: Child = { port: server.port, client, connections };
    const found = await runInChild<Found>(fileURLToPath(import.meta.url), child);
    rows.push([
      client,
      found.idleKilobytes.toFixed(1),
      found.loadedKilobytes.toFixed(1),
      found.connectSeconds.toFixed(1),
      found.opsPerSecond.toFixed(0),
      String(found.failed),
      client === 'wire' ? '< 20 KB' : '',
    ]);
  }
  report.table(
    [
      'client',
      'KB a connection, idle',
      'under load, with its worker',
      'connect s',
      'ops/s',
      'failed',
      'goal',
    ],
    rows,
  );
};

/** Node takes all that it may of itself, and so does the server. */
function hardLimit(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

async function measure({ port, client, connections }: Child): Promise<Found> {
  // What the code itself takes is there before the first look.
  await drivePoolbench({ client, port, connections: 100, pipeline: 1, seconds: 0.5 });
  const before = process.memoryUsage.rss();
  const kilobytes = () => (process.memoryUsage.rss() - before) / 1000 / connections;
  const shared = SharedState.forThreads(1);
  const startMs = performance.now();
  const running = runTask(poolTask({ client, port, connections, pipeline: 1, seconds }, shared));
  while (shared.ready === 0) await sleep(10);
  const connectSeconds = (performance.now() - startMs) / 1000;
  await sleep(500);
  const idleKilobytes = kilobytes();
  release(shared);
  await sleep(seconds * 1000);
  const loadedKilobytes = kilobytes();
  const outcome = await running;
  if ('refused' in outcome) throw new Error(outcome.refused);
  const completed = outcome.loads.reduce((sum, load) => sum + load.completed, 0);
  const issued = outcome.loads.reduce((sum, load) => sum + load.issued, 0);
  return {
    ...{ idleKilobytes, loadedKilobytes, connectSeconds },
    opsPerSecond: completed / outcome.seconds,
    failed: issued - completed,
  };
}

const child = childArgument<Child>(import.meta.url);
if (child !== undefined) answer(await measure(child));
