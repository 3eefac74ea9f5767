import { type Batch, keyName } from '../pool/client/batch.ts';
import { Subscriber } from '../pool/client/subscriber.ts';
import { nowNs } from '../pool/clock.ts';
import { LatencyCounts } from '../pool/latency-counts.ts';
import type { DeliverySample, KeyRange, ThreadTask, WorkloadTask } from './contract.ts';
import type { CommandMix, MixTemplate } from './workload/command-mix.ts';

/** Messages carry instants in units of this many nanoseconds, in 32 bits, which wrap after seven minutes. */
const instantNs = 100;
/** Interval of the check at the end whether all messages have arrived. */
const lookMs = 5;

/**
 * The subscribers of a thread, and their deliveries. They receive only the thread's own messages, so one clock times
 * both ends. A message belongs to the measured window if it was sent in it, whenever it arrives.
 */
export class Deliveries {
  readonly #templates: readonly MixTemplate[];
  readonly #subscribersOf: ReadonlyMap<number, number>;
  readonly #latency = new LatencyCounts(3);
  readonly #subscribers: Subscriber[] = [];
  #startNs = Number.POSITIVE_INFINITY;
  #expected = 0;

  private constructor(templates: readonly MixTemplate[], subscribersOf: ReadonlyMap<number, number>) {
    this.#templates = templates;
    this.#subscribersOf = subscribersOf;
  }

  /**
   * Opens the subscribers of a thread's pools, each with its own connection.
   *
   * @throws Error if one cannot connect or subscribe
   */
  static async open(task: ThreadTask, mix: CommandMix): Promise<Deliveries> {
    const { workload, address, timeoutMs, keyPrefix } = task;
    const subscribersOf = new Map<number, number>();
    const subscriptions = task.pools.flatMap(pool =>
      subscriptionsOf(pool, workload, keyPrefix, subscribersOf),
    );
    const deliveries = new Deliveries(mix.templates, subscribersOf);
    const commands = [
      ...new Set(mix.templates.flatMap(({ name, publishes }) => (publishes ? [name] : []))),
    ].map(name => (name === 'SPUBLISH' ? 'SSUBSCRIBE' : 'SUBSCRIBE'));
    const received = (payload: string) => deliveries.#received(payload, mix.messageTag);
    const opened = await Promise.allSettled(
      subscriptions.map(channels => Subscriber.open(address, { commands, channels, received, timeoutMs })),
    );
    for (const one of opened) if (one.status === 'fulfilled') deliveries.#subscribers.push(one.value);
    const failed = opened.find(one => one.status === 'rejected');
    if (failed !== undefined) {
      deliveries.close();
      throw failed.reason;
    }
    return deliveries;
  }

  /** Sets the start of the measured window. */
  begin(startNs: number): void {
    this.#startNs = startNs;
  }

  /** The instant at which a batch is sent, in the form that messages carry. */
  stamp(batch: Batch): void {
    const instant = Math.floor(nowNs() / instantNs) % 2 ** 32;
    for (let i = 0; i < batch.size; i++) {
      const { publishes, bases } = this.#templates[batch.commandAt(i)] as MixTemplate;
      if (publishes) batch.numbers[i * batch.stride + bases.length] = instant;
    }
  }

  /** Called with the outcome of a batch: counts the deliveries that are expected of the accepted messages. */
  published(batch: Batch): void {
    for (let i = 0; i < batch.size; i++) {
      const { publishes, bases } = this.#templates[batch.commandAt(i)] as MixTemplate;
      if (!publishes || batch.failedAs(i) !== undefined) continue;
      const { sentNs } = whenSent(batch.numbers[i * batch.stride + bases.length] as number);
      if (sentNs >= this.#startNs) this.#expected += this.#subscribersOf.get(batch.keyOf(i)) ?? 0;
    }
  }

  /** Waits until all messages have arrived, but no longer than `timeoutMs`. */
  async finish(timeoutMs: number): Promise<DeliverySample> {
    const untilNs = nowNs() + timeoutMs * 1e6;
    while (
      this.#latency.total < this.#expected &&
      this.#closed < this.#subscribers.length &&
      nowNs() < untilNs
    )
      await new Promise(resolve => setTimeout(resolve, lookMs));
    return {
      subscribers: this.#subscribers.length,
      closed: this.#closed,
      expected: this.#expected,
      received: this.#latency.total,
      latency: this.#latency.encode(),
    };
  }

  close(): void {
    for (const subscriber of this.#subscribers) subscriber.close();
  }

  get #closed(): number {
    return this.#subscribers.filter(({ isClosed }) => isClosed).length;
  }

  #received(payload: string, tag: string): void {
    if (!payload.startsWith(tag)) return;
    const { sentNs, delayNs } = whenSent(Number.parseInt(payload.slice(tag.length), 10));
    if (sentNs >= this.#startNs) this.#latency.add(delayNs, 1);
  }
}

/** The send of a message, and the delay since then. */
function whenSent(instant: number): { readonly sentNs: number; readonly delayNs: number } {
  const now = Math.floor(nowNs() / instantNs);
  const delay = (now - instant) % 2 ** 32;
  return { sentNs: (now - delay) * instantNs, delayNs: delay * instantNs };
}

/**
 * The channels of each subscriber of a pool. The pool has the same fraction of all subscribers as of the keys. All of them
 * have equally many channels; if there are more subscribers than channels, all channels have equally many subscribers.
 */
function subscriptionsOf(
  { firstKey, keys }: KeyRange,
  { subscribers = 0, keys: all }: WorkloadTask,
  keyPrefix: string,
  subscribersOf: Map<number, number>,
): string[][] {
  const upTo = (key: number) => Math.round((subscribers * key) / all);
  const count = upTo(firstKey + keys) - upTo(firstKey);
  const subscriptions = Array.from({ length: count }, (): string[] => []);
  for (let index = 0; count > 0 && index < Math.max(count, keys); index++) {
    const channel = firstKey + (index % keys);
    subscriptions[index % count]?.push(keyName(keyPrefix, channel));
    subscribersOf.set(channel, (subscribersOf.get(channel) ?? 0) + 1);
  }
  return subscriptions;
}
