import { Cluster } from 'ioredis';
import { type Address, tlsOptions } from '../../pool/client/address.ts';
import { slotCount } from '../../pool/client/cluster/key-slots.ts';
import {
  clusterNode,
  mastersOf,
  readSlotRanges,
  type SlotRange,
} from '../../pool/client/cluster/slot-ranges.ts';
import { PoolbenchError } from '../errors.ts';
import { Control, isRefusal, type Outcome, type Request, withTimeout } from './control.ts';
import { shownAddress } from './url.ts';

/**
 * Opens the coordinator's connections to a cluster of which the address is any node.
 * @throws PoolbenchError as `connectControl`, for that node and for every master; TARGET_NOT_AVAILABLE where it is no
 *   node of a cluster, or the cluster does not serve all slots
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
 * What the coordinator has to a cluster: a connection to each node, for what is asked of every master, and a way to the
 * nodes of keys.
 */
export class ClusterControl extends Control {
  readonly #timeoutMs: number;
  readonly #seed: Control;
  /** Every node that the cluster has announced, and the one it was found by. */
  readonly #connections = new Map<string, Control>();
  #masters: readonly Control[] = [];
  #known: readonly Address[] = [];
  readonly #byKey: ClusterByKey;
  #closed = false;

  constructor(address: Address, timeoutMs: number) {
    super(address, timeoutMs);
    this.#timeoutMs = timeoutMs;
    this.#seed = new Control(address, timeoutMs);
    this.#byKey = new ClusterByKey(() => this.#known, timeoutMs);
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

  override async connect(): Promise<void> {
    await this.#seed.connect();
    const { host, port } = this.#seed.answering;
    this.#connections.set(`${host} ${port}`, this.#seed);
    const where = shownAddress(this.address);
    const ranges = await askSlots(this.#seed).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
      throw new PoolbenchError(
        'TARGET_NOT_AVAILABLE',
        `expected a node of a cluster at ${where}, as target.cluster says, but it answers CLUSTER SLOTS with "${error.message}"; ` +
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
    // All are asked at once: one that hangs must not hold up the others' answer.
    const asked = [...this.#connections.values()];
    const ranges = await Promise.any(asked.map(askSlots)).catch(() => {
      throw this.#silence('CLUSTER SLOTS');
    });
    this.#take(ranges);
    return this.#masters;
  }

  /** Sends one command to the node of its key; one without a key to any node. */
  override call(...request: Request): Promise<unknown> {
    return this.#answered(request[0], () => this.#byKey.call(...request));
  }

  /** Sends commands together, each to the node of its key. */
  override async pipeline(requests: readonly Request[]): Promise<Outcome[]> {
    if (requests.length === 0) return [];
    return this.#answered(`${requests.length} commands`, () => this.#byKey.pipeline(requests));
  }

  /** What a single node says of itself is not the cluster's: `nodes` are asked. */
  override info(): Promise<Map<string, string>> {
    return Promise.reject(new Error('INFO of a cluster: each of its nodes is to be asked'));
  }

  /** Whether a master says that the cluster serves its keys. */
  override async alive(): Promise<boolean> {
    const asked = [...this.#connections.values()].map(async node => {
      const info = await node.call('CLUSTER', 'INFO').catch((error: unknown) => {
        // A user who may not ask has been answered.
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
    this.#byKey.close();
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

  async #answered<T>(what: string, ask: () => Promise<T>): Promise<T> {
    if (this.#closed)
      throw new PoolbenchError('TARGET_LOST', 'the connections to the cluster have been closed');
    try {
      return await ask();
    } catch (error) {
      throw isRefusal(error) ? error : this.#silence(what, error);
    }
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
  return readSlotRanges(await node.call('CLUSTER', 'SLOTS'), node.answering.host);
}

/**
 * The coordinator's way to the nodes of keys: ioredis's client of a cluster, which may try again by itself, for nothing
 * is measured here. It opens with the first request, and anew after a loss.
 */
export class ClusterByKey {
  readonly #seeds: () => readonly Address[];
  readonly #timeoutMs: number;
  #cluster: Cluster | undefined;
  #opening: Promise<Cluster> | undefined;

  /**
   * @param seeds the nodes of the cluster as they are known when it opens
   * @param timeoutMs bounds connecting, and every single call of the methods
   */
  constructor(seeds: () => readonly Address[], timeoutMs: number) {
    this.#seeds = seeds;
    this.#timeoutMs = timeoutMs;
  }

  /** Sends one command. Rejects with the refusal, or whatever kept it from being answered. */
  async call(...[command, ...args]: Request): Promise<unknown> {
    const cluster = await this.#opened();
    return this.#bounded(cluster.call(command, args));
  }

  /** Sends commands together; refusals are among the outcomes. */
  async pipeline(requests: readonly Request[]): Promise<Outcome[]> {
    const cluster = await this.#opened();
    const outcomes = requests.map(([command, ...args]) =>
      cluster.call(command, args).then(
        (value): Outcome => ({ value }),
        (error: unknown): Outcome => {
          if (isRefusal(error)) return { error };
          throw error;
        },
      ),
    );
    return this.#bounded(Promise.all(outcomes));
  }

  close(): void {
    this.#cluster?.disconnect();
    this.#cluster = undefined;
  }

  #opened(): Promise<Cluster> {
    if (this.#cluster?.status === 'ready') return Promise.resolve(this.#cluster);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<Cluster> {
    this.close();
    const seeds = this.#seeds();
    const [first] = seeds;
    if (first === undefined) throw new Error('No node of the cluster is known');
    const cluster = new Cluster(
      seeds.map(({ host, port }) => ({ host, port })),
      clusterOptions(first, this.#timeoutMs),
    );
    cluster.on('error', () => {});
    cluster.on('node error', () => {});
    this.#cluster = cluster;
    await this.#bounded(cluster.connect());
    return cluster;
  }

  async #bounded<T>(answer: Promise<T>): Promise<T> {
    try {
      return await withTimeout(answer, this.#timeoutMs);
    } catch (error) {
      if (!isRefusal(error)) this.close();
      throw error;
    }
  }
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
