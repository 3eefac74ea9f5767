/**
 * What poolbench adds to ioredis: its load and a bare loop over the same kind of connections, in turn, in one process,
 * so that both run the same compiled code on the same machine's mood.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { medianInterval } from '../src/aggregate/stats/sign-test.ts';
import { keyName } from '../src/pool/client/batch.ts';
import { Prng } from '../src/workers/prng.ts';
import { randomValue } from '../src/workers/workload/values.ts';
import { answer, childArgument, runInChild } from './child.ts';
import {
  drivePoolbench,
  keyPrefix,
  keys,
  measureWindow,
  valueBytes,
  type WindowFigures,
} from './load-arm.ts';
import type { Question } from './question.ts';

interface Child {
  readonly port: number;
  readonly pairs: number;
}

interface OverheadPair {
  readonly poolbench: WindowFigures;
  readonly bare: WindowFigures;
}

const connections = 50;
const seconds = 0.6;

/** A home-made script's loop: no pool, no clock, no histogram. */
async function driveBare(port: number): Promise<WindowFigures> {
  const value = randomValue(valueBytes, 1);
  const prng = new Prng(1);
  let completed = 0;
  let running = true;
  const loop = async () => {
    const redis = new Redis({ port, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true });
    await redis.connect();
    while (running) {
      const read = prng.draw() < 2 ** 31;
      const key = keyName(keyPrefix, Math.floor((prng.draw() / 2 ** 32) * keys));
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
  await sleep(50);
  return figures;
}

/** What the pairs make of it: a single one of such short windows says little, their median does. */
export const ask: Question = async ({ server, report, rounds }) => {
  const child: Child = { port: server.port, pairs: 5 * rounds };
  const pairs = await runInChild<OverheadPair[]>(fileURLToPath(import.meta.url), child);
  const ratio = (key: keyof WindowFigures) => {
    const { median, low, high } = medianInterval(
      pairs.map(({ poolbench, bare }) => poolbench[key] / bare[key]),
    );
    return `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  };
  report.title('ioredis through poolbench, and a bare loop, in turn in one process, 50 connections, depth 1');
  report.table(
    ['figure', `poolbench to the bare loop, median of ${pairs.length} pairs [interval]`, 'goal'],
    [
      ['client CPU per operation', ratio('cpuMicrosPerOp'), 'within 5 %'],
      ['operations per second', ratio('opsPerSecond'), 'within 5 %'],
    ],
  );
};

const child = childArgument<Child>(import.meta.url);
if (child !== undefined) {
  const load = { client: 'ioredis', port: child.port, connections, pipeline: 1, seconds } as const;
  const measured: OverheadPair[] = [];
  for (let pair = 0; pair < child.pairs; pair++) {
    // Who comes first changes from pair to pair.
    const bareFirst = pair % 2 === 1 ? await driveBare(child.port) : undefined;
    const poolbench = await drivePoolbench(load);
    measured.push({ poolbench, bare: bareFirst ?? (await driveBare(child.port)) });
  }
  answer(measured);
}
