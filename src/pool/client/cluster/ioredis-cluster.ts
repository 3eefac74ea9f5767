import { Cluster, type ClusterOptions, type Redis } from 'ioredis';
import { type Connect, Connection } from '../../connection.ts';
import { failureCode } from '../../errors.ts';
import type { Address } from '../address.ts';
import { type Batch, type CommandSet, connectionName } from '../batch.ts';
import { argsOf, count, nameOf, redisOptions } from '../ioredis-connection.ts';
import { connectTimeout } from '../socket.ts';
import { maxRedirects, type RedirectCount } from './slot-ranges.ts';

/** A command that was lost with its node is told after this long, so that a closed loop makes no storm of connects. */
const pauseMs = 50;

/** Bounds the search for a node that tells the slots, which ioredis makes by itself. */
const maxAskMs = 1000;

type Options = Omit<ClusterOptions, 'redisOptions'> & {
  redisOptions: Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;
};

/** ioredis's client of a cluster, which counts the redirections that it follows, and sends nothing again but for those. */
class CountingCluster extends Cluster {
  readonly #redirects: RedirectCount;

  constructor(seeds: readonly Address[], redirects: RedirectCount, options: Options) {
    super(
      seeds.map(({ host, port }) => ({ host, port })),
      options,
    );
    this.#redirects = redirects;
  }

  override handleError(...[error, hops, handlers]: Parameters<Cluster['handleError']>): void {
    const left: unknown = hops.value;
    const code = error.message.split(' ', 1)[0];
    // One hop more than there may be would end in words of ioredis's own, without the code; and of what else it would
    // send again, such as after TRYAGAIN, the measurement would not know.
    if ((code !== 'MOVED' && code !== 'ASK') || left === 1) {
      handlers.defaults();
      return;
    }
    if (code === 'MOVED') this.#redirects.moved++;
    else this.#redirects.ask++;
    super.handleError(error, hops, handlers);
  }
}

/**
 * What an application pays on a cluster: ioredis's own client of it, which holds a connection to every node that it
 * needs. The commands of a batch are single calls, as a pipeline of ioredis takes keys of one node's slots only; with
 * auto-pipelining ioredis joins them by node.
 */
export class IoredisCluster extends Connection {
  readonly #cluster: Cluster;
  readonly #commandSet: CommandSet;
  #closedAs: string | undefined;
  /** Batches by the order in which they were sent, that are done before an older one is. */
  readonly #early = new Set<number>();

  private constructor(cluster: Cluster, commandSet: CommandSet) {
    super();
    this.#cluster = cluster;
    this.#commandSet = commandSet;
  }

  /**
   * Makes the connections of one thread's pools. A connect opens one to every master, and is content with those that
   * come within `timeoutMs`. Rejects when none does.
   *
   * @param seeds nodes of the cluster, with login and TLS; at least one
   */
  static connector(
    seeds: readonly Address[],
    commandSet: CommandSet,
    timeoutMs: number,
    { autoPipelining, redirects }: { autoPipelining: boolean; redirects: RedirectCount },
  ): Connect {
    const { retryStrategy: _, enableOfflineQueue: __, ...nodeOptions } = redisOptions(seeds[0] as Address);
    const options: Options = {
      redisOptions: { ...nodeOptions, connectionName: connectionName(commandSet) },
      lazyConnect: true,
      enableReadyCheck: false,
      // A command waits for its node's connect, never for a second attempt: that is a part of its service time.
      enableOfflineQueue: true,
      enableAutoPipelining: autoPipelining,
      clusterRetryStrategy: () => null,
      maxRedirections: maxRedirects,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      retryDelayOnMoved: 0,
      slotsRefreshTimeout: Math.min(timeoutMs, maxAskMs),
    };
    return async () => {
      const cluster = new CountingCluster(seeds, redirects, options);
      let cause: Error | undefined;
      const note = (error: Error) => {
        cause = error;
      };
      cluster.on('error', note);
      cluster.on('node error', note);
      try {
        await within(openMasters(cluster), timeoutMs);
        if (readyMasters(cluster).length === 0) throw connectTimeout(timeoutMs);
        return new IoredisCluster(cluster, commandSet);
      } catch (error) {
        cluster.disconnect();
        throw cause ?? error;
      }
    };
  }

  get alive(): boolean {
    return this.#closedAs === undefined && this.#cluster.status === 'ready';
  }

  send(batch: Batch): void {
    batch.restart();
    const order = this.sent++;
    const closedAs = this.#closedAs;
    if (closedAs !== undefined) {
      // ioredis would queue it behind its own end, and might never tell.
      process.nextTick(() => {
        batch.fail(closedAs, batch.size);
        this.#settle(batch, order);
      });
      return;
    }
    let missing = batch.size;
    let lost = false;
    const landed = () => {
      if (--missing > 0) return;
      // Whoever closed the connection waits for it.
      if (lost && this.#closedAs === undefined) setTimeout(() => this.#settle(batch, order), pauseMs);
      else this.#settle(batch, order);
    };
    for (let i = 0; i < batch.size; i++) {
      this.#cluster.call(nameOf(this.#commandSet, batch, i), argsOf(this.#commandSet, batch, i)).then(
        value => {
          count(batch, i, undefined, value);
          landed();
        },
        (error: unknown) => {
          const refused = error instanceof Error && error.name === 'ReplyError';
          lost ||= !refused;
          batch.fail(refused ? failureCode(error) : (this.#closedAs ?? failureCode(error)), 1, i);
          landed();
        },
      );
    }
  }

  /** One PING to every master at once. Rejects when none is connected, or one of them was lost. */
  async ping(): Promise<void> {
    const ready = readyMasters(this.#cluster);
    if (ready.length === 0) throw new Error('No node of the cluster is connected');
    const order = this.sent++;
    try {
      await Promise.all(ready.map(node => node.ping()));
    } finally {
      this.#settleInOrder(order);
    }
  }

  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT' = 'CONNECTION_CLOSED'): void {
    this.#closedAs ??= code;
    this.#cluster.disconnect();
  }

  #settle(batch: Batch, order: number): void {
    this.#settleInOrder(order);
    batch.done();
  }

  /**
   * Nodes answer in no common order, and the sweep for stalled connections takes the count of settled batches for that
   * of the oldest ones: a batch that overtakes is counted when those before it are done.
   */
  #settleInOrder(order: number): void {
    this.#early.add(order);
    while (this.#early.delete(this.settled)) this.settled++;
  }
}

/** Connects to the cluster and to all of its masters; resolves when each has come or gone. */
async function openMasters(cluster: Cluster): Promise<void> {
  await cluster.connect();
  await Promise.allSettled(cluster.nodes('master').map(node => node.connect()));
}

function readyMasters(cluster: Cluster): Redis[] {
  return cluster.nodes('master').filter(({ status }) => status === 'ready');
}

/** Resolves when the work is done, or after `timeoutMs`. */
async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, timeoutMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
