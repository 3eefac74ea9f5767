import { type Connect, Connection } from '../../connection.ts';
import { failureCode, poolClosed } from '../../errors.ts';
import type { Address } from '../address.ts';
import type { Batch, CommandSet } from '../batch.ts';
import { BatchCutter, type Flight, type Part } from './batch-cutter.ts';
import { lostNodePauseMs, noNodeConnected, placeOf, RedirectCount } from './slot-ranges.ts';
import type { Topology } from './topology.ts';

/** A connection to one node. Only nodes of a cluster need commands after ASKING. */
type NodeLink = Connection & { sendAsking?(batch: Batch): void };

/** Makes connections to one node. */
export type ConnectNode = (node: Address, commandSet: CommandSet) => () => Promise<NodeLink>;

/** Shared by all connections of one thread. */
interface Shared {
  readonly topology: Topology;
  readonly cutter: BatchCutter;
  readonly redirects: RedirectCount;
  /** Opens a connection to the node of this index. */
  readonly connect: (node: number) => Promise<NodeLink>;
}

/**
 * A pooled connection to several nodes: one connection to every primary, and to every replica that answers reads. A batch is
 * split by node; redirected commands are sent to the node in the reply; the batch is done when the last part is. If a node is
 * lost, commands in flight to it fail, and the connection to it is opened again. This connection is dead when no node is left.
 */
export class SeveralNodes extends Connection {
  readonly #shared: Shared;
  /** By the node's index. Each is made when something is first sent to the node. */
  readonly #nodes: (NodeConnection | undefined)[] = [];
  /** Flights that are not in use. Only a connection with several callers needs more than one. */
  readonly #flights: Flight[] = [];
  readonly #send = (part: Part): void => this.#node(part.node).send(part);
  #alive = true;

  private constructor(shared: Shared) {
    super();
    this.#shared = shared;
  }

  /**
   * Makes the connections of one thread's pools. An attempt opens a connection to every node of the topology that is in
   * use, and needs one of them: else it rejects. The others are tried again when something has to be sent there.
   */
  static connector(
    topology: Topology,
    commandSet: CommandSet,
    connectNode: ConnectNode,
    redirects = new RedirectCount(),
  ): Connect {
    // The parts of a batch follow no order.
    const ofParts = { ...commandSet, order: undefined };
    const connects: (() => Promise<NodeLink>)[] = [];
    const connect = (node: number) => {
      connects[node] ??= connectNode(topology.node(node), ofParts);
      return connects[node]();
    };
    const shared = { topology, cutter: new BatchCutter(commandSet, topology), redirects, connect };
    return async () => {
      await topology.load();
      const connection = new SeveralNodes(shared);
      await connection.#open();
      return connection;
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
    const flight = this.#flights.pop() ?? { batch, open: 0, landed: part => this.#landed(part) };
    flight.batch = batch;
    this.#shared.cutter.cut(flight, this.#send);
  }

  /** One PING to every node at once. Rejects when no node is connected, or one of them was lost. */
  async ping(): Promise<void> {
    const live = this.#live();
    if (live.length === 0) throw noNodeConnected();
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
    const opening = this.#shared.topology.serving().map(node => this.#node(node).open());
    const outcomes = await Promise.allSettled(opening);
    if (outcomes.some(({ status }) => status === 'fulfilled')) return;
    this.close();
    await Promise.all(opening);
  }

  #node(index: number): NodeConnection {
    const known = this.#nodes[index];
    if (known !== undefined) return known;
    const node = new NodeConnection(
      () => this.#shared.connect(index),
      () => this.#refused(),
    );
    this.#nodes[index] = node;
    if (!this.#alive) node.close('CONNECTION_CLOSED');
    return node;
  }

  #refused(): void {
    this.#shared.topology.suspect();
    if (!this.#nodes.some(node => node?.opening || node?.live)) this.#alive = false;
  }

  #live(): NodeLink[] {
    return this.#nodes.flatMap(node => node?.live ?? []);
  }

  /** Counts a part's outcome into the batch, and sends redirected commands on. */
  #landed(part: Part): void {
    const { flight } = part;
    if (flight === undefined) return;
    const { batch } = flight;
    part.passOn(flight);
    if (part.failures !== undefined) this.#lookAgain(part);
    if (part.redirected !== undefined) this.#follow(part, flight);
    this.#shared.cutter.release(part);
    if (--flight.open > 0) return;
    this.#flights.push(flight);
    this.settled++;
    batch.done();
  }

  /** A node that was lost, that reports an incomplete cluster, or that takes no writes, may have been replaced. */
  #lookAgain(part: Part): void {
    const lost = this.#nodes[part.node]?.live === undefined;
    if (lost || part.failures?.has('CLUSTERDOWN') || part.failures?.has('READONLY'))
      this.#shared.topology.suspect();
  }

  /** Sends one part to each node that commands have moved to. ASK is valid for one command at a time. */
  #follow(part: Part, flight: Flight): void {
    const { topology, cutter, redirects } = this.#shared;
    const asked = topology.node(part.node);
    const moved = new Map<number, number[]>();
    for (const { asking, slot, host, port, index } of part.redirected ?? []) {
      const node = topology.indexOf(placeOf(asked, host, port));
      if (asking) {
        redirects.ask++;
        const next = cutter.cutAgain(part, flight, [index], node);
        next.asking = true;
        this.#send(next);
        continue;
      }
      redirects.moved++;
      topology.moved(slot, node);
      moved.set(node, [...(moved.get(node) ?? []), index]);
    }
    for (const [node, indices] of moved) this.#send(cutter.cutAgain(part, flight, indices, node));
  }
}

/**
 * One node: a connection, or an attempt to connect and the parts that wait for it. A lost connection is
 * opened again when there is something to send; if that fails, the waiting parts fail with its code. So a closed loop that
 * meets a dead node is slowed down to the pace of the attempts.
 */
class NodeConnection {
  readonly #connect: () => Promise<NodeLink>;
  readonly #onRefused: () => void;
  #connection: NodeLink | undefined;
  #opening: Promise<void> | undefined;
  #waiting: Part[] = [];
  #notBeforeMs = 0;
  #closedAs: 'CONNECTION_CLOSED' | 'TIMEOUT' | undefined;

  /** @param onRefused is called when an attempt to connect has failed, before the waiting parts fail */
  constructor(connect: () => Promise<NodeLink>, onRefused: () => void) {
    this.#connect = connect;
    this.#onRefused = onRefused;
  }

  /** The connection, if it is alive. */
  get live(): NodeLink | undefined {
    return this.#connection?.alive === true ? this.#connection : undefined;
  }

  get opening(): boolean {
    return this.#opening !== undefined;
  }

  send(part: Part): void {
    const { live } = this;
    if (live === undefined) {
      this.#waiting.push(part);
      if (this.#closedAs === undefined) this.open().catch(() => {});
      else process.nextTick(() => this.#failWaiting(this.#closedAs ?? 'CONNECTION_CLOSED'));
    } else if (part.asking && live.sendAsking !== undefined) live.sendAsking(part);
    else live.send(part);
  }

  /** Opens the connection, and sends the waiting parts. Rejects with the reason. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Closes the connection for good. Whatever is in flight or waits fails with `code`. */
  close(code: 'CONNECTION_CLOSED' | 'TIMEOUT'): void {
    this.#closedAs ??= code;
    this.#connection?.close(code);
    if (this.#waiting.length > 0) process.nextTick(() => this.#failWaiting(code));
  }

  /** The owners of waiting parts may send again at once, so the attempt ends before they hear of it. */
  async #open(): Promise<void> {
    try {
      const earlyMs = this.#notBeforeMs - performance.now();
      if (earlyMs > 0) await new Promise(resolve => setTimeout(resolve, earlyMs));
      if (this.#closedAs !== undefined) throw poolClosed();
      this.#connection = await this.#connect();
      if (this.#closedAs !== undefined) this.#connection.close();
    } catch (error) {
      this.#opening = undefined;
      this.#notBeforeMs = performance.now() + lostNodePauseMs;
      this.#onRefused();
      this.#failWaiting(failureCode(error));
      throw error;
    }
    this.#opening = undefined;
    for (const part of this.#waiting.splice(0)) this.send(part);
  }

  #failWaiting(code: string): void {
    for (const part of this.#waiting.splice(0)) {
      part.restart();
      part.fail(code, part.size);
      part.done();
    }
  }
}
