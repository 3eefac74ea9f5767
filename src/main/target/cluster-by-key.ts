import { Cluster } from 'ioredis';
import { type Address, tlsOptions } from '../../pool/address.ts';
import type { Outcome, Request } from './control.ts';
import { isRefusal } from './refusal.ts';
import { withTimeout } from './with-timeout.ts';

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
