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
  readonly username?: string;
  readonly password?: string;
  /** Database index that SELECT is given. */
  readonly database: number;
}

/** Where a socket connects to, in the words of `net.connect`, `tls.connect` and ioredis. */
export function socketPlace({
  host,
  port,
  path,
}: Address): { host: string; port: number } | { path: string } {
  return path === undefined ? { host, port } : { path };
}

/** What TLS is told beside the place: the name, where there is one. An IP address is none. */
export function tlsName({ servername }: Address): { servername?: string } {
  return servername === undefined ? {} : { servername };
}
