import type { Batch } from '../../src/pool/client/batch.ts';
import { Connection } from '../../src/pool/connection.ts';

/** A connection without a socket, for what only the pool decides. */
export class FakeConnection extends Connection {
  alive = true;
  /** How often it was closed by its pool. */
  closes = 0;

  send(_batch: Batch): void {
    this.sent++;
  }

  async ping(): Promise<void> {}

  close(): void {
    this.closes++;
    this.alive = false;
  }

  /** The server goes away. */
  die(): void {
    this.alive = false;
  }
}
