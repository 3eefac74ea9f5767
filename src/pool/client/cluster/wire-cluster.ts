import type { Connect } from '../../connection.ts';
import type { ReadFrom, Transport } from '../../presets.ts';
import type { Address } from '../address.ts';
import type { CommandSet } from '../batch.ts';
import { WireConnection } from '../wire-connection.ts';
import { SeveralNodes } from './several-nodes.ts';
import { maxSlotsMs, type RedirectCount, readSlotRanges, type SlotRange } from './slot-ranges.ts';
import { Topology } from './topology.ts';

/**
 * Makes the connections of one thread's pools to a cluster: each is one WireConnection to every node in use.
 *
 * @param seeds nodes of the cluster, with login and TLS; at least one
 * @param timeoutMs bounds the attempt to connect to each node
 */
export function connectWireCluster(
  seeds: readonly Address[],
  commandSet: CommandSet,
  timeoutMs: number,
  { redirects, readFrom, transport }: { redirects: RedirectCount; readFrom: ReadFrom; transport: Transport },
): Connect {
  const nodes = readFrom === 'primary' ? seeds : seeds.map(seed => ({ ...seed, readsReplicas: true }));
  const ask = (node: Address) => askSlots(node, commandSet, Math.min(timeoutMs, maxSlotsMs));
  return SeveralNodes.connector(
    new Topology(nodes, ask, { readFrom }),
    commandSet,
    (node, ofParts) => WireConnection.connector(node, ofParts, timeoutMs, transport),
    redirects,
  );
}

/**
 * Asks a node which nodes serve which slots, on a separate connection, so that it does not wait for replies to the load.
 * Rejects with the reason if it cannot connect or the node refuses, and after `timeoutMs` for each of the two steps.
 */
export async function askSlots(
  node: Address,
  { keyPrefix }: Pick<CommandSet, 'keyPrefix'>,
  timeoutMs: number,
): Promise<SlotRange[]> {
  const connection = await WireConnection.connector(node, { keyPrefix, commands: [] }, timeoutMs, 'direct')();
  const late = setTimeout(() => connection.close('TIMEOUT'), timeoutMs);
  try {
    return readSlotRanges(await connection.ask('CLUSTER', 'SLOTS'), node);
  } finally {
    clearTimeout(late);
    connection.close();
  }
}
