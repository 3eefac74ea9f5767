import { isIP } from 'node:net';

/** The address of a server and how to log in. Plain data, so that it can cross a thread boundary. */
export interface Address {
  /** TCP host; unused with `path`. */
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket, or undefined for TCP. */
  readonly path?: string;
  readonly tls: boolean;
  /** The name that is sent and that the TLS certificate must contain, if `host` is only an IP address. */
  readonly servername?: string;
  readonly trust?: Trust;
  readonly username?: string;
  readonly password?: string;
  /** Database index that SELECT is given. */
  readonly database: number;
  /** RESP2 or RESP3 only; undefined: RESP3 if the server supports it. */
  readonly protocol?: 2 | 3;
  /** Reachable addresses of cluster nodes that announce another one, by the announced `host:port`. */
  readonly natMap?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** Connections do not set a name (CLIENT SETNAME), because the server does not accept it. */
  readonly unnamed?: boolean;
  /** Whether connections to the nodes of a cluster send READONLY. Without it, replicas redirect reads. */
  readonly readsReplicas?: boolean;
  /** If present, `host` and `port` are a Sentinel's, which knows the master's; everything else is the master's. */
  readonly sentinel?: Sentinel;
}

/** Certificates for TLS. The PEM texts must not appear in messages and results. */
export interface Trust {
  /** Certificates of the trusted authorities, instead of the system's. */
  readonly ca?: string;
  /** The client's own certificate and key, for a server that asks for them. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that every certificate must contain, instead of its host's. */
  readonly servername?: string;
  /** False: certificates are not checked at all. */
  readonly rejectUnauthorized?: boolean;
}

/** How to ask Sentinels for a master. They are reached by TLS if the master is. */
export interface Sentinel {
  /** The master's name. */
  readonly master: string;
  /** Asked in turn if the first one does not know. */
  readonly others: readonly { readonly host: string; readonly port: number }[];
  /** The Sentinels' login, which can differ from the master's. */
  readonly username?: string;
  readonly password?: string;
}

/** Where a socket connects to, as an option of `net.connect`, `tls.connect` and ioredis. */
export function socketPlace({
  host,
  port,
  path,
}: Address): { host: string; port: number } | { path: string } {
  return path === undefined ? { host, port } : { path };
}

/** TLS options: the server name, if it is not an IP address, and the certificates. */
export function tlsOptions({ servername, trust }: Address): Trust {
  return { ...(servername === undefined ? {} : { servername }), ...trust };
}

/** Another server with the same login and TLS: a master that a Sentinel named, or a node of a cluster. */
export function nodeAddress(address: Address, host: string, port: number): Address {
  const { servername: _, sentinel: __, path: ___, ...same } = address;
  return { ...same, host, port, ...(address.tls && isIP(host) === 0 ? { servername: host } : {}) };
}

/** Arguments of AUTH; none without a password. */
export function authArguments({ username, password }: Pick<Address, 'username' | 'password'>): string[] {
  if (password === undefined) return [];
  return username === undefined ? [password] : [username, password];
}

/** `host:port`, with an IPv6 address in brackets. */
export function shownNode({ host, port }: Pick<Address, 'host' | 'port'>): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
