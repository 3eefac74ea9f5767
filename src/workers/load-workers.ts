/** One worker of a thread, whatever makes it send. */
export interface LoadWorker {
  start(): void;
  /** Operations that were due in the measured window and are neither completed nor failed. */
  readonly unfinished: number;
}

/** What a worker tells its group. */
export interface WorkerEvents {
  /**
   * It had its first reply. Called once.
   *
   * @returns whether it has to keep its connection and wait until `goOn` is called
   */
  readonly served: (doneNs: number, goOn: () => void) => boolean;
  /** It issues nothing any more. Called once. */
  readonly stopped: () => void;
}

/**
 * The workers of one thread: counts them as they have their first replies and as they stop. Where it holds, a worker
 * keeps its first connection until all have one, so that the pools open as many connections as there are workers: in a
 * closed loop the first connections would otherwise go round, and a pool that opens them one by one would still be
 * growing in the measured window.
 */
export class WorkerGroup implements WorkerEvents {
  readonly allStopped: Promise<void>;
  #resolveStopped = () => {};
  #running = 0;
  #unserved = 0;
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
  }

  /** When the last worker had its first reply; null while one had none. */
  get allServedNs(): number | null {
    return this.#allServedNs;
  }

  /** Lets the held workers continue, and holds none from then on. */
  stopHolding(): void {
    this.#holds = false;
    for (const goOn of this.#held.splice(0)) goOn();
  }

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
