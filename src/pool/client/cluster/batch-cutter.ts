import { Batch, type CommandSet, KEY, requestsOfCommand } from '../batch.ts';
import { KeySlots } from './key-slots.ts';
import { maxRedirects, type Redirect, readRedirect } from './slot-ranges.ts';
import type { Topology } from './topology.ts';

/**
 * Cuts batches into parts by the nodes that serve their keys. The connections of a thread share it, as each batch is cut and
 * sent before the next one.
 */
export class BatchCutter {
  readonly #topology: Topology;
  readonly #keySlots: KeySlots;
  /** For each command: whether it has a key, which decides on its node. */
  readonly #keyed: readonly boolean[];
  /** For each command: whether a replica can answer it. */
  readonly #readsOnly: readonly boolean[];
  readonly #parts = new PartStore();
  readonly #cut: (Part | undefined)[] = [];
  #counts = new Uint32Array(0);
  #nodes = new Uint16Array(0);

  constructor({ keyPrefix, commands }: CommandSet, topology: Topology) {
    this.#topology = topology;
    this.#keySlots = new KeySlots(keyPrefix);
    this.#keyed = commands.map(command => requestsOfCommand(command).some(({ args }) => args.includes(KEY)));
    this.#readsOnly = commands.map(({ readsOnly }) => readsOnly === true && topology.readFrom !== 'primary');
  }

  /** Sends the commands of the flight's batch, those for the same node in one part. */
  cut(flight: Flight, send: (part: Part) => void): void {
    const { batch } = flight;
    if (batch.size > 1) {
      this.#cutMany(flight, send);
      return;
    }
    const part = this.#parts.take(1, flight, this.#nodeFor(batch, 0));
    part.takeOver(0, batch, 0, 0);
    flight.open = 1;
    send(part);
  }

  /** A part of some commands of another part, which were redirected. */
  cutAgain(part: Part, flight: Flight, indices: readonly number[], node: number): Part {
    const again = this.#parts.take(indices.length, flight, node);
    again.hops = part.hops + 1;
    for (const [to, from] of indices.entries()) again.takeOver(to, part, from, part.origins[from] as number);
    flight.open++;
    return again;
  }

  release(part: Part): void {
    this.#parts.release(part);
  }

  #nodeFor(batch: Batch, index: number): number {
    const command = batch.commandAt(index);
    // A command without a key can go to any node.
    const slot = this.#keyed[command] ? this.#keySlots.of(batch.keyOf(index)) : 0;
    return this.#readsOnly[command] ? this.#topology.reader(slot) : this.#topology.owner(slot);
  }

  /** Counts first, because a part is made with its size, then copies. */
  #cutMany(flight: Flight, send: (part: Part) => void): void {
    const { batch } = flight;
    const { size } = batch;
    if (this.#nodes.length < size) this.#nodes = new Uint16Array(size);
    if (this.#counts.length < this.#topology.size) this.#counts = new Uint32Array(this.#topology.size);
    const nodes = this.#nodes;
    const counts = this.#counts.fill(0);
    for (let i = 0; i < size; i++) {
      const node = this.#nodeFor(batch, i);
      nodes[i] = node;
      counts[node] = (counts[node] as number) + 1;
    }
    const cut = this.#cut;
    for (let node = 0; node < counts.length; node++) {
      const count = counts[node] as number;
      cut[node] = count === 0 ? undefined : this.#parts.take(count, flight, node);
      if (count > 0) flight.open++;
    }
    // From the last one on, so that the counts become the places of the commands.
    for (let i = size - 1; i >= 0; i--) {
      const node = nodes[i] as number;
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

/** A batch whose commands are in flight to several nodes. */
export interface Flight {
  batch: Batch;
  /** Parts without an outcome. */
  open: number;
  /** Called with each part whose outcome is known. */
  readonly landed: (part: Part) => void;
}

/** The redirection of one command of a part. */
interface RedirectedCommand extends Redirect {
  readonly index: number;
}

/** The commands of a batch that go to one node together. Redirections do not count as failures. */
export class Part extends Batch {
  flight: Flight | undefined;
  /** Index of the node it goes to. */
  node = 0;
  /** Whether ASKING must precede it, because the node is only importing the slot. Such a part has one command. */
  asking = false;
  /** Redirections that brought its commands here. */
  hops = 0;
  /** The index of each command in the flight's batch. */
  readonly origins: Uint32Array;
  redirected: RedirectedCommand[] | undefined;

  constructor(size: number, stride: number) {
    super(size, { done: () => this.flight?.landed(this) }, stride);
    this.origins = new Uint32Array(size);
  }

  /** Takes over a command of another batch, which has the index `origin` in the flight's. */
  takeOver(to: number, source: Batch, from: number, origin: number): void {
    this.copy(to, source, from);
    this.origins[to] = origin;
  }

  /** Counts the outcome into the flight's batch, with the commands that found nothing or failed. */
  passOn({ batch }: Flight): void {
    batch.completed += this.completed;
    batch.misses += this.misses;
    if (this.misses === 0 && this.failures === undefined) return;
    for (let index = 0; index < this.size; index++) {
      const origin = this.origins[index] as number;
      const code = this.failedAs(index);
      if (code !== undefined) batch.fail(code, 1, origin);
      else if (this.hasMissed(index)) batch.missedAt(origin);
    }
  }

  override restart(): void {
    super.restart();
    this.redirected = undefined;
  }

  override refused(code: string, message: string, index: number): void {
    const redirect = this.hops < maxRedirects ? readRedirect(message) : undefined;
    if (redirect === undefined) this.fail(code, 1, index);
    else {
      this.redirected ??= [];
      this.redirected.push({ ...redirect, index });
    }
  }
}

/** Larger parts are not kept: making one costs little compared with that many commands. */
const maxKeptSize = 256;

/**
 * Parts that are not in use, by size: every batch is cut, and making parts would cost more than sending them. All batches
 * of one CommandSet have the same stride, and so have the parts of a store.
 */
class PartStore {
  readonly #free: Part[][] = [];

  take(size: number, flight: Flight, node: number): Part {
    const part = this.#free[size]?.pop() ?? new Part(size, flight.batch.stride);
    part.flight = flight;
    part.node = node;
    part.asking = false;
    part.hops = 0;
    return part;
  }

  release(part: Part): void {
    part.flight = undefined;
    if (part.size > maxKeptSize) return;
    for (let size = this.#free.length; size <= part.size; size++) this.#free.push([]);
    this.#free[part.size]?.push(part);
  }
}
