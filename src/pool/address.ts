/** Where a server is and how to log in. Plain data, so that it can cross a thread boundary. */
export interface Address {
  /** TCP host; unused with `path`. */
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket, or undefined for TCP. */
  readonly path?: string;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** Database index that SELECT is given. */
  readonly database: number;
}
