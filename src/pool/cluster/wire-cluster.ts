import type { Address } from '../address.ts';
import { type Batch, type CommandSet, KEY } from '../batch.ts';
import { type Connect, Connection } from '../connection.ts';
import { WireConnection } from '../wire-connection.ts';
import { KeySlots } from './key-slots.ts';
import { NodeConnection } from './node-connection.ts';
import { type Flight, type Part, PartStore } from './part.ts';
import { readReply } from './read-reply.ts';
import type { RedirectCount } from './redirects.ts';
import { readSlotRanges, type SlotRange } from './slot-ranges.ts';
import { Topology } from './topology.ts';

/** A node that does not tell the slots within this is passed over for the next. */
const mostAskMs = 1000;

/** What all connections of one thread to one cluster share. */
interface Shared {
  readonly topology: Topology;
  readonly keySlots: KeySlots;
  /** Of each command: whether it has a key, which says where it goes. */
  readonly keyed: readonly boolean[];
  readonly parts: PartStore;
  readonly redirects: RedirectCount;
  /** Opens a connection to the node of this index. */
  readonly connect: (node: number) => Promise<WireConnection>;
}

/**
 * A pooled connection to a cluster on the wire: one connection to every master, made of what a single server gets. A
 * batch is cut into parts by the slots of its keys; redirected commands are sent on as the node said; when the last
 * part is back, the batch is done. A node that is lost fails what was in flight to it and is connected to again; only
 * when no node is left this connection is dead.
 */
export class WireCluster extends Connection {
  readonly #shared: Shared;
  /** By the index of the node; made when something is first sent there. */
  readonly #nodes: (NodeConnection | undefined)[] = [];
  /** Flights that are not in use. Only a connection that several callers share has more than one. */
  readonly #flights: Flight[] = [];
  /** Parts of the batch that is being cut, by node. */
  readonly #cut: (Part | undefined)[] = [];
  #counts = new Uint32Array(0);
  #owners = new Uint16Array(0);
  #alive = true;

  private constructor(shared: Shared) {
    super();
    this.#shared = shared;
  }

  /**
   * Makes the connections of one thread's pools. A connect opens one to every master, and is content with those that
   * come: the others are tried again when something is to be sent there. Rejects when none comes.
   *
   * @param seeds nodes of the cluster, with login and TLS; at least one
   * @param timeoutMs bounds the connect to each node
   */
  static connector(
    seeds: readonly Address[],
    commandSet: CommandSet,
    timeoutMs: number,
    redirects: RedirectCount,
  ): Connect {
    const ask = (node: Address) => askSlots(node, commandSet, Math.min(timeoutMs, mostAskMs));
    const topology = new Topology(seeds, ask);
    const connects: (() => Promise<WireConnection>)[] = [];
    const shared: Shared = {
      topology,
      keySlots: new KeySlots(commandSet.keyPrefix),
      keyed: commandSet.commands.map(({ args }) => args.includes(KEY)),
      parts: new PartStore(),
      redirects,
      connect(node) {
        const connect =
          connects[node] ?? WireConnection.connector(topology.node(node), commandSet, timeoutMs);
        connects[node] = connect;
        return connect();
      },
    };
    return async () => {
      await topology.load();
      const cluster = new WireCluster(shared);
      await cluster.#open();
      return cluster;
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  override get parts(): readonly Connection[] {
    return this.#live();
  }

  send(batch: Batch): void {
    batch.restart();
    this.sent++;
    const flight = this.#takeFlight(batch);
    if (batch.size === 1) {
      const node = this.#ownerOf(batch, 0);
      const part = this.#shared.parts.take(1, flight, node);
      part.copy(0, batch, 0);
      flight.open = 1;
      this.#node(node).send(part);
    } else this.#sendParts(flight);
  }

  /** One PING to every node at once. Rejects when no node is connected, or one of them was lost. */
  async ping(): Promise<void> {
    const live = this.#live();
    if (live.length === 0) throw new Error('No node of the cluster is connected');
    this.sent++;
    try {
      await Promise.all(live.map(connection => connection.ping()));
    } finally {
      this.settled++;
    }
  }

  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT' = 'CONNECTION_CLOSED'): void {
    this.#alive = false;
    for (const node of this.#nodes) node?.close(code);
  }

  async #open(): Promise<void> {
    const opening = this.#shared.topology.masters().map(node => this.#node(node).open());
    const outcomes = await Promise.allSettled(opening);
    if (outcomes.some(({ status }) => status === 'fulfilled')) return;
    this.close();
    await Promise.all(opening);
  }

  #ownerOf(batch: Batch, index: number): number {
    const { topology, keySlots, keyed } = this.#shared;
    // A command without a key is any node's.
    const slot = keyed[batch.command[index] as number] ? keySlots.of(batch.keyOf(index)) : 0;
    return topology.owner(slot);
  }

  #node(index: number): NodeConnection {
    const known = this.#nodes[index];
    if (known !== undefined) return known;
    const { topology, connect } = this.#shared;
    const node = new NodeConnection(
      () => connect(index),
      () => {
        topology.suspect();
        if (!this.#nodes.some(node => node?.opening || node?.live)) this.#alive = false;
      },
    );
    this.#nodes[index] = node;
    if (!this.#alive) node.close('CONNECTION_CLOSED');
    return node;
  }

  #live(): WireConnection[] {
    return this.#nodes.flatMap(node => node?.live ?? []);
  }

  #takeFlight(batch: Batch): Flight {
    const free = this.#flights.pop();
    if (free === undefined) return { batch, open: 0, landed: part => this.#landed(part) };
    free.batch = batch;
    return free;
  }

  /** Cuts a batch by the owners of its keys: first counts, so that every part is of its size, then copies. */
  #sendParts(flight: Flight): void {
    const { batch } = flight;
    const { size } = batch;
    const { topology, parts } = this.#shared;
    if (this.#owners.length < size) this.#owners = new Uint16Array(size);
    if (this.#counts.length < topology.size) this.#counts = new Uint32Array(topology.size);
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
      if (count === 0) continue;
      cut[node] = parts.take(count, flight, node);
      flight.open++;
    }
    for (let i = size - 1; i >= 0; i--) {
      const node = owners[i] as number;
      counts[node] = (counts[node] as number) - 1;
      cut[node]?.copy(counts[node] as number, batch, i);
    }
    for (let node = 0; node < counts.length; node++) {
      const part = cut[node];
      if (part === undefined) continue;
      cut[node] = undefined;
      this.#node(node).send(part);
    }
  }

  /** Counts what came back into the batch, and sends on what was redirected. */
  #landed(part: Part): void {
    const { flight } = part;
    if (flight === undefined) return;
    const { batch } = flight;
    batch.completed += part.completed;
    batch.misses += part.misses;
    if (part.failures !== undefined) this.#fail(part, batch);
    if (part.redirected !== undefined) this.#follow(part, flight);
    this.#shared.parts.giveBack(part);
    if (--flight.open > 0) return;
    this.#flights.push(flight);
    this.settled++;
    batch.done();
  }

  #fail(part: Part, batch: Batch): void {
    for (const [code, count] of part.failures ?? []) batch.fail(code, count);
    // A node that is gone, or that says its cluster is not whole, may have been replaced.
    const lost = this.#nodes[part.node]?.live === undefined;
    if (lost || part.failures?.has('CLUSTERDOWN')) this.#shared.topology.suspect();
  }

  /** One part for each node that commands have moved to; ASK holds for one command at a time. */
  #follow(part: Part, flight: Flight): void {
    const { topology, parts, redirects } = this.#shared;
    const askedHost = topology.node(part.node).host;
    const moved = new Map<number, number[]>();
    const send = (indices: readonly number[], node: number, asking: boolean) => {
      const next = parts.take(indices.length, flight, node);
      next.hops = part.hops + 1;
      next.asking = asking;
      for (const [to, from] of indices.entries()) next.copy(to, part, from);
      flight.open++;
      this.#node(node).send(next);
    };
    for (const { asking, slot, host, port, index } of part.redirected ?? []) {
      const node = topology.indexOf({ host: host === '' ? askedHost : host, port });
      if (asking) {
        redirects.ask++;
        send([index], node, true);
        continue;
      }
      redirects.moved++;
      topology.moved(slot, node);
      moved.set(node, [...(moved.get(node) ?? []), index]);
    }
    for (const [node, indices] of moved) send(indices, node, false);
  }
}

/** Asks a node for the slots over a connection of its own, so that no reply of the load is in the way. */
async function askSlots(node: Address, commandSet: CommandSet, timeoutMs: number): Promise<SlotRange[]> {
  const connection = await WireConnection.connector(node, { ...commandSet, commands: [] }, timeoutMs)();
  const late = setTimeout(() => connection.close('TIMEOUT'), timeoutMs);
  try {
    return readSlotRanges(readReply(await connection.ask('CLUSTER', 'SLOTS')), node.host);
  } finally {
    clearTimeout(late);
    connection.close();
  }
}
