import type { Address } from '../address.ts';
import { slotCount } from './key-slots.ts';
import { clusterNode, type NodePlace, type SlotRange } from './slot-ranges.ts';

/** Minimum between two requests for the slots, however many commands are redirected meanwhile. */
const minPauseMs = 100;

/** Marks a slot that no known node serves. */
const nobody = 0xffff;

/**
 * Which node serves which slot, as one thread knows it for all of its connections. A node keeps its index, so that the
 * table is 16384 small numbers. A redirection corrects one slot at once. Signs that the table is out of date cause one
 * request for the slots, however many they are.
 */
export class Topology {
  readonly #seeds: readonly Address[];
  readonly #ask: (node: Address) => Promise<SlotRange[]>;
  readonly #owners = new Uint16Array(slotCount).fill(nobody);
  readonly #nodes: Address[] = [];
  readonly #indices = new Map<string, number>();
  #loading: Promise<void> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #refreshing = false;
  #again = false;
  /** The node that is asked first: the one that answered last. */
  #first = 0;

  /**
   * @param seeds nodes of the cluster, with the login and TLS that all of them take; at least one
   * @param ask asks a node for the slots; must end in a bounded time
   */
  constructor(seeds: readonly Address[], ask: (node: Address) => Promise<SlotRange[]>) {
    this.#seeds = seeds;
    this.#ask = ask;
  }

  /** Resolves when the slots are known. Rejects with the reason of the last node, if none answered. */
  load(): Promise<void> {
    this.#loading ??= this.#refresh().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** Index of the node that serves a slot. If none does, that of any: its reply has the reason. */
  owner(slot: number): number {
    const index = this.#owners[slot] as number;
    return index === nobody ? 0 : index;
  }

  /** Indices of the nodes that serve slots. */
  masters(): number[] {
    return [...new Set(this.#owners)].filter(index => index !== nobody);
  }

  node(index: number): Address {
    return this.#nodes[index] as Address;
  }

  /** Number of nodes that are known. */
  get size(): number {
    return this.#nodes.length;
  }

  indexOf({ host, port }: NodePlace): number {
    const key = `${host} ${port}`;
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    this.#indices.set(key, this.#nodes.length);
    return this.#nodes.push(clusterNode(this.#seeds[0] as Address, { host, port })) - 1;
  }

  /** A node has reported the new owner of a slot; more slots may have moved with it. */
  moved(slot: number, index: number): void {
    if (slot < slotCount) this.#owners[slot] = index;
    this.suspect();
  }

  /** Something indicates that the table may be out of date. */
  suspect(): void {
    if (this.#refreshing) {
      this.#again = true;
      return;
    }
    this.#refreshing = true;
    const earlyMs = this.#askedAtMs + minPauseMs - performance.now();
    setTimeout(
      () => {
        this.#again = false;
        // Nobody waits for it. A command that meets the same failure counts it, and suspects again.
        void this.#refresh()
          .catch(() => {})
          .finally(() => {
            this.#refreshing = false;
            if (this.#again) this.suspect();
          });
      },
      Math.max(0, earlyMs),
    ).unref();
  }

  async #refresh(): Promise<void> {
    this.#askedAtMs = performance.now();
    const asked = [...this.#nodes, ...this.#seeds];
    const first = this.#first < asked.length ? this.#first : 0;
    let reason: unknown;
    for (let turn = 0; turn < asked.length; turn++) {
      const index = (first + turn) % asked.length;
      const node = asked[index] as Address;
      try {
        const ranges = await this.#ask(node);
        // A node that was expelled from its cluster knows of no slots.
        if (ranges.length === 0) throw new Error('CLUSTERDOWN No node serves any slot');
        this.#take(ranges);
        this.#first = this.#indices.get(`${node.host} ${node.port}`) ?? 0;
        return;
      } catch (error) {
        reason = error;
      }
    }
    throw reason;
  }

  #take(ranges: readonly SlotRange[]): void {
    this.#owners.fill(nobody);
    for (const { first, last, master, replicas } of ranges) {
      this.#owners.fill(this.indexOf(master), first, last + 1);
      // Replicas get no connection, but are asked for the slots when their master is lost.
      for (const replica of replicas) this.indexOf(replica);
    }
  }
}
