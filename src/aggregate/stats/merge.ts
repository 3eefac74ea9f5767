import type {
  CommandSample,
  DeliverySample,
  LoadSample,
  Redirects,
  ScriptSample,
  SecondSample,
  StageSample,
  ThreadSample,
} from '../../workers/contract.ts';
import type { CpuUse, LatencySummary, LoadResult, OpenLoopResult, RoundResult } from '../result.ts';
import { sumByCode } from './accounting.ts';
import { countAbove, mergeLatencies, mergeTimes, readRecorded } from './histogram.ts';
import { mergePools } from './merge-pools.ts';
import { type LatencyName, percentileKeys } from './metrics.ts';
import { sumOf } from './statistics.ts';

/** What is read of the machine and the servers, and not of the threads. */
export type MeteredCpu = Pick<
  CpuUse,
  | 'machineBusyShare'
  | 'cpuSets'
  | 'throttling'
  | 'serverCores'
  | 'serverMainThreadCores'
  | 'serverFullestThread'
>;

/** What the coordinator knows of a round beyond the threads' samples. */
export interface RoundContext
  extends Pick<
      RoundResult,
      | 'round'
      | 'startedAt'
      | 'warmup'
      | 'serverCalls'
      | 'readCalls'
      | 'cuts'
      | 'basePingMs'
      | 'link'
      | 'hosts'
    >,
    MeteredCpu {
  /** The number of each task's thread in the run, from 0, for the tasks of all loads; absent: task n ran on thread n. */
  readonly placement?: readonly number[];
  /** CPU time of the whole client process over the measured window, in microseconds. */
  readonly clientCpuMicros: number;
  /** CPU of the threads of other loads that ran at the same time; null: not known. Absent: there were none. */
  readonly othersCpuMicros?: number | null;
  /** Cores on which those threads spun. Absent: there were none. */
  readonly othersSpunCores?: number;
  /** The server's own time a call in microseconds, of one command of the mix or of all; null: not known. */
  readonly serverTime?: (command?: string) => number | null;
  /** The server's own count of commands, the warm-up included, by their names in commandstats; null: not known. */
  readonly serverCallsOf?: (names: readonly string[]) => number | null;
}

/** Merges the samples of all threads of one scenario in one round. Sums are exact; threads are in the order of their numbers. */
export function mergeSamples(samples: readonly ThreadSample[], context: RoundContext): RoundResult {
  const threads = samples.toSorted((a, b) => a.thread - b.thread);
  // All threads have one start instant; a run that is stopped can end a little later in one than in another.
  const seconds = Math.max(0, ...threads.map(sample => sample.seconds));
  const perSecond = (amount: number) => (seconds === 0 ? 0 : amount / seconds);
  const loads = threads.flatMap(sample => sample.loads);
  const { histograms, ...sums } = mergeLoads(loads, seconds);
  const open = mergeOpenLoop(threads, sums);
  const completed = open?.completedInWindow ?? sums.completed;
  const { clientCpuMicros, othersCpuMicros = 0, placement } = context;
  const isSplit = othersCpuMicros !== null && !threads.some(({ thread }) => isShared(thread, placement));
  const usefulMicros = isSplit
    ? Math.max(0, clientCpuMicros - othersCpuMicros - (open?.spunSeconds ?? 0) * 1e6)
    : null;
  return {
    round: context.round,
    startedAt: context.startedAt,
    seconds,
    ...(context.warmup === undefined ? {} : { warmup: context.warmup }),
    ...sums,
    opsPerSecond: perSecond(completed),
    openLoop: open?.result ?? null,
    misses: sumOf(loads, load => load.misses),
    ...mergeCommands(
      loads.flatMap(load => load.commands),
      context.serverTime,
    ),
    ...mergeScripts(loads, context.serverCallsOf),
    ...mergeDeliveries(threads.flatMap(({ deliveries }) => deliveries ?? [])),
    overRange: sumOf(loads, load => load.overRange),
    loads: mergeByPipeline(loads, seconds),
    histograms,
    poolMetrics: mergePools(threads.flatMap(sample => sample.pools)),
    // Null if a worker of any thread never had a reply.
    allServedMs: threads.reduce<number | null>(
      (max, { allServedMs }) => (max === null || allServedMs === null ? null : Math.max(max, allServedMs)),
      0,
    ),
    cuts: context.cuts,
    redirects: sumRedirects(threads.flatMap(sample => sample.redirects ?? [])),
    basePingMs: context.basePingMs,
    cpu: {
      clientMicrosPerOp: completed === 0 || usefulMicros === null ? null : usefulMicros / completed,
      clientCores: perSecond(clientCpuMicros / 1e6),
      ...(context.othersSpunCores === undefined ? {} : { othersSpunCores: context.othersSpunCores }),
      machineBusyShare: context.machineBusyShare,
      cpuSets: context.cpuSets ?? null,
      throttling: context.throttling ?? null,
      eventLoopUtilization: threads.map(({ threadLoad }) => threadLoad.eventLoopUtilization),
      threads: threads.map(sample => threadCpu(sample, context.placement)),
      serverCores: context.serverCores,
      serverMainThreadCores: context.serverMainThreadCores,
      serverFullestThread: context.serverFullestThread ?? null,
    },
    serverCalls: context.serverCalls,
    ...(context.readCalls === undefined ? {} : { readCalls: context.readCalls }),
    serverMicrosPerCall: context.serverTime?.() ?? null,
    link: context.link ?? null,
    ...(context.hosts === undefined ? {} : { hosts: context.hosts }),
    series: mergeSeries(loads, seconds),
  };
}

/** Whether the thread of a task also ran another one: their CPU time is then measured only as a sum. */
function isShared(task: number, placement: RoundContext['placement'] = []): boolean {
  const thread = placement[task];
  return thread !== undefined && placement.indexOf(thread) < placement.lastIndexOf(thread);
}

/** What the CPU of one thread did, and under which number the run knows it. */
function threadCpu(sample: ThreadSample, placement: RoundContext['placement']): CpuUse['threads'][number] {
  const { thread, seconds, loads, openLoop } = sample;
  const { eventLoopUtilization, ...figures } = sample.threadLoad;
  const completed = openLoop?.completedInWindow ?? sumOf(loads, load => load.completed);
  // A loop that only waits for the next arrival does nothing for an operation.
  const usefulSeconds =
    figures.cores === null ? null : Math.max(0, figures.cores - (openLoop?.spinShare ?? 0)) * seconds;
  return {
    thread: 1 + (placement?.[thread] ?? thread),
    microsPerOp:
      usefulSeconds === null || completed === 0 || isShared(thread, placement)
        ? null
        : (usefulSeconds * 1e6) / completed,
    ...figures,
  };
}

function mergeLoads(loads: readonly LoadSample[], seconds: number) {
  const completed = sumOf(loads, load => load.completed);
  const service = mergeLatencies(loads.map(load => load.service));
  const response = mergeLatencies(loads.map(load => load.response));
  return {
    issued: sumOf(loads, load => load.issued),
    completed,
    failed: sumByCode(loads.map(load => load.failed)),
    unfinished: sumOf(loads, load => load.unfinished),
    opsPerSecond: seconds === 0 ? 0 : completed / seconds,
    service: service.summary,
    response: response.summary,
    histograms: { service: service.encoded, response: response.encoded },
    ...countFailedLater(loads, { service: service.summary, response: response.summary }),
  };
}

/** How many operations failed after a longer wait than each percentile of the completed ones; nothing if none failed. */
function countFailedLater(
  loads: readonly LoadSample[],
  latencies: Readonly<Record<LatencyName, LatencySummary>>,
): Pick<RoundResult, 'failedLater'> {
  if (loads.every(({ failedWaits }) => failedWaits.response === '')) return {};
  const countFor = (name: LatencyName) => {
    const waits = readRecorded(loads.map(({ failedWaits }) => failedWaits[name]));
    const beyond = (['mean', ...percentileKeys] as const).map(figure => [
      figure,
      countAbove(waits, latencies[name][figure]),
    ]);
    return Object.fromEntries(beyond) as NonNullable<RoundResult['failedLater']>[LatencyName];
  };
  return { failedLater: { service: countFor('service'), response: countFor('response') } };
}

/** Each size of batch apart, smallest first; nothing if there is only one. */
function mergeByPipeline(loads: readonly LoadSample[], seconds: number): LoadResult[] {
  const sizes = [...new Set(loads.map(load => load.pipeline))].toSorted((a, b) => a - b);
  if (sizes.length < 2) return [];
  return sizes.map(pipeline => {
    const { histograms, failedLater, ...merged } = mergeLoads(
      loads.filter(load => load.pipeline === pipeline),
      seconds,
    );
    return { pipeline, ...merged };
  });
}

/** Null without a cluster. */
function sumRedirects(redirects: readonly Redirects[]): RoundResult['redirects'] {
  if (redirects.length === 0) return null;
  return { moved: sumOf(redirects, ({ moved }) => moved), ask: sumOf(redirects, ({ ask }) => ask) };
}

/** One entry per second from the start of the window, also for seconds in which nothing happened. */
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
      completed: sumOf(slot, sample => sample.completed),
      failed: sumOf(slot, sample => sample.failed),
      p50: times.count === 0 ? null : times.p50,
      p99: times.count === 0 ? null : times.p99,
    };
  });
}

/** Each command of a mix over all threads, in the order of the mix, and the reads among them that found a value. */
export function mergeCommands(
  samples: readonly CommandSample[],
  serverTime?: RoundContext['serverTime'],
): Pick<RoundResult, 'commands' | 'hits'> {
  const byName = new Map<string, CommandSample[]>();
  for (const sample of samples) byName.set(sample.name, [...(byName.get(sample.name) ?? []), sample]);
  const reads = samples.filter(({ nullIsMiss }) => nullIsMiss);
  return {
    hits: reads.length === 0 ? null : sumOf(reads, ({ completed, misses }) => completed - misses),
    commands: [...byName].map(([name, ofName]) => ({
      name,
      completed: sumOf(ofName, ({ completed }) => completed),
      failed: sumByCode(ofName.map(({ failed }) => failed)),
      misses: sumOf(ofName, ({ misses }) => misses),
      ...(ofName.some(({ aborted }) => aborted !== undefined)
        ? { aborted: sumOf(ofName, ({ aborted }) => aborted ?? 0) }
        : {}),
      service: mergeLatencies(ofName.map(({ service }) => service)).summary,
      response: mergeLatencies(ofName.map(({ response }) => response)).summary,
      serverMicrosPerCall: serverTime?.(name) ?? null,
    })),
  };
}

/** What was in the sessions of a script over all threads; nothing if the operations are no sessions. */
function mergeScripts(
  loads: readonly LoadSample[],
  serverCallsOf: RoundContext['serverCallsOf'],
): Pick<RoundResult, 'script'> {
  const scripts = loads.flatMap(({ script }) => script ?? []);
  if (scripts.length === 0) return {};
  const sent = new Map<string, number | null>();
  for (const [name, count] of scripts.flatMap(script => Object.entries(script.sent))) {
    const before = sent.get(name);
    sent.set(name, count === null || before === null ? null : (before ?? 0) + count);
  }
  const apart = [...sent].flatMap(([name, count]) => (count === null ? [] : [{ name, count }]));
  const server = apart.length === 0 ? null : (serverCallsOf?.(apart.map(({ name }) => name)) ?? null);
  const steps = scripts.flatMap(script => script.steps);
  return {
    script: {
      commands: sumOf(scripts, ({ commands }) => commands),
      counted: server === null ? null : { sent: sumOf(apart, ({ count }) => count), server },
      steps: [...new Set(steps.map(({ name }) => name))].map(name => {
        const ofName = steps.filter(step => step.name === name);
        return {
          name,
          completed: sumOf(ofName, step => step.completed),
          failed: sumOf(ofName, step => step.failed),
          latency: mergeLatencies(ofName.map(({ latency }) => latency)).summary,
        };
      }),
      ...mergeUnawaited(scripts),
      messages: Object.assign({}, ...scripts.map(({ messages }) => messages).toReversed()),
    },
  };
}

/** The deliveries to the subscribers of all threads; nothing if there are none. */
function mergeDeliveries(samples: readonly DeliverySample[]): Pick<RoundResult, 'deliveries'> {
  if (samples.length === 0) return {};
  const expected = sumOf(samples, sample => sample.expected);
  const received = sumOf(samples, sample => sample.received);
  return {
    deliveries: {
      subscribers: sumOf(samples, ({ subscribers }) => subscribers),
      closed: sumOf(samples, ({ closed }) => closed),
      expected,
      received,
      // A message can arrive although its publisher got no reply.
      lost: Math.max(0, expected - received),
      latency: mergeLatencies(samples.map(({ latency }) => latency)).summary,
    },
  };
}

/** Nothing if every step ended within its session. */
function mergeUnawaited(scripts: readonly ScriptSample[]): { unawaited?: Record<string, number> } {
  const counts = new Map<string, number>();
  for (const [name, count] of scripts.flatMap(({ unawaited }) => Object.entries(unawaited)))
    counts.set(name, (counts.get(name) ?? 0) + count);
  return counts.size === 0 ? {} : { unawaited: Object.fromEntries(counts) };
}

/** The open loops of a round's threads as one. */
interface MergedOpenLoop {
  readonly result: OpenLoopResult;
  /** Operations that completed in the window, whenever they were due. */
  readonly completedInWindow: number;
  /** Of all threads together. */
  readonly spunSeconds: number;
}

/** Null in a closed loop. `books` are those of all threads. */
function mergeOpenLoop(
  threads: readonly ThreadSample[],
  { issued, completed }: { readonly issued: number; readonly completed: number },
): MergedOpenLoop | null {
  const samples = threads.flatMap(({ openLoop, seconds }) =>
    openLoop === null ? [] : [{ ...openLoop, seconds }],
  );
  const [first] = samples;
  if (first === undefined) return null;
  const sum = (figure: (sample: (typeof samples)[number]) => number) => sumOf(samples, figure);
  const offered = sum(sample => sample.offered);
  const lag = mergeLatencies(samples.map(sample => sample.lag));
  const stages = mergeStages(samples.map(sample => sample.stages ?? []));
  return {
    completedInWindow: sum(sample => sample.completedInWindow),
    spunSeconds: sum(sample => sample.spinShare * sample.seconds),
    result: {
      rate: first.rate,
      offered,
      sent: issued,
      completed,
      shortfall: offered - completed,
      unsent: sum(sample => sample.unsent),
      largestBacklog: sum(sample => sample.largestBacklog),
      oldestUnsentMs: Math.max(...samples.map(sample => sample.oldestUnsentMs)),
      lag: lag.summary,
      lagHistogram: lag.encoded,
      lagOverRange: sum(sample => sample.lagOverRange),
      spinShare: sum(sample => sample.spinShare) / samples.length,
      ...(stages.length === 0 ? {} : { stages }),
    },
  };
}

/** The stages of a window, which all threads have; none if the rate stays the same. */
function mergeStages(threads: readonly (readonly StageSample[])[]): NonNullable<OpenLoopResult['stages']> {
  return (threads[0] ?? []).map(({ stage }, index) => {
    const samples = threads.flatMap(stages => stages[index] ?? []);
    const { count, p50, p99 } = mergeTimes(samples.map(({ response }) => response));
    return {
      ...stage,
      offered: sumOf(samples, ({ offered }) => offered),
      completed: count,
      largestBacklog: sumOf(samples, ({ largestBacklog }) => largestBacklog),
      p50: count === 0 ? null : p50,
      p99: count === 0 ? null : p99,
    };
  });
}
