import type { Cluster } from 'ioredis';
import { type Address, tlsOptions } from '../../pool/client/address.ts';
import { slotCount } from '../../pool/client/cluster/key-slots.ts';
import { PlacedCluster } from '../../pool/client/cluster/placed-cluster.ts';
import {
  clusterNode,
  mastersOf,
  type NodePlace,
  readSlotRanges,
  type SlotRange,
} from '../../pool/client/cluster/slot-ranges.ts';
import { PoolbenchError } from '../errors.ts';
import { Control, isRefusal, type Outcome, type Request, type Shard, withTimeout } from './control.ts';
import { shownAddress } from './url.ts';

/**
 * Opens the coordinator's connections to a cluster; the address is that of any node.
 * @throws PoolbenchError as `connectControl`, for that node and for every master; TARGET_NOT_AVAILABLE if it is not a
 * node of a cluster, or the cluster does not serve all slots
 */
export async function connectCluster(
  address: Address,
  options: { timeoutMs: number },
): Promise<ClusterControl> {
  const control = new ClusterControl(address, options.timeoutMs);
  try {
    await control.connect();
    return control;
  } catch (error) {
    control.close();
    throw error;
  }
}

/**
 * The coordinator's connections to a cluster: one to each node, for requests to every master, and ioredis's cluster
 * client for commands with keys. The latter may retry, because nothing is measured here.
 */
class ClusterControl extends Control {
  readonly #timeoutMs: number;
  readonly #seed: Control;
  /** One to every node that the cluster announced, and to the one in the URL. */
  readonly #connections = new Map<string, Control>();
  #masters: readonly Control[] = [];
  #known: readonly Address[] = [];
  /** Opened with the first request, and again after a loss. */
  #client: Cluster | undefined;
  #opening: Promise<Cluster> | undefined;
  #closed = false;

  constructor(address: Address, timeoutMs: number) {
    super(address, timeoutMs);
    this.#timeoutMs = timeoutMs;
    this.#seed = new Control(address, timeoutMs);
  }

  override get server(): Address {
    return this.#seed.server;
  }

  override get answering(): Address {
    return this.#seed.answering;
  }

  override get nodes(): readonly Control[] {
    return this.#masters;
  }

  override get cluster(): readonly Address[] {
    return this.#known;
  }

  override get keysPerCommand(): number {
    return 1;
  }

  /** Names the connections to the masters. */
  override async setName(name: string): Promise<void> {
    await Promise.all(this.#masters.map(master => master.setName(name)));
  }

  override async connect(): Promise<void> {
    await this.#seed.connect();
    const { host, port } = this.#seed.answering;
    this.#connections.set(`${host} ${port}`, this.#seed);
    const where = shownAddress(this.address);
    const ranges = await askSlots(this.#seed).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
      throw new PoolbenchError(
        'TARGET_NOT_AVAILABLE',
        `expected a node of a cluster at ${where}, as target.cluster is true, but it answers CLUSTER SLOTS with "${error.message}"; ` +
          'leave out target.cluster, or correct the URL',
      );
    });
    const served = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    if (served < slotCount) {
      throw new PoolbenchError(
        'TARGET_NOT_AVAILABLE',
        `expected the cluster at ${where} to serve all ${slotCount} slots, but it serves ${served}; see redis-cli --cluster check ${where}`,
      );
    }
    this.#take(ranges);
    await Promise.all(this.#masters.map(master => this.#connectMaster(master)));
  }

  override async findNodes(): Promise<readonly Control[]> {
    await this.#look();
    return this.#masters;
  }

  override async findShards(): Promise<readonly Shard[]> {
    const ranges = await this.#look();
    const at = ({ host, port }: NodePlace) => this.#connections.get(`${host} ${port}`);
    return this.#masters.map(primary => {
      const own = ranges.filter(({ master }) => at(master) === primary);
      return {
        primary,
        replicas: [...new Set(own.flatMap(({ replicas }) => replicas.flatMap(place => at(place) ?? [])))],
      };
    });
  }

  async #look(): Promise<readonly SlotRange[]> {
    // All are asked at once: one that hangs must not delay the others.
    const asked = [...this.#connections.values()];
    const ranges = await Promise.any(asked.map(askSlots)).catch(() => {
      throw this.#silence('CLUSTER SLOTS');
    });
    this.#take(ranges);
    return ranges;
  }

  /** Sends one command to the node of its key; one without a key to any node. */
  override async call(...[command, ...args]: Request): Promise<unknown> {
    return this.#bounded(command, cluster => cluster.call(command, args));
  }

  /** Sends commands together, each to the node of its key. */
  override async pipeline(requests: readonly Request[]): Promise<Outcome[]> {
    if (requests.length === 0) return [];
    return this.#bounded(`${requests.length} commands`, cluster =>
      Promise.all(
        requests.map(async ([command, ...args]): Promise<Outcome> => {
          try {
            return { value: await cluster.call(command, args) };
          } catch (error) {
            if (isRefusal(error)) return { error };
            throw error;
          }
        }),
      ),
    );
  }

  /** INFO of a single node does not describe the cluster: ask the `nodes`. */
  override info(): Promise<Map<string, string>> {
    return Promise.reject(new Error('INFO of a cluster: each of its nodes is to be asked'));
  }

  /** Whether a master says that the cluster serves its keys. */
  override async alive(): Promise<boolean> {
    const asked = [...this.#connections.values()].map(async node => {
      const info = await node.call('CLUSTER', 'INFO').catch((error: unknown) => {
        // A refusal is also an answer.
        if (isRefusal(error)) return 'cluster_state:ok';
        throw error;
      });
      if (!String(info).includes('cluster_state:ok')) throw new Error('not whole');
    });
    return Promise.any(asked).then(
      () => true,
      () => false,
    );
  }

  override close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.close();
    this.#seed.close();
    this.#disconnect();
  }

  async #connectMaster(master: Control): Promise<void> {
    try {
      await master.connect();
    } catch (error) {
      if (!(error instanceof PoolbenchError)) throw error;
      const announced = `the cluster at ${shownAddress(this.address)} announces the master ${shownAddress(master.address)}`;
      throw new PoolbenchError(error.code, `${announced}: ${error.message}`, { cause: error });
    }
  }

  #take(ranges: readonly SlotRange[]): void {
    const masters = mastersOf(ranges);
    const replicas = ranges.flatMap(range => range.replicas);
    const places = new Map([...masters, ...replicas].map(place => [`${place.host} ${place.port}`, place]));
    for (const [key, place] of places) {
      if (!this.#connections.has(key))
        this.#connections.set(key, new Control(clusterNode(this.address, place), this.#timeoutMs));
    }
    for (const [key, connection] of this.#connections) {
      if (places.has(key)) continue;
      connection.close();
      this.#connections.delete(key);
    }
    this.#masters = masters.flatMap(({ host, port }) => this.#connections.get(`${host} ${port}`) ?? []);
    this.#known = [...places.values()].map(place => clusterNode(this.address, place));
  }

  /** Asks the cluster within the time limit. @throws PoolbenchError TARGET_LOST; the refusal, if it refuses */
  async #bounded<T>(what: string, ask: (cluster: Cluster) => Promise<T>): Promise<T> {
    if (this.#closed)
      throw new PoolbenchError('TARGET_LOST', 'the connections to the cluster have been closed');
    try {
      const cluster = await this.#opened();
      return await withTimeout(ask(cluster), this.#timeoutMs);
    } catch (error) {
      if (isRefusal(error)) throw error;
      this.#disconnect();
      throw this.#silence(what, error);
    }
  }

  #opened(): Promise<Cluster> {
    if (this.#client?.status === 'ready') return Promise.resolve(this.#client);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<Cluster> {
    this.#disconnect();
    const client = new PlacedCluster(
      this.#known,
      clusterOptions(this.#known[0] ?? this.address, this.#timeoutMs),
    );
    client.on('error', () => {});
    client.on('node error', () => {});
    this.#client = client;
    await withTimeout(client.connect(), this.#timeoutMs);
    return client;
  }

  #disconnect(): void {
    this.#client?.disconnect();
    this.#client = undefined;
  }

  #silence(what: string, cause?: unknown): PoolbenchError {
    return new PoolbenchError(
      'TARGET_LOST',
      `expected the cluster at ${shownAddress(this.address)} to answer ${what} within ${this.#timeoutMs} ms, but it did not`,
      { cause },
    );
  }
}

async function askSlots(node: Control): Promise<SlotRange[]> {
  return readSlotRanges(await node.call('CLUSTER', 'SLOTS'), node.answering);
}

function clusterOptions(address: Address, timeoutMs: number) {
  const { username, password } = address;
  return {
    lazyConnect: true,
    enableReadyCheck: false,
    clusterRetryStrategy: () => null,
    // The time limit ends it: a failover takes longer than ioredis's usual number of attempts.
    maxRedirections: 1000,
    slotsRefreshTimeout: timeoutMs,
    redisOptions: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(address.tls ? { tls: tlsOptions(address) } : {}),
      protocol: 2,
      disableClientInfo: true,
      enableReadyCheck: false,
      connectTimeout: timeoutMs,
    },
  } as const;
}
