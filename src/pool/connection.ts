import type { Batch } from './client/batch.ts';

/**
 * One connection to the target, whatever it is made of: a socket, or one to each node of a cluster. Several batches may
 * be in flight on it; on one socket their replies come in the order in which they were sent.
 */
export abstract class Connection {
  /** Connections that it is made of, where replies come in order on each of them only; undefined: it is one itself. */
  get parts(): readonly Connection[] | undefined {
    return undefined;
  }

  /** False once the socket is lost or closed; a dead connection is never acquired and never comes back. */
  abstract readonly alive: boolean;
  /** Batches handed over and batches settled: in flight while they differ. Lets a sweep find a reply that never comes. */
  sent = 0;
  settled = 0;

  /** The pool's own notes: callers that have it now, */
  holders = 0;
  /** when it was last seen healthy, in milliseconds of the pool's coarse clock, */
  healthyAtMs = 0;
  /** `settled` as the last sweep saw it with a batch in flight (-1: it saw none), and since when it has not moved. */
  sweptSettled = -1;
  stalledSinceMs = 0;

  /** Writes the batch at once. Its `done` is called later, exactly once, whether it was answered or lost. */
  abstract send(batch: Batch): void;
  /** One PING and its reply. Rejects when the connection is lost or the server answers with an error. */
  abstract ping(): Promise<void>;
  /** Closes the socket. Whatever is in flight fails with `code`. */
  abstract close(code?: 'CONNECTION_CLOSED' | 'TIMEOUT'): void;
}

/** Opens one connection, logged in and with its database selected. Rejects with the reason. */
export type Connect = () => Promise<Connection>;
