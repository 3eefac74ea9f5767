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
