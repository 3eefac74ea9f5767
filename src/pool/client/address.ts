import { isIP } from 'node:net';

/** Where a server is and how to log in. Plain data, so that it can cross a thread boundary. */
export interface Address {
  /** TCP host; unused with `path`. */
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket, or undefined for TCP. */
  readonly path?: string;
  readonly tls: boolean;
  /** With TLS, the name that is asked for and that the certificate must hold, where `host` is only its IP address. */
  readonly servername?: string;
  readonly trust?: Trust;
  readonly username?: string;
  readonly password?: string;
  /** Database index that SELECT is given. */
  readonly database: number;
  /** RESP2 or RESP3 and no other; undefined: RESP3 where the server knows it. */
  readonly protocol?: 2 | 3;
  /** Host and port are those of a Sentinel, which tells where the master is; all else is the master's. */
  readonly sentinel?: Sentinel;
}

/** What TLS believes and shows. PEM texts: they belong into no message and no result. */
export interface Trust {
  /** Certificates of the authorities that are believed, in the place of the system's. */
  readonly ca?: string;
  /** Our own certificate and its key, for a server that wants one. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that every certificate must hold, whatever its host is called. */
  readonly servername?: string;
  /** False: a server's certificate is not checked at all. */
  readonly rejectUnauthorized?: boolean;
}

/** How to ask Sentinels for a master. They are spoken to in TLS where the master is. */
export interface Sentinel {
  /** The name that they know it by. */
  readonly master: string;
  /** Asked in turn where the first one does not tell. */
  readonly others: readonly { readonly host: string; readonly port: number }[];
  /** The Sentinels' own login, which need not be the master's. */
  readonly username?: string;
  readonly password?: string;
}

/** Where a socket connects to, in the words of `net.connect`, `tls.connect` and ioredis. */
export function socketPlace({
  host,
  port,
  path,
}: Address): { host: string; port: number } | { path: string } {
  return path === undefined ? { host, port } : { path };
}

/** What TLS is told beside the place: the name, where there is one (an IP address is none), and what it trusts. */
export function tlsOptions({ servername, trust }: Address): Trust {
  return { ...(servername === undefined ? {} : { servername }), ...trust };
}

/** The same login and TLS at another server of the same house: a master that a Sentinel named, a node of a cluster. */
export function nodeAddress(address: Address, host: string, port: number): Address {
  const { servername: _, sentinel: __, path: ___, ...same } = address;
  return { ...same, host, port, ...(address.tls && isIP(host) === 0 ? { servername: host } : {}) };
}

/** `host:port`, with an IPv6 address in brackets. */
export function shownNode({ host, port }: Pick<Address, 'host' | 'port'>): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
