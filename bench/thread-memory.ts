import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { SharedState } from '../src/workers/shared-state.ts';
import { poolTask, release } from './load-arm.ts';
import type { Question } from './question.ts';

const arms = { empty: residentEmpty, wire: residentWire };
const thisFile = fileURLToPath(import.meta.url);
/** Of the load; memory is read in its last quarter. */
const seconds = 2;

/** Megabytes for each of `threads` Piscina threads: empty, and driving 50 wire connections each, read during the load. */
async function measureThreadMemory(port: number, threads: number) {
  return {
    emptyMegabytes: await inChild('empty', port, threads),
    wireMegabytes: await inChild('wire', port, threads),
  };
}

/** A process for each arm: pages that one has freed would be used again by the next, and cost it nothing. */
async function inChild(arm: keyof typeof arms, port: number, threads: number): Promise<number> {
  // A fork takes over this process's flags, and so tsx's hooks.
  const child = fork(thisFile, [arm, String(port), String(threads)]);
  let megabytes: number | undefined;
  child.on('message', message => {
    megabytes = Number(message);
  });
  const [code] = await once(child, 'close');
  if (megabytes === undefined) throw new Error(`expected the memory of ${arm} threads, found exit ${code}`);
  return megabytes;
}

async function residentEmpty(_port: number, threads: number): Promise<number> {
  const flags = new Int32Array(new SharedArrayBuffer(8));
  return residentPerThread(new URL('empty-thread.mjs', import.meta.url), threads, {
    task: () => flags.buffer,
    ready: () => Atomics.load(flags, 0),
    start: () => undefined,
    end: () => Atomics.store(flags, 1, 1),
  });
}

async function residentWire(port: number, threads: number): Promise<number> {
  const shared = SharedState.forThreads(threads);
  return residentPerThread(new URL('../dist/workers/thread.js', import.meta.url), threads, {
    task: thread => poolTask({ client: 'wire', port, connections: 50, pipeline: 1, seconds }, shared, thread),
    ready: () => shared.ready,
    start: () => release(shared),
    end: () => undefined,
  });
}

interface Arm {
  readonly task: (thread: number) => unknown;
  /** How many threads are there. */
  readonly ready: () => number;
  readonly start: () => void;
  readonly end: () => void;
}

async function residentPerThread(file: URL, threads: number, arm: Arm): Promise<number> {
  const before = process.memoryUsage.rss();
  const piscina = new Piscina({
    filename: file.href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    execArgv: [],
  });
  const running = Promise.all(Array.from({ length: threads }, (_, thread) => piscina.run(arm.task(thread))));
  const reading = (async () => {
    while (arm.ready() < threads) await sleep(10);
    arm.start();
    await sleep(seconds * 750);
    return process.memoryUsage.rss();
  })();
  // A thread that fails ends the wait for the others.
  const during = await Promise.race([reading, running.then(() => reading)]);
  arm.end();
  await running;
  await piscina.destroy();
  return (during - before) / 1e6 / threads;
}

export const ask: Question = async ({ server, report }) => {
  const { emptyMegabytes, wireMegabytes } = await measureThreadMemory(server.port, 8);
  report.title('Memory of a thread');
  report.say(
    `${emptyMegabytes.toFixed(1)} MB empty, ${wireMegabytes.toFixed(1)} MB with the wire client and 50 connections: ` +
      `${(wireMegabytes - emptyMegabytes).toFixed(1)} MB more (goal: under 15 MB)\n`,
  );
};

const [, script, arm, port, threads] = process.argv;
if (script === thisFile && (arm === 'empty' || arm === 'wire')) {
  process.send?.(await arms[arm](Number(port), Number(threads)));
  process.disconnect();
}
