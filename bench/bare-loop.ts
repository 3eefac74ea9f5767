import { Redis } from 'ioredis';
import { keyName } from '../src/pool/client/batch.ts';
import { nowNs } from '../src/pool/clock.ts';
import { LatencyCounts } from '../src/pool/latency-counts.ts';
import { Prng } from '../src/workers/prng.ts';
import { randomValue } from '../src/workers/workload/values.ts';
import { type ArmFigures, type ArmOptions, keyPrefix, keys, measureWindow, valueBytes } from './load-arm.ts';

/** An operation: the key is read, or this value is written to it. */
interface Operation {
  readonly key: string;
  readonly value: string | undefined;
}

/** One connection, as its library's manual would use it. */
interface BareClient {
  one(operation: Operation): Promise<unknown>;
  /** All of them on their way together. */
  many(operations: readonly Operation[]): Promise<unknown>;
  close(): void;
}

const open = { ioredis: openIoredis, 'node-redis': openNodeRedis, 'valkey-glide': openGlide };
export type BareClientName = keyof typeof open;

/** A home-made script's loops, one a connection: no pool, and of measuring only what tells the latencies. */
export async function driveBare({
  client,
  port,
  connections,
  pipeline,
  seconds,
}: Omit<ArmOptions, 'client'> & { readonly client: BareClientName }): Promise<ArmFigures> {
  const value = randomValue(valueBytes, 1);
  const prng = new Prng(1);
  const latencies = new LatencyCounts(3);
  let completed = 0;
  let running = true;
  const draw = (): Operation => {
    const read = prng.draw() < 2 ** 31;
    const key = keyName(keyPrefix, Math.floor((prng.draw() / 2 ** 32) * keys));
    return { key, value: read ? undefined : value };
  };
  const clients = await Promise.all(Array.from({ length: connections }, () => open[client](port)));
  const loops = clients.map(async one => {
    while (running) {
      const startNs = nowNs();
      if (pipeline === 1) await one.one(draw());
      else await one.many(Array.from({ length: pipeline }, draw));
      latencies.add(nowNs() - startNs, pipeline);
      completed += pipeline;
    }
  });
  const figures = await measureWindow(
    seconds,
    () => completed,
    () => latencies.reset(),
  );
  const percentiles = { p50Ms: latencies.valueAt(50) / 1e6, p99Ms: latencies.valueAt(99) / 1e6 };
  running = false;
  await Promise.all(loops);
  for (const one of clients) one.close();
  return { ...figures, ...percentiles };
}

async function openIoredis(port: number): Promise<BareClient> {
  const redis = new Redis({ port, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true });
  await redis.connect();
  return {
    one: ({ key, value }) => (value === undefined ? redis.get(key) : redis.set(key, value)),
    many(operations) {
      const pipeline = redis.pipeline();
      for (const { key, value } of operations) {
        if (value === undefined) pipeline.get(key);
        else pipeline.set(key, value);
      }
      return pipeline.exec();
    },
    close: () => redis.disconnect(),
  };
}

async function openNodeRedis(port: number): Promise<BareClient> {
  const { createClient } = await import('redis');
  const client = createClient({ socket: { host: '127.0.0.1', port } });
  await client.connect();
  const one = ({ key, value }: Operation): Promise<unknown> =>
    value === undefined ? client.get(key) : client.set(key, value);
  return {
    one,
    // It writes together what is asked in one turn of the event loop.
    many: operations => Promise.all(operations.map(one)),
    close: () => client.destroy(),
  };
}

async function openGlide(port: number): Promise<BareClient> {
  const { Batch, GlideClient } = await import('@valkey/valkey-glide');
  const client = await GlideClient.createClient({ addresses: [{ host: '127.0.0.1', port }] });
  return {
    one: ({ key, value }) => (value === undefined ? client.get(key) : client.set(key, value)),
    many(operations) {
      const batch = new Batch(false);
      for (const { key, value } of operations) {
        if (value === undefined) batch.get(key);
        else batch.set(key, value);
      }
      return client.exec(batch, true);
    },
    close: () => client.close(),
  };
}
