import { onTestFinished } from 'vitest';
import type { Address } from '../../src/pool/client/address.ts';
import { IoredisCluster } from '../../src/pool/client/cluster/ioredis-cluster.ts';
import { KeySlots } from '../../src/pool/client/cluster/key-slots.ts';
import { RedirectCount } from '../../src/pool/client/cluster/slot-ranges.ts';
import { connectWireCluster } from '../../src/pool/client/cluster/wire-cluster.ts';
import type { Connect, Connection } from '../../src/pool/connection.ts';
import type { ReadFrom } from '../../src/pool/presets.ts';
import { type ClientName, commands, loopback } from './connections.ts';

interface ClusterClient {
  readonly connect: Connect;
  /** Counted over all of its connections. */
  readonly redirects: RedirectCount;
}

/** What a thread makes of a cluster that it knows by these ports. */
export function clusterClient(
  client: ClientName,
  ports: readonly number[],
  timeoutMs = 5000,
  readFrom: ReadFrom = 'primary',
): ClusterClient {
  const seeds: Address[] = ports.map(port => loopback(port));
  const redirects = new RedirectCount();
  const connect =
    client === 'wire'
      ? connectWireCluster(seeds, commands, timeoutMs, { redirects, readFrom, transport: 'direct' })
      : IoredisCluster.connector(seeds, commands, timeoutMs, {
          autoPipelining: false,
          redirects,
          readFrom,
        });
  return { connect, redirects };
}

/** Opens a connection that closes with the test. */
export async function openClusterConnection(client: ClusterClient): Promise<Connection> {
  const connection = await client.connect();
  onTestFinished(() => connection.close());
  return connection;
}

const slots = new KeySlots(commands.keyPrefix);

interface KeyInSlot {
  readonly key: number;
  readonly slot: number;
}

/** The first key number whose slot passes. */
export function keyWhere(passes: (slot: number) => boolean): KeyInSlot {
  let key = 0;
  while (!passes(slots.of(key))) key++;
  return { key, slot: slots.of(key) };
}

/** Numbers of keys whose slots pass: as many as asked for, each of another slot than those before it. */
export function keysWhere(passes: (slot: number) => boolean, count: number): KeyInSlot[] {
  const found = new Map<number, number>();
  for (let key = 0; found.size < count; key++) {
    const slot = slots.of(key);
    if (passes(slot) && !found.has(slot)) found.set(slot, key);
  }
  return [...found].map(([slot, key]) => ({ key, slot }));
}
