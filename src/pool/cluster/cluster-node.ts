import { isIP } from 'node:net';
import type { Address } from '../address.ts';
import { nodeAddress } from '../node-address.ts';
import type { NodePlace } from './slot-ranges.ts';

/**
 * A node of the cluster that was found through `seed`, with the same login and TLS. One that is announced by an IP
 * address shows a certificate of the name that the seed was asked by.
 */
export function clusterNode(seed: Address, { host, port }: NodePlace): Address {
  const { servername } = seed;
  const named = isIP(host) === 0 || servername === undefined;
  return { ...nodeAddress(seed, host, port), ...(named ? {} : { servername }) };
}
