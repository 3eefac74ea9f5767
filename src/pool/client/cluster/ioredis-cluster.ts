import type { Cluster, Redis } from 'ioredis';
import { type Connect, Connection } from '../../connection.ts';
import { codeOf, isRefusal } from '../../errors.ts';
import type { ReadFrom } from '../../presets.ts';
import { acknowledgementsOf, countAcknowledgements } from '../acknowledgements.ts';
import type { Address } from '../address.ts';
import { type Batch, type CommandSet, connectionName } from '../batch.ts';
import { callOf, countCommand, hasSeveralRequests } from '../calls.ts';
import { queueCommand, redisOptions } from '../ioredis-connection.ts';
import type { OwnOptions } from '../ioredis-options.ts';
import { connectTimeout } from '../socket.ts';
import { PlacedCluster, type PlacedOptions } from './placed-cluster.ts';
import {
  lostNodePauseMs,
  maxRedirects,
  maxSlotsMs,
  noNodeConnected,
  type RedirectCount,
} from './slot-ranges.ts';

/** The name of the option's value in ioredis. */
const scaleReads = { primary: 'master', replica: 'slave', any: 'all' } as const satisfies Record<
  ReadFrom,
  string
>;

/** ioredis's client for clusters. It counts the redirections that it follows, and sends nothing again for other reasons. */
class CountingCluster extends PlacedCluster {
  readonly #redirects: RedirectCount;
  /** Names of the commands that go to replicas; none if all go to masters. */
  readonly #reads: ReadonlySet<string>;

  constructor(
    seeds: readonly Address[],
    { redirects, reads }: { redirects: RedirectCount; reads: ReadonlySet<string> },
    options: PlacedOptions,
  ) {
    super(seeds, options);
    this.#redirects = redirects;
    this.#reads = reads;
  }

  /** By itself ioredis recognises reads only in small letters, and would send others to masters. */
  override sendCommand(...[command, stream, node]: Parameters<Cluster['sendCommand']>): unknown {
    if (this.#reads.has(command.name)) command.isReadOnly = true;
    return super.sendCommand(command, stream, node);
  }

  override handleError(...[error, hops, handlers]: Parameters<Cluster['handleError']>): void {
    const left: unknown = hops.value;
    const code = error.message.split(' ', 1)[0];
    // One hop too many would end in an ioredis error without the code. And other retries of ioredis, such as after
    // TRYAGAIN, would be hidden from the measurement.
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
 * A cluster as an application has it: ioredis's own client, with a connection to every node that it needs, and to the
 * replicas if it reads from them. The commands of a batch are single calls, because a pipeline of ioredis takes keys of one
 * node's slots only. With auto-pipelining ioredis joins them by node.
 */
export class IoredisCluster extends Connection {
  readonly #cluster: Cluster;
  readonly #role: Role;
  readonly #commandSet: CommandSet;
  #closedAs: string | undefined;
  /** Batches that are done before an older one, by the order in which they were sent. */
  readonly #early = new Set<number>();

  private constructor(cluster: Cluster, role: Role, commandSet: CommandSet) {
    super();
    this.#cluster = cluster;
    this.#role = role;
    this.#commandSet = commandSet;
  }

  /**
   * Makes the connections of one thread's pools. An attempt opens a connection to every node in use, and needs one of them
   * within `timeoutMs`: else it rejects.
   *
   * @param seeds nodes of the cluster, with login and TLS; at least one
   * @param more.nodeOptions of ioredis for the connection to each node, none of them among `keptOptions`
   */
  static connector(
    seeds: readonly Address[],
    commandSet: CommandSet,
    timeoutMs: number,
    {
      autoPipelining,
      nodeOptions,
      redirects,
      readFrom,
    }: {
      autoPipelining: boolean;
      nodeOptions: OwnOptions;
      redirects: RedirectCount;
      readFrom: ReadFrom;
    },
  ): Connect {
    const role = readFrom === 'primary' ? 'master' : 'all';
    const reads = new Set(
      readFrom === 'primary'
        ? []
        : commandSet.commands.flatMap(({ name, readsOnly }) => (readsOnly ? name : [])),
    );
    const { retryStrategy: _, enableOfflineQueue: __, ...ofNodes } = redisOptions(seeds[0] as Address);
    const options: PlacedOptions = {
      redisOptions: { ...ofNodes, ...nodeOptions, connectionName: connectionName(commandSet) },
      lazyConnect: true,
      enableReadyCheck: false,
      // A command waits for the first attempt to connect to its node, as part of its service time, and for no second one.
      enableOfflineQueue: true,
      enableAutoPipelining: autoPipelining,
      scaleReads: scaleReads[readFrom],
      clusterRetryStrategy: () => null,
      maxRedirections: maxRedirects,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      retryDelayOnMoved: 0,
      slotsRefreshTimeout: Math.min(timeoutMs, maxSlotsMs),
    };
    return async () => {
      const cluster = new CountingCluster(seeds, { redirects, reads }, options);
      let cause: Error | undefined;
      const note = (error: Error) => {
        cause = error;
      };
      cluster.on('error', note);
      cluster.on('node error', note);
      try {
        await within(openNodes(cluster, role), timeoutMs);
        if (readyNodes(cluster, role).length === 0) throw connectTimeout(timeoutMs);
        return new IoredisCluster(cluster, role, commandSet);
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
      // ioredis would queue it after its own end, and might never report an outcome.
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
      // No pause after our own close, which waits for the outcome.
      if (lost && this.#closedAs === undefined) setTimeout(() => this.#settle(batch, order), lostNodePauseMs);
      else this.#settle(batch, order);
    };
    for (let i = 0; i < batch.size; i++) {
      const failed = (error: unknown) => {
        lost ||= !isRefusal(error);
        batch.fail(codeOf(error, this.#closedAs), 1, i);
        landed();
      };
      if (hasSeveralRequests(this.#commandSet, batch, i)) {
        // All of its keys are one, so a pipeline can take it.
        const pipeline = this.#cluster.pipeline();
        queueCommand(pipeline, this.#commandSet, batch, i);
        pipeline.exec().then(outcomes => {
          lost ||= outcomes?.some(([error]) => error !== null && !isRefusal(error)) === true;
          countCommand(batch, i, this.#commandSet, outcomes ?? [], 0, this.#closedAs);
          landed();
        }, failed);
        continue;
      }
      this.#cluster.call(...callOf(this.#commandSet, batch, i)).then(value => {
        batch.answered(value, i, this.#commandSet);
        if (this.#commandSet.commands[batch.commandAt(i)]?.acknowledges === undefined) landed();
        else this.#acknowledge(batch, i, value).then(landed);
      }, failed);
    }
  }

  /** Acknowledges what one command of the batch has read. */
  async #acknowledge(batch: Batch, index: number, value: unknown): Promise<void> {
    const replies: unknown[] = [];
    replies[index] = value;
    const acknowledgements = acknowledgementsOf(batch, this.#commandSet, replies);
    const outcomes = await Promise.allSettled(
      acknowledgements.map(({ args }) => this.#cluster.call(...args)),
    );
    countAcknowledgements(batch, acknowledgements, place => {
      const outcome = outcomes[place];
      return outcome?.status === 'rejected' ? codeOf(outcome.reason, this.#closedAs) : undefined;
    });
  }

  /** One PING to every node in use at once. Rejects when none is connected, or one of them was lost. */
  async ping(): Promise<void> {
    const ready = readyNodes(this.#cluster, this.#role);
    if (ready.length === 0) throw noNodeConnected();
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
   * Nodes answer in no common order, but the sweep for stalled connections expects the oldest batch to settle first. So a
   * batch that overtakes others is counted once those are done.
   */
  #settleInOrder(order: number): void {
    this.#early.add(order);
    while (this.#early.delete(this.settled)) this.settled++;
  }
}

/** Which nodes are in use. */
type Role = 'master' | 'all';

/** Connects to the cluster and to all nodes in use. Resolves when every attempt has succeeded or failed. */
async function openNodes(cluster: Cluster, role: Role): Promise<void> {
  await cluster.connect();
  await Promise.allSettled(cluster.nodes(role).map(node => node.connect()));
}

function readyNodes(cluster: Cluster, role: Role): Redis[] {
  return cluster.nodes(role).filter(({ status }) => status === 'ready');
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
