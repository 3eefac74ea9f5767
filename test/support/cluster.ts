import { Redis } from 'ioredis';
import { type NodePlace, readSlotRanges, type SlotRange } from '../../src/pool/client/cluster/slot-ranges.ts';
import { until } from './connections.ts';
import { processId } from './observed-server.ts';
import { ownPort } from './ports.ts';
import { certificates, onFreePorts, startRedis, startValkey, type TestServer } from './servers.ts';

const slotCount = 16384;

/** One node of a cluster of the test's own. */
export interface TestNode {
  readonly url: string;
  readonly port: number;
  /** 0 where it speaks no TLS. */
  readonly tlsPort: number;
  readonly id: string;
  /** A look at it from outside of poolbench. */
  readonly redis: Redis;
  /** Sends a signal to its process: SIGKILL for a crash, SIGSTOP for a node that hangs, until SIGCONT. */
  signal(signal: NodeJS.Signals): void;
}

export interface TestCluster {
  /** The masters at the start, each with as many slots as the others, in the order of their slots. */
  readonly masters: readonly TestNode[];
  /** One of each master, in their order; none unless asked for. */
  readonly replicas: readonly TestNode[];
  readonly nodes: readonly TestNode[];
  /** The master of a slot now, and a replica that could take its place, as the first node that answers has it. */
  servingOf(slot: number): Promise<{ readonly master: TestNode; readonly replica: TestNode | undefined }>;
  stop(): Promise<void>;
}

interface TestClusterOptions {
  readonly masters?: number;
  readonly withReplicas?: boolean;
  readonly server?: 'redis' | 'valkey';
  /**
   * A node that is silent for this long counts as failed, and its slots are not served. By default, longer than a busy
   * machine keeps a node from a core.
   */
  readonly nodeTimeoutMs?: number;
  /** What every node asks of its clients, and of other nodes. */
  readonly password?: string;
  /** Nodes speak TLS to one another, and announce their TLS ports to those who ask in TLS. */
  readonly tls?: boolean;
}

/** A cluster on free loopback ports, in memory only, that serves all slots when it is handed out. */
export async function startCluster({
  masters: masterCount = 3,
  withReplicas = false,
  server = 'redis',
  nodeTimeoutMs = 30_000,
  password,
  tls = false,
}: TestClusterOptions = {}): Promise<TestCluster> {
  const started: (TestServer & { tlsPort: number; busPort: number; redis: Redis; pid: number })[] = [];
  const stop = async () => {
    for (const { redis, pid } of started) {
      redis.disconnect();
      // One that a test has stopped would not hear that it is to end.
      tryKill(pid, 'SIGCONT');
    }
    await Promise.all(started.map(node => node.stop()));
  };
  try {
    const start = server === 'redis' ? startRedis : startValkey;
    for (let node = 0; node < masterCount * (withReplicas ? 2 : 1); node++) {
      const login = password === undefined ? [] : ['--requirepass', password, '--masterauth', password];
      const { one, busPort, tlsPort } = await onFreePorts(async () => {
        // The usual port of the cluster's bus is 10,000 higher, which need not be a port.
        const busPort = await ownPort();
        const tlsPort = tls ? await ownPort() : 0;
        const args = [...clusterArguments(busPort), ...login, ...(tls ? tlsArguments(tlsPort) : [])];
        return { one: await start({ args }), busPort, tlsPort };
      });
      const redis = new Redis(one.url, {
        retryStrategy: () => null,
        ...(password === undefined ? {} : { password }),
      });
      redis.on('error', () => {});
      started.push({ ...one, tlsPort, busPort, redis, pid: await processId(redis) });
    }
    const nodes: TestNode[] = await Promise.all(
      started.map(async ({ url, port, tlsPort, redis, pid }) => ({
        url,
        port,
        tlsPort,
        redis,
        id: String(await redis.cluster('MYID')),
        signal: signal => tryKill(pid, signal),
      })),
    );
    const masters = nodes.slice(0, masterCount);
    const replicas = nodes.slice(masterCount);
    for (const [index, { redis }] of masters.entries()) {
      const bound = (node: number) => Math.floor((slotCount * node) / masterCount);
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', bound(index), bound(index + 1) - 1);
    }
    for (const [index, { redis }] of nodes.entries())
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    for (const { port, tlsPort, busPort } of started.slice(1))
      await nodes[0]?.redis.call('CLUSTER', 'MEET', '127.0.0.1', tls ? tlsPort : port, busPort);
    await untilAll(nodes, async ({ redis }) => (await infoOf(redis)).known === nodes.length);
    for (const [index, { redis }] of replicas.entries()) {
      const master = masters[index] as TestNode;
      await untilAll([master], async () => String(await redis.cluster('NODES')).includes(master.id));
      await redis.call('CLUSTER', 'REPLICATE', master.id);
    }
    await untilAll(replicas, async ({ redis }) =>
      (await redis.info('replication')).includes('master_link_status:up'),
    );
    await untilAll(nodes, async ({ redis }) => {
      const info = await infoOf(redis);
      return info.ok && (await rolesSeenBy(redis)).length === nodes.length;
    });
    for (const { redis } of nodes) await redis.config('SET', 'cluster-node-timeout', nodeTimeoutMs);
    return {
      masters,
      replicas,
      nodes,
      async servingOf(slot) {
        // On a busy machine nodes hold one another for failed now and then: until a replica has taken over, nobody serves.
        for (;;) {
          // A node that was stopped is asked, too, and must not be waited for.
          const ranges = await Promise.any(nodes.map(({ redis }) => slotsSeenBy(redis)));
          const range = ranges.find(({ first, last }) => slot >= first && slot <= last);
          const find = (place: NodePlace | undefined) => nodes.find(({ port }) => port === place?.port);
          const master = find(range?.master);
          if (master !== undefined) return { master, replica: find(range?.replicas[0]) };
          await new Promise(resolve => setTimeout(resolve, 50));
        }
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The latest epoch that a node knows. */
async function epochOf({ redis }: TestNode): Promise<string> {
  const info = (await redis.call('CLUSTER', 'INFO')) as string;
  return /cluster_current_epoch:(\d+)/.exec(info)?.[1] ?? '';
}

/**
 * Moves a slot without its keys: what it held is gone. Its destination imports it first, because only then does it take a new
 * epoch: else the claim of the old owner, if it is still on its way, would give the slot back. The epoch is new only if the
 * destination knows those that other moves have taken.
 */
export async function moveSlot(
  slot: number,
  from: TestNode,
  to: TestNode,
  cluster: TestCluster,
): Promise<void> {
  await until(async () => new Set(await Promise.all(cluster.masters.map(epochOf))).size === 1);
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  for (const node of [to, from, ...cluster.masters.filter(({ id }) => id !== from.id && id !== to.id)])
    await node.redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
}

/** Begins to migrate a slot: what the source does not hold is asked for at the destination. */
export async function beginMigration(slot: number, from: TestNode, to: TestNode): Promise<void> {
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
}

export async function endMigration(slot: number, from: TestNode, to: TestNode): Promise<void> {
  for (const { redis } of [from, to]) await redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
}

/** Whether a node knows the cluster to be whole, and how many nodes it knows. */
async function infoOf(redis: Redis): Promise<{ ok: boolean; known: number }> {
  const info = String(await redis.cluster('INFO'));
  return {
    ok: info.includes('cluster_state:ok'),
    known: Number(/cluster_known_nodes:(\d+)/.exec(info)?.[1]),
  };
}

/** Ports of the nodes that CLUSTER SLOTS names: masters, and the replicas that are in step. */
async function rolesSeenBy(redis: Redis): Promise<number[]> {
  const nodes = (await slotsSeenBy(redis)).flatMap(({ master, replicas }) => [master, ...replicas]);
  return [...new Set(nodes.map(({ port }) => port))];
}

async function slotsSeenBy(redis: Redis): Promise<SlotRange[]> {
  return readSlotRanges(await redis.call('CLUSTER', 'SLOTS'), { host: '' });
}

async function untilAll<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (const item of items)
    await until(async () => {
      if (Date.now() > deadline) throw new Error('the cluster did not come together within a minute');
      return holds(item);
    }, 50);
}

/** The shorter the time limit of nodes, the more often they talk to one another: with a short one, a cluster forms sooner. */
const formingTimeoutMs = 1000;

function clusterArguments(busPort: number): string[] {
  return [
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-node-timeout', String(formingTimeoutMs), '--cluster-replica-validity-factor', '0'],
    ...['--repl-diskless-sync-delay', '0', '--shutdown-timeout', '0'],
  ];
}

function tlsArguments(port: number): string[] {
  const { ca, certificate, key } = certificates;
  return [
    ...[
      '--tls-port',
      String(port),
      '--tls-auth-clients',
      'no',
      '--tls-cluster',
      'yes',
      '--tls-replication',
      'yes',
    ],
    ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', ca],
  ];
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone.
  }
}
