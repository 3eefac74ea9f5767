/** The limits of a scenario: a config above them is refused, and an agent accepts no more. */
export const limits = {
  pools: 1024,
  workers: 100_000,
  pipeline: 10_000,
  connectionsPerWorker: 100,
  /** Of one scenario. A thread costs 10 to 20 MB. */
  threads: 256,
  agents: 1024,
  /** Of a run; agents do not count them. */
  rounds: 1000,
  /** Of a measured window, and of each of its stages. */
  seconds: 3600,
  /** Min of a measured window. */
  minSeconds: 0.05,
} as const;
