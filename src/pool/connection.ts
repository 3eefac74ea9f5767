import type { Batch } from './batch.ts';

/** One connection to the target, whatever it is made of. The pool hands it to one caller at a time. */
export interface Connection {
  /** False once the socket is lost or closed; a dead connection is never handed out and never comes back. */
  readonly alive: boolean;
  /** Batches handed over and batches settled: in flight while they differ. Lets a sweep find a reply that never comes. */
  readonly sent: number;
  readonly settled: number;

  /** Writes the batch at once. Its `done` is called later, exactly once, whether it was answered or lost. */
  send(batch: Batch): void;
  /** One PING and its reply. Rejects when the connection is lost or the server answers with an error. */
  ping(): Promise<void>;
  /** Closes the socket. Whatever is in flight fails with `code`. */
  close(code?: 'CONNECTION_CLOSED' | 'TIMEOUT'): void;

  /** The pool's own notes on the connection. */
  inUse: boolean;
  /** When it was last seen healthy, in milliseconds of the pool's coarse clock. */
  healthyAtMs: number;
  /** `settled` as the last sweep saw it with a batch in flight (-1: it saw none), and since when it has not moved. */
  sweptSettled: number;
  stalledSinceMs: number;
}

/** Opens one connection, logged in and with its database selected. Rejects with the reason. */
export type Connect = () => Promise<Connection>;
