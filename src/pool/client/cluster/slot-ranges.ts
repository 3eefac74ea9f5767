import { isIP } from 'node:net';
import { type Address, nodeAddress } from '../address.ts';

/** Where a node of a cluster listens. */
export interface NodePlace {
  readonly host: string;
  readonly port: number;
}

/** Slots in a row that the same nodes serve. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: NodePlace;
  readonly replicas: readonly NodePlace[];
}

/**
 * Reads what CLUSTER SLOTS answered, as nested arrays.
 * @param asked the node that answered
 * @throws Error for any other answer
 */
export function readSlotRanges(reply: unknown, asked: Pick<Address, 'host' | 'natMap'>): SlotRange[] {
  return listOf(reply).map(range => {
    const [first, last, ...nodes] = listOf(range);
    const [master, ...replicas] = nodes.map(node => {
      const [host, port] = listOf(node);
      if (typeof port !== 'number') throw notSlots();
      return placeOf(asked, host, port);
    });
    if (typeof first !== 'number' || typeof last !== 'number' || master === undefined) throw notSlots();
    return { first, last, master, replicas };
  });
}

/** What Redis announces instead of a host that it does not know. */
export const unknownHost = '?';

/**
 * Where a node is reached. One that announces no host has that of the node that was asked
 * (`cluster-preferred-endpoint-type unknown-endpoint`).
 */
export function placeOf(
  { host, natMap }: Pick<Address, 'host' | 'natMap'>,
  announced: unknown,
  port: number,
): NodePlace {
  const isKnown = typeof announced === 'string' && announced !== '' && announced !== unknownHost;
  const place = { host: isKnown ? announced : host, port };
  return natMap?.[`${place.host}:${port}`] ?? place;
}

/** Every master once, in the order of its slots. */
export function mastersOf(ranges: readonly SlotRange[]): NodePlace[] {
  const places = new Map(ranges.map(({ master }) => [`${master.host} ${master.port}`, master]));
  return [...places.values()];
}

function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw notSlots();
  return reply;
}

function notSlots(): Error {
  return new Error('Expected the slots of a cluster, found another answer to CLUSTER SLOTS');
}

/**
 * A node of the cluster that was found through `seed`, with the same login and TLS. The certificate of a node that is
 * announced by an IP address must hold the seed's name.
 */
export function clusterNode(seed: Address, { host, port }: NodePlace): Address {
  const { servername } = seed;
  const named = isIP(host) === 0 || servername === undefined;
  return { ...nodeAddress(seed, host, port), ...(named ? {} : { servername }) };
}

/** Redirections that a thread's clients have followed since the last reset. */
export class RedirectCount {
  moved = 0;
  ask = 0;

  /** The warm-up is discarded, as in the metrics of the pools. */
  resetMetrics(): void {
    this.moved = 0;
    this.ask = 0;
  }
}

/** Pause after a node was lost or refused a connection, so that a closed loop does not flood it with attempts. */
export const lostNodePauseMs = 50;

/** A node that does not answer with the slots within this time is passed over for the next one. */
export const maxSlotsMs = 1000;

export function noNodeConnected(): Error {
  return new Error('No node of the cluster is connected');
}

/** Maximum of redirections that one command follows. After so many it fails with the code of the last one. */
export const maxRedirects = 5;

/** The redirection in an error reply. */
export interface Redirect {
  readonly asking: boolean;
  readonly slot: number;
  /** Empty: the host that answered. */
  readonly host: string;
  readonly port: number;
}

/** Reads `MOVED 3999 127.0.0.1:6381` and `ASK …`; undefined for any other error. */
export function readRedirect(message: string): Redirect | undefined {
  // The port follows the last colon: an IPv6 address has more.
  const [, code, slot, host, port] = /^(MOVED|ASK) (\d{1,5}) (.*):(\d+)/.exec(message) ?? [];
  if (code === undefined) return undefined;
  return { asking: code === 'ASK', slot: Number(slot), host: host ?? '', port: Number(port) };
}
