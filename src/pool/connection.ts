import type { Batch } from './client/batch.ts';

/**
 * Called before a command leaves the client. Its arguments are those from `first` on.
 *
 * @returns why it must not leave; undefined if it may
 */
export type CommandGuard = (name: string, args: readonly unknown[], first: number) => Error | undefined;

/** The client of a connection, for a user's script. */
export interface GuardedClient {
  readonly client: unknown;
  /** Whether an error is a reply of the server. */
  isReply(error: Error): boolean;
}

/**
 * One connection to the target: one socket, or one to each node of a cluster. Several batches can be in flight on it. On one
 * socket their replies come in the order in which they were sent.
 */
export abstract class Connection {
  /** The connections of which it consists, if replies come in order only on each of them; undefined for one socket. */
  get parts(): readonly Connection[] | undefined {
    return undefined;
  }

  /** False once the socket is lost or closed; a dead connection is never acquired and never comes back. */
  abstract readonly alive: boolean;
  /** Batches sent and batches settled. Batches are in flight while they differ, by which a sweep finds stalled ones. */
  sent = 0;
  settled = 0;

  /** For the pool: callers that hold the connection now. */
  holders = 0;
  /** For the pool: when it was last known to be healthy, by the pool's coarse clock. */
  healthyAtMs = 0;
  /**
   * For the pool: what was in flight at its looks, oldest first. Two numbers each: `sent` then, and when that was by the
   * pool's coarse clock. Until `settled` is as large, a batch is unanswered since at least then.
   */
  readonly looks: number[] = [];

  /** Writes the batch at once. Its `done` is called later, exactly once, whether it was answered or lost. */
  abstract send(batch: Batch): void;
  /** One PING and its reply. Rejects when the connection is lost or the server answers with an error. */
  abstract ping(): Promise<void>;
  /** Its client, which from now on sends nothing that `guard` refuses; undefined if it has none that scripts can use. */
  guarded(_guard: CommandGuard): GuardedClient | undefined {
    return undefined;
  }
  /** Why it was lost or closed, as far as that is known. */
  get closedAs(): string | undefined {
    return undefined;
  }
  /** Closes the socket. Whatever is in flight fails with `code`. */
  abstract close(code?: 'CONNECTION_CLOSED' | 'TIMEOUT'): void;
}

/** Opens one connection, logged in and with its database selected. Rejects with the reason. */
export type Connect = () => Promise<Connection>;
