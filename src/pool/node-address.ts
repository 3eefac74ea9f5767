import { isIP } from 'node:net';
import type { Address } from './address.ts';

/** The same login and TLS at another server of the same house: a master that a Sentinel named, a node of a cluster. */
export function nodeAddress(address: Address, host: string, port: number): Address {
  const { servername: _, sentinel: __, path: ___, ...same } = address;
  return { ...same, host, port, ...(address.tls && isIP(host) === 0 ? { servername: host } : {}) };
}

/** `host:port`, with an IPv6 address in brackets. */
export function shownNode({ host, port }: Pick<Address, 'host' | 'port'>): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
