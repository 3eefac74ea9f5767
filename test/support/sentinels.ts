import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { startSupervised } from '../../src/main/server/server-process.ts';
import { until } from './connections.ts';
import { connectObserver } from './observed-server.ts';
import { ownPort } from './ports.ts';
import { startRedis, type TestServer } from './servers.ts';

export const masterName = 'mymaster';

export interface TestSentinels {
  /** `host:port` of each. */
  readonly places: readonly string[];
  /** `redis://` and the first one's place. */
  readonly url: string;
  /** The master that the first one names now. */
  master(): Promise<number>;
  /** Lets them notice that the master is gone. Before that they do not fail over, even if the master has no core for a while. */
  notice(): Promise<void>;
}

/** Sentinels of the test's own that watch one master. */
export async function startSentinels(
  masterPort: number,
  {
    count = 1,
    lines = [],
    onEnd = onTestFinished,
  }: {
    count?: number;
    /** More lines of their config. */
    lines?: readonly string[];
    /** When they are to end: with the test, unless a file has them for all of its tests (`afterAll`). */
    onEnd?: (stop: () => Promise<void>) => void;
  } = {},
): Promise<TestSentinels> {
  const binary = inject('servers').redis;
  const quorum = Math.floor(count / 2) + 1;
  const ports: number[] = [];
  for (let i = 0; i < count; i++) {
    const port = await ownPort();
    // Sentinels write their config: each has its own, in the folder that goes with its process.
    const sentinel = await startSupervised(
      directory => {
        const config = join(directory, 'sentinel.conf');
        const text = [
          `port ${port}`,
          'bind 127.0.0.1',
          `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} ${quorum}`,
          `sentinel down-after-milliseconds ${masterName} 3600000`,
          `sentinel failover-timeout ${masterName} 3000`,
          ...lines,
        ];
        writeFileSync(config, `${text.join('\n')}\n`);
        return [binary.path, config, '--sentinel'];
      },
      { port, env: binary.env },
    );
    onEnd(() => sentinel.stop());
    ports.push(port);
  }
  const places = ports.map(port => `127.0.0.1:${port}`);
  const url = `redis://${places[0]}`;
  return {
    places,
    url,
    async master() {
      const redis = await connectObserver(url);
      const [, port] = (await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName)) as string[];
      redis.disconnect();
      return Number(port);
    },
    async notice() {
      for (const place of places) {
        const redis = await connectObserver(`redis://${place}`);
        await redis.call('SENTINEL', 'SET', masterName, 'down-after-milliseconds', '500');
        redis.disconnect();
      }
    },
  };
}

/** A master with one replica in step with it; they end with the test. */
export async function startReplicated(
  args: readonly string[] = [],
  login: { readonly password?: string } = {},
): Promise<{ master: TestServer; replica: TestServer }> {
  // Else a master waits five seconds for other replicas before it sends its data to the first.
  const master = await startRedis({ args: [...args, '--repl-diskless-sync-delay', '0'] });
  onTestFinished(() => master.stop());
  const replica = await startRedis({ args: [...args, '--replicaof', '127.0.0.1', String(master.port)] });
  onTestFinished(() => replica.stop());
  const redis = await connectObserver(master.url, login);
  await until(async () => /^slave0:.*state=online/m.test(await redis.info('replication')), 20);
  redis.disconnect();
  return { master, replica };
}

/** Resolves when every Sentinel knows the replica and the other Sentinels: before that none can be promoted. */
export async function untilAllIsKnown({ places }: TestSentinels): Promise<void> {
  for (const place of places) {
    const redis = await connectObserver(`redis://${place}`);
    await until(async () => {
      const [, replicas, known] = /slaves=(\d+),sentinels=(\d+)/.exec(await redis.info('sentinel')) ?? [];
      return Number(replicas) === 1 && Number(known) === places.length;
    }, 20);
    redis.disconnect();
  }
}
