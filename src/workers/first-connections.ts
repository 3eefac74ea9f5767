import type { Connection } from '../pool/connection.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';

/** A pool and how many callers it has. */
export interface Callers {
  readonly pool: WorkerPool;
  readonly workers: number;
}

/**
 * Takes a connection for every worker and gives all of them back once all are there, so that the pools have as many as
 * there are workers. In an open loop arrivals alone would not do that: at a low rate they all go to the first few.
 */
export class FirstConnections {
  /** Resolves when all were there, could not be had, or were let go. */
  readonly gathered: Promise<void>;
  #resolve = () => {};
  #held: (() => void)[] | undefined = [];

  constructor() {
    this.gathered = new Promise(resolve => {
      this.#resolve = resolve;
    });
  }

  gather(callers: readonly Callers[]): void {
    const acquiring = callers.flatMap(({ pool, workers }) =>
      Array.from({ length: workers }, () =>
        pool.acquire().then(
          connection => this.#hold(pool, connection),
          // It is no operation that failed. The worker will see for itself when something is due.
          () => {},
        ),
      ),
    );
    void Promise.all(acquiring).then(() => this.letGo());
  }

  /** Gives back what is held, and what comes later as it comes. */
  letGo(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const release of held) release();
    this.#resolve();
  }

  #hold(pool: WorkerPool, connection: Connection): void {
    const release = () => pool.release(connection);
    if (this.#held === undefined) release();
    else this.#held.push(release);
  }
}
