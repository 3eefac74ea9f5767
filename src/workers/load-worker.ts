/** One worker of a thread, whatever makes it send. */
export interface LoadWorker {
  start(): void;
  /** Operations that were due in the measured window and are neither completed nor failed. */
  readonly unfinished: number;
}

/** What a worker tells the crew it belongs to. */
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
