import type { CommandGuard, GuardedClient } from '../connection.ts';
import type { Trust } from './address.ts';

/**
 * The contract between poolbench and a user's client module (docs/clients.md). The module's default export is a
 * `ClientModule`. poolbench's own modules for packages, such as node-redis.ts, also follow it.
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
  /** Path of a unix socket, used instead of host and port. */
  readonly path?: string;
  /** TLS options of Node's `tls.connect`; absent: plain TCP. */
  readonly tls?: Trust;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** Only this protocol, RESP2 or RESP3; absent: RESP3 if both server and client support it. */
  readonly protocol?: 2 | 3;
  /** For CLIENT SETNAME: poolbench finds the connection on the server by it. Absent: set none. */
  readonly name?: string;
  /** Whether commands, and so replies, can have bytes that are not UTF-8 text. */
  readonly binary: boolean;
  /** `clientOptions` of the scenario. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Time limit of the attempt. After it `signal` is aborted: close what was opened. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /**
   * Call it when the connection is lost, with the error if there is one. An error without a code means that the server sent
   * something that is not a reply. Do not open the connection again.
   */
  lost(error?: Error): void;
}

/** Name and arguments of a command. A `Buffer` only for bytes that are not UTF-8 text. */
export type SentCommand = readonly (string | Buffer)[];

/** One connection. */
export interface ClientConnection {
  /**
   * Writes the commands, each a list of its name and arguments, together and in order, so that a transaction stays one.
   * Resolves with a reply for each, in order: null for nil, an Error for a command that failed, whose message is the
   * server's. Rejects if no command was answered.
   */
  send(commands: readonly SentCommand[]): Promise<readonly unknown[]>;
  /**
   * Writes one command. Resolves with its reply: null for nil. Rejects if the command failed, with the server's message.
   * If it is absent, `send` is called with a list of one command.
   */
  sendOne?(command: SentCommand): Promise<unknown>;
  /** Sends PING. Rejects if it fails. */
  ping(): Promise<unknown>;
  /** Closes the socket at once. Calls in flight reject. */
  close(): void;
  /** The client itself, for the scripts of poolbench's own modules: it asks `guard` before each command that it sends. */
  guarded?(guard: CommandGuard): GuardedClient;
}

/** What every connection must have. */
const connectionParts = ['send', 'ping', 'close'] as const satisfies readonly (keyof ClientConnection)[];

/** @returns what is wrong with what `open` resolved with, as a clause; undefined if nothing is */
export function faultOfConnection(opened: unknown): string | undefined {
  if (typeof opened !== 'object' || opened === null)
    return `open() returned ${String(opened)}, not an object`;
  const missing = connectionParts.find(part => typeof Reflect.get(opened, part) !== 'function');
  return missing === undefined ? undefined : `open() returned no function ${missing}`;
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
