import type { LoadSample, Redirects, SecondSample, ThreadSample } from '../workers/contract.ts';
import { sumByCode } from './accounting.ts';
import { mergeLatencies, mergeTimes } from './histogram.ts';
import { mergeCommands } from './merge-commands.ts';
import { mergeOpenLoop } from './merge-open-loop.ts';
import { mergePools } from './merge-pools.ts';
import type { LoadResult, RoundResult } from './result.ts';

/** What the coordinator knows of a round beyond the threads' samples. */
export interface RoundContext {
  readonly round: number;
  /** Start of the measured window, ISO 8601; null where nobody looked at a clock. */
  readonly startedAt: string | null;
  /** CPU time of the whole client process over the measured window, in microseconds. */
  readonly clientCpuMicros: number;
  /** Share of this machine's CPUs that anything used over the window, 0 to 1. */
  readonly machineBusyShare: number;
  /** Cores the server used over the window, and its main thread's; null where INFO does not tell. */
  readonly serverCores: number | null;
  readonly serverMainThreadCores: number | null;
  /** The server's own count of the measured commands; null where INFO does not tell. */
  readonly serverCalls: number | null;
  /** Connections cut on purpose in the window. */
  readonly cuts: number;
  /** Median round trip of a PING just before; null where none was answered. */
  readonly basePingMs: number | null;
}

/** Merges the samples of all threads of one scenario in one round. Sums are exact; threads count in their own order. */
export function mergeSamples(samples: readonly ThreadSample[], context: RoundContext): RoundResult {
  const threads = samples.toSorted((a, b) => a.thread - b.thread);
  // All threads have one start instant; a run that is stopped can end a little later in one than in another.
  const seconds = Math.max(0, ...threads.map(sample => sample.seconds));
  const perSecond = (amount: number) => (seconds === 0 ? 0 : amount / seconds);
  const loads = threads.flatMap(sample => sample.loads);
  const { histograms, ...sums } = mergeLoads(loads, seconds);
  const open = mergeOpenLoop(threads, sums);
  const completed = open?.completedInWindow ?? sums.completed;
  const usefulMicros = Math.max(0, context.clientCpuMicros - (open?.spunSeconds ?? 0) * 1e6);
  return {
    round: context.round,
    startedAt: context.startedAt,
    seconds,
    ...sums,
    opsPerSecond: perSecond(completed),
    openLoop: open?.result ?? null,
    misses: total(loads, load => load.misses),
    ...mergeCommands(loads.flatMap(load => load.commands)),
    overRange: total(loads, load => load.overRange),
    loads: mergeByPipeline(loads, seconds),
    histograms,
    poolMetrics: mergePools(threads.flatMap(sample => sample.pools)),
    allServedMs: latest(threads.map(sample => sample.allServedMs)),
    cuts: context.cuts,
    redirects: sumRedirects(threads.flatMap(sample => sample.redirects ?? [])),
    basePingMs: context.basePingMs,
    cpu: {
      clientMicrosPerOp: completed === 0 ? null : usefulMicros / completed,
      clientCores: perSecond(context.clientCpuMicros / 1e6),
      machineBusyShare: context.machineBusyShare,
      eventLoopUtilization: threads.map(({ threadLoad }) => threadLoad.eventLoopUtilization),
      threads: threads.map(({ threadLoad: { eventLoopUtilization, ...rest } }) => rest),
      serverCores: context.serverCores,
      serverMainThreadCores: context.serverMainThreadCores,
    },
    serverCalls: context.serverCalls,
    series: mergeSeries(loads, seconds),
  };
}

function mergeLoads(loads: readonly LoadSample[], seconds: number) {
  const completed = total(loads, load => load.completed);
  const service = mergeLatencies(loads.map(load => load.service));
  const response = mergeLatencies(loads.map(load => load.response));
  return {
    issued: total(loads, load => load.issued),
    completed,
    failed: sumByCode(loads.map(load => load.failed)),
    unfinished: total(loads, load => load.unfinished),
    opsPerSecond: seconds === 0 ? 0 : completed / seconds,
    service: service.summary,
    response: response.summary,
    histograms: { service: service.encoded, response: response.encoded },
  };
}

/** Each size of batch apart, smallest first; nothing where there is only one. */
function mergeByPipeline(loads: readonly LoadSample[], seconds: number): LoadResult[] {
  const sizes = [...new Set(loads.map(load => load.pipeline))].toSorted((a, b) => a - b);
  if (sizes.length < 2) return [];
  return sizes.map(pipeline => {
    const { histograms, ...merged } = mergeLoads(
      loads.filter(load => load.pipeline === pipeline),
      seconds,
    );
    return { pipeline, ...merged };
  });
}

/** Null where no thread had a cluster to tell of. */
function sumRedirects(redirects: readonly Redirects[]): RoundResult['redirects'] {
  if (redirects.length === 0) return null;
  return { moved: total(redirects, ({ moved }) => moved), ask: total(redirects, ({ ask }) => ask) };
}

/** Null if any is. */
function latest(times: readonly (number | null)[]): number | null {
  return times.reduce((most, ms) => (most === null || ms === null ? null : Math.max(most, ms)), 0);
}

function total<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0);
}

/** One entry a second from the start of the window, also for seconds of which no thread has anything to tell. */
function mergeSeries(loads: readonly LoadSample[], seconds: number): RoundResult['series'] {
  const bySecond = new Map<number, SecondSample[]>();
  let slots = Math.ceil(seconds);
  for (const sample of loads.flatMap(load => load.series)) {
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
