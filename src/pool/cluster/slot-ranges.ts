import { isIP } from 'node:net';
import { type Address, nodeAddress } from '../address.ts';
import type { CommandSet } from '../batch.ts';
import { WireConnection } from '../wire-connection.ts';

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
 * @param askedHost the host that answered: a node that does not know its own announces none, and means this one
 * @throws Error for what is no such answer
 */
export function readSlotRanges(reply: unknown, askedHost: string): SlotRange[] {
  return listOf(reply).map(range => {
    const [first, last, ...nodes] = listOf(range);
    const [master, ...replicas] = nodes.map(node => {
      const [host, port] = listOf(node);
      if (typeof port !== 'number') throw notSlots();
      return { host: typeof host === 'string' && host !== '' ? host : askedHost, port };
    });
    if (typeof first !== 'number' || typeof last !== 'number' || master === undefined) throw notSlots();
    return { first, last, master, replicas };
  });
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
 * Asks a node which nodes serve which slots, over a connection of its own, so that no reply of the load is in the way.
 * Rejects as a connect does, with its refusal, or after `timeoutMs` for each of both.
 */
export async function askSlots(
  node: Address,
  { keyPrefix }: Pick<CommandSet, 'keyPrefix'>,
  timeoutMs: number,
): Promise<SlotRange[]> {
  const connection = await WireConnection.connector(node, { keyPrefix, commands: [] }, timeoutMs)();
  const late = setTimeout(() => connection.close('TIMEOUT'), timeoutMs);
  try {
    return readSlotRanges(await connection.ask('CLUSTER', 'SLOTS'), node.host);
  } finally {
    clearTimeout(late);
    connection.close();
  }
}

/**
 * A node of the cluster that was found through `seed`, with the same login and TLS. One that is announced by an IP
 * address shows a certificate of the name that the seed was asked by.
 */
export function clusterNode(seed: Address, { host, port }: NodePlace): Address {
  const { servername } = seed;
  const named = isIP(host) === 0 || servername === undefined;
  return { ...nodeAddress(seed, host, port), ...(named ? {} : { servername }) };
}
