/**
 * What poolbench adds to ioredis: its load and a bare loop over the same kind of connections, in turn, in one process,
 * so that both run the same compiled code on the same machine's mood. Start: `tsx bench/ioredis-overhead.ts PORT PAIRS`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { keyName } from '../src/pool/batch.ts';
import { Prng } from '../src/workers/prng.ts';
import { randomValue } from '../src/workers/workload/random-value.ts';
import { type ArmFigures, drivePoolbench, keyPrefix, keys, measureWindow, valueBytes } from './load-arm.ts';

export interface OverheadPair {
  readonly poolbench: ArmFigures;
  readonly bare: ArmFigures;
}

const connections = 50;
const seconds = 0.6;

/** A home-made script's loop: no pool, no clock, no histogram. */
async function driveBare(port: number): Promise<ArmFigures> {
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

const [port = 6379, pairs = 10] = process.argv.slice(2).map(Number);
const load = { client: 'ioredis', port, connections, pipeline: 1, seconds } as const;
const measured: OverheadPair[] = [];
for (let pair = 0; pair < pairs; pair++) {
  // Who comes first changes from pair to pair.
  const bareFirst = pair % 2 === 1 ? await driveBare(port) : undefined;
  const poolbench = await drivePoolbench(load);
  measured.push({ poolbench, bare: bareFirst ?? (await driveBare(port)) });
}
process.stdout.write(`${JSON.stringify(measured)}\n`);
