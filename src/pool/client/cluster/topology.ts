import type { ReadFrom } from '../../presets.ts';
import type { Address } from '../address.ts';
import { slotCount } from './key-slots.ts';
import { clusterNode, type NodePlace, type SlotRange } from './slot-ranges.ts';

/** Min time between two requests for the slots, however many commands are redirected in the meantime. */
const minPauseMs = 100;

/** Marks a slot that no known node serves. */
const nobody = 0xffff;

/**
 * Which node serves which slot, as one thread knows it for all of its connections. A node keeps its index, so that the
 * table is 16384 small numbers. A redirection corrects one slot at once. Signs that the table is out of date cause one
 * request for the slots, however many they are.
 */
export class Topology {
  readonly readFrom: ReadFrom;
  readonly #seeds: readonly Address[];
  readonly #ask: (node: Address) => Promise<SlotRange[]>;
  readonly #asksNodes: boolean;
  readonly #owners = new Uint16Array(slotCount).fill(nobody);
  /** For each slot the nodes that reads alternate between; undefined: its owner. */
  readonly #readers: (readonly number[] | undefined)[];
  #lastReader = 0;
  readonly #serving = new Set<number>();
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
   * @param more.asksNodes false: only the seeds know the slots
   */
  constructor(
    seeds: readonly Address[],
    ask: (node: Address) => Promise<SlotRange[]>,
    { readFrom, asksNodes = true }: { readFrom: ReadFrom; asksNodes?: boolean },
  ) {
    this.#seeds = seeds;
    this.#ask = ask;
    this.readFrom = readFrom;
    this.#readers = readFrom === 'primary' ? [] : new Array<undefined>(slotCount).fill(undefined);
    this.#asksNodes = asksNodes;
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

  /** Index of the node that a read of a slot goes to: the next of those that may answer it; its owner if no replica serves it. */
  reader(slot: number): number {
    const nodes = this.#readers[slot];
    if (nodes === undefined) return this.owner(slot);
    this.#lastReader = (this.#lastReader + 1) & 0xffff;
    return nodes[this.#lastReader % nodes.length] as number;
  }

  /** Indices of the nodes that operations go to: those that serve slots, and the replicas that answer reads. */
  serving(): number[] {
    return [...this.#serving];
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
    if (slot < slotCount) {
      this.#owners[slot] = index;
      // The replicas of its new owner are not known yet.
      if (this.readFrom !== 'primary') this.#readers[slot] = undefined;
      this.#serving.add(index);
    }
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
        // Nothing waits for it. A command with the same failure counts it, and suspects again.
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
    const asked = this.#asksNodes ? [...this.#nodes, ...this.#seeds] : this.#seeds;
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
    this.#readers.fill(undefined);
    this.#serving.clear();
    for (const { first, last, master, replicas } of ranges) {
      const owner = this.indexOf(master);
      this.#owners.fill(owner, first, last + 1);
      // Includes replicas that answer no reads: they are asked for the slots when their master is lost.
      const others = replicas.map(replica => this.indexOf(replica));
      const readers = { primary: [], replica: others, any: [owner, ...others] }[this.readFrom];
      for (const index of [owner, ...readers]) this.#serving.add(index);
      if (readers.length > 0) for (let slot = first; slot <= last; slot++) this.#readers[slot] = readers;
    }
  }
}
