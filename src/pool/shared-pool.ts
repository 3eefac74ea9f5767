import type { Connection } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { notInUse, poolClosed } from './errors.ts';
import type { OpenedFor } from './maintenance.ts';

/**
 * A few connections that all callers share, each with several batches in flight. No caller waits for another, and none has
 * a connection to itself. A caller acquires the connection with the fewest holders. In a load loop that is the one with the
 * fewest batches in flight or about to be sent.
 */
export class SharedPool extends ConnectionPool {
  /** So few that looking at all of them finds the least held one fast enough. */
  readonly #connections: Connection[] = [];

  get idle(): number {
    return this.#connections.filter(({ holders }) => holders === 0).length;
  }

  /** Undefined when no connection is alive, or when the least held one needs a check first. */
  tryAcquire(): Connection | undefined {
    const connection = this.#leastHeld();
    const { maintenance, recorder } = this;
    if (connection === undefined || maintenance.nowMs - connection.healthyAtMs >= maintenance.healthTtlMs)
      return undefined;
    connection.holders++;
    if (recorder !== undefined) {
      recorder.immediate++;
      recorder.healthChecksSkipped++;
    }
    return connection;
  }

  /** The first caller that releases a dead connection has it replaced. */
  release(connection: Connection): void {
    if (connection.holders === 0) throw notInUse();
    connection.holders--;
    const { maintenance } = this;
    // The replies that just arrived are as good as a health check.
    if (connection.alive) connection.healthyAtMs = maintenance.nowMs;
    if (maintenance.closed) {
      if (connection.holders === 0) maintenance.discard(connection);
    } else if (!connection.alive) this.#replaceDead();
  }

  /** The maximum: all connections are opened before the load. */
  protected get warmTotal(): number {
    return this.options.max;
  }

  /** Acquires the least held connection. If none is alive, opens one and waits until any is open. */
  protected async obtain(deadlineMs: number): Promise<Connection> {
    for (;;) {
      if (this.maintenance.closed) throw poolClosed();
      const connection = this.#leastHeld();
      if (connection === undefined) {
        await this.#waitForAny(deadlineMs);
        continue;
      }
      // Counted as held during the check, so that other callers spread over the other connections.
      connection.holders++;
      if (this.maintenance.isFresh(connection) || (await this.maintenance.check(connection)))
        return connection;
      this.release(connection);
    }
  }

  protected removeIdle(): readonly Connection[] {
    return this.#connections.splice(0).filter(({ holders }) => holders === 0);
  }

  /** The connection that is alive and has the fewest holders; the first of several. */
  #leastHeld(): Connection | undefined {
    let least: Connection | undefined;
    for (const connection of this.#connections) {
      if (!connection.alive) continue;
      if (connection.holders === 0) return connection;
      if (least === undefined || connection.holders < least.holders) least = connection;
    }
    return least;
  }

  async #waitForAny(deadlineMs: number): Promise<void> {
    this.discardDead(this.#connections);
    // A failure rejects this caller with the other waiters.
    if (this.total < this.options.max) this.openOne('worker').catch(() => {});
    this.recorder?.noteWaiting(this.waiting);
    await this.waiters.wait(deadlineMs);
  }

  /** Opens a connection, which all waiters share. If it fails and no other attempt is in progress, all of them fail. */
  protected async openOne(openedFor: OpenedFor): Promise<void> {
    let connection: Connection;
    try {
      connection = await this.maintenance.open(openedFor);
    } catch (error) {
      if (this.maintenance.opening === 0) while (this.waiters.refuse(error));
      throw error;
    }
    if (this.maintenance.closed) {
      this.maintenance.discard(connection);
      return;
    }
    this.#connections.push(connection);
    while (this.waiters.serve(connection));
  }

  #replaceDead(): void {
    this.discardDead(this.#connections);
    this.maintenance.openInBackground(this.options.max - this.total, () => this.openOne('maintenance'));
  }

  protected inspect(): void {
    this.#replaceDead();
    if (this.recorder === undefined) return;
    const { busy } = this.maintenance;
    this.recorder.noteUtilization(busy, this.#connections.length - busy, this.waiting, this.total);
  }
}
