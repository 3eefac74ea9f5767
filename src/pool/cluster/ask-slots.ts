import type { Address } from '../address.ts';
import type { CommandSet } from '../batch.ts';
import { WireConnection } from '../wire-connection.ts';
import { readReply } from './read-reply.ts';
import { readSlotRanges, type SlotRange } from './slot-ranges.ts';

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
    return readSlotRanges(readReply(await connection.ask('CLUSTER', 'SLOTS')), node.host);
  } finally {
    clearTimeout(late);
    connection.close();
  }
}
