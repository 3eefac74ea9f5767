/**
 * The figures of the source report, whose recommendations the claims test. It measured redis-py on another machine.
 * Gains are ratios: ×1.27 is +27 %. Where it gives a range, `low` and `high` are the ends of that range.
 *
 * A claim takes its statement, its prediction and the range that decides from here. It has no figures for C16 to C19.
 */
export const sourceReport = {
  /** C1 and C2: "10–50 workers per pool". */
  workersPerPool: { low: 10, high: 50 },
  /** C2: operations per second of one `baseline` pool, by workers. */
  opsPerSecond: new Map([
    [1, 9751],
    [10, 11_706],
    [50, 11_380],
    [100, 10_242],
  ]),
  /** C21: p99 of 1 worker, and by how much the mean response time grows from one number of workers to another. */
  queueing: {
    alone: { workers: 1, p99Ms: 1 },
    growth: [
      { from: 10, to: 50, low: 4, high: 6 },
      { from: 50, to: 100, low: 2, high: 2 },
    ],
  },
  /** C3: the gain of batches over single commands; "best at 50–100". */
  batches: [
    { size: 50, gain: 8 },
    { size: 100, gain: 9 },
  ],
  /** C4: "at 50+ concurrent workers". `tail` is p95 and p99. */
  lockFree: { minWorkers: 50, throughput: { low: 1.15, high: 1.25 }, tail: { low: 0.85, high: 0.9 } },
  /** C5: a check is cached for this long, and costs an operation this many milliseconds. */
  healthCache: {
    ttlMs: 1000,
    checkMs: { low: 0.05, high: 0.1 },
    meanLatency: { low: 0.85, high: 0.9 },
    throughput: { low: 1.05, high: 1.1 },
  },
  /** C6 and C12: p99 with connections that are open before the load. */
  warming: { p99: { low: 0.7, high: 0.8 } },
  /** C12: minIdle as a fraction of the maximum. */
  minIdleRatio: 0.25,
  /** C7: all optimizations together. Most workers first: the promise is one "under high concurrency". */
  optimized: [
    { workers: 100, throughput: 1.27 },
    { workers: 50, throughput: 1.27 },
    { workers: 10, throughput: 1.15 },
    { workers: 1, throughput: 1.05 },
  ],
  /** C8: the same in response times. */
  optimizedTail: [
    { workers: 50, p95: 0.78, p99: 0.75 },
    { workers: 10, p95: 0.82, p99: 0.79 },
  ],
  /**
   * C9 and C22: on Valkey to on Redis, "within ±5 %", and the value in its table; the tolerance for "the same" gain is
   * our choice.
   */
  valkey: {
    throughput: { low: 0.95, high: 1.05 },
    p95: { low: 0.95, high: 1.05 },
    measured: 1.03,
    gain: { low: 0.9, high: 1.1 },
  },
  /** C10: on Dragonfly to on Redis; "scales better with many workers"; a p95 of 5.50 ms to one of 7.15 ms. */
  dragonfly: { minWorkers: 50, throughput: { low: 1.2, high: 1.5 }, p95: 0.77 },
  /** C11: the size of a pool. */
  connectionsPerWorker: 2,
  /** C13: "every 0.5–1 s". */
  healthIntervalMs: { low: 500, high: 1000 },
  /** C14: the profile for low latency, "sub-millisecond". */
  lowLatency: { workers: 10, p99Ms: 1 },
  /** C15: the profile for high throughput, with the largest of the best batches. */
  highThroughput: { batch: 100, opsPerSecond: 50_000 },
} as const;

/** "+27 %", "−10–15 %": ratios as changes. All must be gains, or all losses. */
export function formatChange(...ratios: readonly number[]): string {
  return `${ratios.every(ratio => ratio < 1) ? '−' : '+'}${formatPercents(...ratios)}`;
}

/** The same without the sign: "10–15 %", from the smallest change to the largest. */
export function formatPercents(...ratios: readonly number[]): string {
  const percents = ratios.map(ratio => Math.round(Math.abs(ratio - 1) * 100));
  return `${[...new Set([Math.min(...percents), Math.max(...percents)])].join('–')} %`;
}

/** Both ends of a range as changes. */
export function formatChangeRange({ low, high }: { readonly low: number; readonly high: number }): string {
  return formatChange(low, high);
}

/** "+27 % at 100 workers, +15 % at 10". */
export function formatByWorkers<Level extends { readonly workers: number }>(
  levels: readonly Level[],
  format: (level: Level) => string,
): string {
  return levels
    .map((level, index) => `${format(level)} at ${level.workers}${index === 0 ? ' workers' : ''}`)
    .join(', ');
}
