import type { SecondSample, ThreadSample } from '../workers/contract.ts';
import { sumByCode } from './accounting.ts';
import { mergeLatencies, mergeTimes } from './histogram.ts';
import { mergePools } from './merge-pools.ts';
import type { RoundResult } from './result.ts';

/** What the coordinator knows of a round beyond the threads' samples. */
export interface RoundContext {
  readonly round: number;
  /** CPU time of the whole client process over the measured window, in microseconds. */
  readonly clientCpuMicros: number;
  /** Share of this machine's CPUs that anything used over the window, 0 to 1. */
  readonly machineBusyShare: number;
  /** Cores the server used over the window, and its main thread's; null where INFO does not tell. */
  readonly serverCores: number | null;
  readonly serverMainThreadCores: number | null;
  /** The server's own count of the measured commands; null where INFO does not tell. */
  readonly serverCalls: number | null;
}

/** Merges the samples of all threads of one scenario in one round. Sums are exact; threads count in their own order. */
export function mergeSamples(samples: readonly ThreadSample[], context: RoundContext): RoundResult {
  const threads = samples.toSorted((a, b) => a.thread - b.thread);
  // All threads have one start instant; a run that is stopped can end a little later in one than in another.
  const seconds = Math.max(0, ...threads.map(sample => sample.seconds));
  const perSecond = (amount: number) => (seconds === 0 ? 0 : amount / seconds);
  const completed = total(threads, sample => sample.completed);
  const service = mergeLatencies(threads.map(sample => sample.service));
  const response = mergeLatencies(threads.map(sample => sample.response));
  return {
    round: context.round,
    seconds,
    issued: total(threads, sample => sample.issued),
    completed,
    failed: sumByCode(threads.map(sample => sample.failed)),
    unfinished: total(threads, sample => sample.unfinished),
    misses: total(threads, sample => sample.misses),
    overRange: total(threads, sample => sample.overRange),
    opsPerSecond: perSecond(completed),
    service: service.summary,
    response: response.summary,
    histograms: { service: service.encoded, response: response.encoded },
    poolMetrics: mergePools(threads.flatMap(sample => sample.pools)),
    cpu: {
      clientMicrosPerOp: completed === 0 ? null : context.clientCpuMicros / completed,
      clientCores: perSecond(context.clientCpuMicros / 1e6),
      machineBusyShare: context.machineBusyShare,
      eventLoopUtilization: threads.map(sample => sample.eventLoopUtilization),
      serverCores: context.serverCores,
      serverMainThreadCores: context.serverMainThreadCores,
    },
    serverCalls: context.serverCalls,
    series: mergeSeries(threads, seconds),
  };
}

function total<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0);
}

/** One entry a second from the start of the window, also for seconds of which no thread has anything to tell. */
function mergeSeries(threads: readonly ThreadSample[], seconds: number): RoundResult['series'] {
  const bySecond = new Map<number, SecondSample[]>();
  let slots = Math.ceil(seconds);
  for (const sample of threads.flatMap(thread => thread.series)) {
    const slot = bySecond.get(sample.second) ?? [];
    slot.push(sample);
    bySecond.set(sample.second, slot);
    slots = Math.max(slots, sample.second + 1);
  }
  return Array.from({ length: slots }, (_, second) => {
    const slot = bySecond.get(second) ?? [];
    const times = mergeTimes(slot.map(sample => sample.response));
    return {
      second,
      completed: total(slot, sample => sample.completed),
      failed: total(slot, sample => sample.failed),
      p50: times.count === 0 ? null : times.p50,
      p99: times.count === 0 ? null : times.p99,
    };
  });
}
