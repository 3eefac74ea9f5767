import { type Batch, type CommandSet, KEY } from '../batch.ts';
import { KeySlots } from './key-slots.ts';
import { type Flight, type Part, PartStore } from './part.ts';
import type { Topology } from './topology.ts';

/**
 * Cuts batches by the nodes that serve their keys. One thread's connections share it: a batch is cut and sent before
 * the next one comes.
 */
export class BatchCutter {
  readonly #topology: Topology;
  readonly #keySlots: KeySlots;
  /** Of each command: whether it has a key, which says where it goes. */
  readonly #keyed: readonly boolean[];
  readonly #parts = new PartStore();
  readonly #cut: (Part | undefined)[] = [];
  #counts = new Uint32Array(0);
  #owners = new Uint16Array(0);

  constructor({ keyPrefix, commands }: CommandSet, topology: Topology) {
    this.#topology = topology;
    this.#keySlots = new KeySlots(keyPrefix);
    this.#keyed = commands.map(({ args }) => args.includes(KEY));
  }

  /** Sends every command of the flight's batch as a part, with its neighbours that go to the same node. */
  cut(flight: Flight, send: (part: Part) => void): void {
    const { batch } = flight;
    if (batch.size > 1) {
      this.#cutMany(flight, send);
      return;
    }
    const part = this.#parts.take(1, flight, this.#ownerOf(batch, 0));
    part.takeOver(0, batch, 0, 0);
    flight.open = 1;
    send(part);
  }

  /** A part of some commands of another part, which their node has sent elsewhere. */
  cutAgain(part: Part, flight: Flight, indices: readonly number[], node: number): Part {
    const again = this.#parts.take(indices.length, flight, node);
    again.hops = part.hops + 1;
    for (const [to, from] of indices.entries()) again.takeOver(to, part, from, part.origins[from] as number);
    flight.open++;
    return again;
  }

  giveBack(part: Part): void {
    this.#parts.giveBack(part);
  }

  #ownerOf(batch: Batch, index: number): number {
    // A command without a key is any node's.
    const keyed = this.#keyed[batch.commandAt(index)];
    return this.#topology.owner(keyed ? this.#keySlots.of(batch.keyOf(index)) : 0);
  }

  /** First counts, so that every part has its size, then copies. */
  #cutMany(flight: Flight, send: (part: Part) => void): void {
    const { batch } = flight;
    const { size } = batch;
    if (this.#owners.length < size) this.#owners = new Uint16Array(size);
    if (this.#counts.length < this.#topology.size) this.#counts = new Uint32Array(this.#topology.size);
    const owners = this.#owners;
    const counts = this.#counts.fill(0);
    for (let i = 0; i < size; i++) {
      const node = this.#ownerOf(batch, i);
      owners[i] = node;
      counts[node] = (counts[node] as number) + 1;
    }
    const cut = this.#cut;
    for (let node = 0; node < counts.length; node++) {
      const count = counts[node] as number;
      cut[node] = count === 0 ? undefined : this.#parts.take(count, flight, node);
      if (count > 0) flight.open++;
    }
    // From the last one, so that the counts come down to each command's place.
    for (let i = size - 1; i >= 0; i--) {
      const node = owners[i] as number;
      const place = (counts[node] as number) - 1;
      counts[node] = place;
      cut[node]?.takeOver(place, batch, i, i);
    }
    for (let node = 0; node < counts.length; node++) {
      const part = cut[node];
      if (part !== undefined) send(part);
    }
  }
}
