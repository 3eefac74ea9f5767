import type { Connect } from '../../connection.ts';
import type { ReadFrom } from '../../presets.ts';
import type { Address } from '../address.ts';
import type { CommandSet } from '../batch.ts';
import { replicatedFinder } from '../sentinel.ts';
import { slotCount } from './key-slots.ts';
import { type ConnectNode, SeveralNodes } from './several-nodes.ts';
import { Topology } from './topology.ts';

/**
 * Makes the connections of one thread's pools to the servers behind a Sentinel, if reads go to replicas. Each is one
 * connection to the primary, and one to every replica. The servers are treated as a cluster with one shard for all slots.
 *
 * @param address of a Sentinel, with the login of the servers
 * @param timeoutMs bounds the search for them
 */
export function connectBehindSentinel(
  address: Address,
  commandSet: CommandSet,
  timeoutMs: number,
  { readFrom, connectNode }: { readFrom: ReadFrom; connectNode: ConnectNode },
): Connect {
  const find = replicatedFinder(address, timeoutMs);
  const askSentinels = async () => [{ first: 0, last: slotCount - 1, ...(await find()) }];
  // The host name in the Sentinel's certificate is not that of the servers.
  const { servername: _, ...seed } = address;
  const topology = new Topology([seed], askSentinels, { readFrom, asksNodes: false });
  return SeveralNodes.connector(topology, commandSet, connectNode);
}
