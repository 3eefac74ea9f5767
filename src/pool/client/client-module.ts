import type { CommandGuard, GuardedClient } from '../connection.ts';
import type { Trust } from './address.ts';

/**
 * The contract between poolbench and the client that a module of the user's brings along (docs/clients.md). The module's
 * default export is a `ClientModule`. poolbench's own modules for packages, such as node-redis.ts, are written to it, too.
 */
export interface ClientModule {
  /** Whether one connection can serve several callers: `send` is called again before the last one is answered. */
  readonly multiplexes: boolean;
  /** The version of what is measured, for the results. */
  readonly version?: string;
  /** Opens one connection, logged in, named and with its database selected. Rejects with the reason. */
  open(place: Place): Promise<ClientConnection>;
}

/** Where and how to connect. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** Of a unix socket, which takes the place of host and port. */
  readonly path?: string;
  /** Options of TLS as in Node's `tls.connect`; absent: plain TCP. */
  readonly tls?: Trust;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** RESP2 or RESP3 and no other; absent: RESP3 where the server and the client know it. */
  readonly protocol?: 2 | 3;
  /** For CLIENT SETNAME: by this name poolbench finds the connection at the server. Absent: it gets none. */
  readonly name?: string;
  /** Whether commands, and so replies, have bytes that are no text in UTF-8. */
  readonly binary: boolean;
  /** `clientOptions` of the scenario. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The limit of the attempt; then `signal` is aborted, and what was opened is to be closed. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /**
   * To be called when the connection is lost, with the error if there is one: without a code it means that what arrived is no
   * reply. The connection must not be opened again.
   */
  lost(error?: Error): void;
}

/** Name and arguments of a command. Bytes only where they are no text in UTF-8. */
export type SentCommand = readonly (string | Buffer)[];

/** One connection. */
export interface ClientConnection {
  /**
   * Writes the commands, each a list of its name and arguments, together and in order, so that a transaction stays one.
   * Resolves with a reply for each, in order: null for a nil, an Error for a command that failed, whose message is the
   * server's. Rejects if no command was answered.
   */
  send(commands: readonly SentCommand[]): Promise<readonly unknown[]>;
  /** Sends a PING. Rejects if it is refused or lost. */
  ping(): Promise<unknown>;
  /** Closes the socket at once. Whatever is in flight rejects. */
  close(): void;
  /** The client itself, for the scripts of poolbench's own modules: it asks `guard` before each command that it sends. */
  guarded?(guard: CommandGuard): GuardedClient;
}

/** @returns what is wrong with the default export of a module, as a sentence; undefined if nothing is */
export function faultOfModule(exported: unknown): string | undefined {
  if (typeof exported !== 'object' || exported === null) return 'Its default export is not an object.';
  if (!('open' in exported) || typeof exported.open !== 'function')
    return 'Its default export has no function "open".';
  if (!('multiplexes' in exported) || typeof exported.multiplexes !== 'boolean')
    return '"multiplexes" of its default export is not true or false.';
  return undefined;
}
