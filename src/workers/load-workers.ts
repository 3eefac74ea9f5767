/** One worker of a thread, in a closed or an open loop. */
export interface LoadWorker {
  start(): void;
  /** Operations that were due in the measured window and have neither completed nor failed. */
  readonly unfinished: number;
}

/** What a worker reports to its group. */
export interface WorkerEvents {
  /** The worker got its first connection, which has finished its batch. Called once. */
  readonly connected: () => void;
  /**
   * The worker had its first reply. Called once.
   *
   * @returns whether the worker has to keep its connection and wait until `goOn` is called
   */
  readonly served: (doneNs: number, goOn: () => void) => boolean;
  /** The worker issues nothing any more. Called once. */
  readonly stopped: () => void;
}

/**
 * The workers of one thread. It counts first connections, first replies and workers that have stopped. With `holds` a worker keeps its first
 * connection until every worker has one, so that the pools open as many connections as there are workers. Otherwise the
 * workers of a closed loop would share the first few, and a pool that opens them one by one would still grow in the
 * measured window.
 */
export class WorkerGroup implements WorkerEvents {
  readonly allStopped: Promise<void>;
  #resolveStopped = () => {};
  #running = 0;
  #unserved = 0;
  #unconnected = 0;
  #holds: boolean;
  #held: (() => void)[] = [];
  #allServedNs: number | null = null;

  constructor({ holds }: { holds: boolean }) {
    this.#holds = holds;
    this.allStopped = new Promise(resolve => {
      this.#resolveStopped = resolve;
    });
  }

  join(): void {
    this.#running++;
    this.#unserved++;
    this.#unconnected++;
  }

  /** Whether every worker has had a connection. */
  get allConnected(): boolean {
    return this.#unconnected === 0;
  }

  /** When the last worker had its first reply; null while some worker has had none. */
  get allServedNs(): number | null {
    return this.#allServedNs;
  }

  /** Lets the held workers continue, and holds none from then on. */
  stopHolding(): void {
    this.#holds = false;
    for (const goOn of this.#held.splice(0)) goOn();
  }

  readonly connected = (): void => {
    this.#unconnected--;
  };

  readonly served = (doneNs: number, goOn: () => void): boolean => {
    if (--this.#unserved === 0) {
      this.#allServedNs = doneNs;
      this.stopHolding();
    }
    if (this.#holds) this.#held.push(goOn);
    return this.#holds;
  };

  readonly stopped = (): void => {
    if (--this.#running === 0) this.#resolveStopped();
  };
}
