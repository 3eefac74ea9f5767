import type { Connection } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { notInUse, poolClosed } from './errors.ts';

/**
 * Few connections that all callers share, each with several batches in flight: no caller waits for another, and none
 * has a connection to itself. A caller acquires the connection with the fewest holders, which in a load loop is the one
 * with the fewest batches in flight, those included that are about to be sent.
 */
export class SharedPool extends ConnectionPool {
  /** Those that can be acquired: few, so that the least held is found by looking at all. */
  readonly #connections: Connection[] = [];

  get idle(): number {
    return this.#connections.filter(({ holders }) => holders === 0).length;
  }

  /** Undefined when no connection is alive, or when the least held one asks for a check first. */
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

  /** The first to find a connection dead has it replaced. */
  release(connection: Connection): void {
    if (connection.holders === 0) throw notInUse();
    connection.holders--;
    const { maintenance } = this;
    // The replies it just brought are the best health check there is.
    if (connection.alive) connection.healthyAtMs = maintenance.nowMs;
    if (maintenance.closed) {
      if (connection.holders === 0) maintenance.discard(connection);
    } else if (!connection.alive) this.#replaceDead();
  }

  /** All of them. */
  protected get warmTotal(): number {
    return this.options.max;
  }

  /** Takes the least held connection; if none is alive, opens one and waits until any is open. */
  protected async obtain(deadlineMs: number): Promise<Connection> {
    for (;;) {
      if (this.maintenance.closed) throw poolClosed();
      const connection = this.#leastHeld();
      if (connection === undefined) {
        await this.#waitForAny(deadlineMs);
        continue;
      }
      // Held while it is checked, so that callers who come meanwhile spread over the others.
      connection.holders++;
      if (this.maintenance.isFresh(connection) || (await this.maintenance.check(connection)))
        return connection;
      this.release(connection);
    }
  }

  protected removeIdle(): readonly Connection[] {
    return this.#connections.splice(0).filter(({ holders }) => holders === 0);
  }

  /** The connection alive that fewest callers hold; of several such, the first. */
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
    // A failure reaches the caller as one of those who wait.
    if (this.total < this.options.max) this.openOne().catch(() => {});
    this.recorder?.joins(this.waiting);
    await this.waiters.wait(deadlineMs);
  }

  /** Opens a connection; all who wait can share it. If it fails and no other is on its way, they fail with it. */
  protected async openOne(): Promise<void> {
    let connection: Connection;
    try {
      connection = await this.maintenance.open();
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      if (this.maintenance.opening === 0) while (this.waiters.refuse(reason));
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
    this.maintenance.openInBackground(this.options.max - this.total, () => this.openOne());
  }

  protected inspect(): void {
    this.#replaceDead();
    if (this.recorder === undefined) return;
    const { busy } = this.maintenance;
    this.recorder.standing(busy, this.#connections.length - busy, this.waiting, this.total);
  }
}
