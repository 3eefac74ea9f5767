import type { RoundResult } from '../result.ts';
import { throttledRatio } from './interference.ts';
import { maxOfKnown, median, medianOfKnown, sumOf } from './statistics.ts';

/** What the rules of `limited-by.ts` look at, and where the load ran. */

/** Fraction of the time in which threads were ready without a core, from which they count as held up. */
export const heldUp = 0.2;

/** Where the load ran. */
export interface LoadEnvironment {
  /** Cores that poolbench may use: those of the machine, if a round does not report them. */
  readonly cores: number;
  /** Whether the server shares those cores. */
  readonly local: boolean;
  /** Threads of the server; null, which counts as 1, if unknown. */
  readonly serverThreads: number | null;
  /** Threads of other loads that ran at the same time. Absent: none. */
  readonly threadsBeside?: number;
  /** Other loads that ran in its threads; the threads' figures include their work. Absent: none. */
  readonly threadsSharedWith?: readonly string[];
  /** Whether io-threads of the server spin while they have nothing to do, so that their CPU time does not show how full they are. */
  readonly ioThreadsSpin?: boolean;
}

export type LimitFigures = ReturnType<typeof limitFigures>;
type ThreadLoad = RoundResult['cpu']['threads'][number];

/**
 * What the rules look at: medians over these rounds, at least one; null if unknown. A thread that spins
 * until the next arrival is idle: what it spun is in no figure but `spinRatio`.
 */
export function limitFigures(rounds: readonly RoundResult[], cores: number) {
  const over = (figure: (round: RoundResult) => number) => median(rounds.map(figure));
  const overKnown = (figure: (round: RoundResult) => number | null) => medianOfKnown(rounds.map(figure));
  const ofWorstThread = (figure: (thread: ThreadLoad, round: RoundResult) => number) =>
    over(round => Math.max(0, ...round.cpu.threads.map(thread => figure(thread, round))));
  // In an open loop the response time includes the wait for a worker, which is not a wait for the pool. The pool's own
  // figure includes what was due in the warm-up and still waited, so it can be longer than all that these operations waited.
  const waitingMs = ({ openLoop, response, service, poolMetrics }: RoundResult) => {
    const unsentMs = Math.max(0, response.mean - service.mean);
    return openLoop === null ? unsentMs : Math.min(unsentMs, poolMetrics.acquireWait.mean);
  };
  // Threads that other loads share spin more or less than the others. Results before 0.12 have only the mean.
  const spunOf = ({ openLoop, cpu: { eventLoopUtilization, threads } }: RoundResult) =>
    eventLoopUtilization.map((_, index) => threads[index]?.spinShare ?? openLoop?.spinShare ?? 0);
  const ownSpunCores = (round: RoundResult) => sumOf(spunOf(round), ratio => ratio);
  // What poolbench and the machine used includes the threads of all loads.
  const spunCores = (round: RoundResult) => ownSpunCores(round) + (round.cpu.othersSpunCores ?? 0);
  const withoutSpun = (round: RoundResult, busyRatio: number | null, cpus: number) =>
    busyRatio === null ? null : Math.max(0, busyRatio - spunCores(round) / cpus);
  const loopsOf = (round: RoundResult) => {
    const spun = spunOf(round);
    return round.cpu.eventLoopUtilization.map((busy, index) => Math.max(0, busy - (spun[index] ?? 0)));
  };
  const coresOf = (round: RoundResult) => {
    const spun = spunOf(round);
    return round.cpu.threads.map(({ cores }, index) =>
      cores === null ? null : Math.max(0, cores - (spun[index] ?? 0)),
    );
  };
  return {
    threads: over(round => round.cpu.eventLoopUtilization.length),
    /** Before the worker had a connection: as a fraction of the response time, and how long. */
    waitingRatio: over(round => (round.response.mean > 0 ? waitingMs(round) / round.response.mean : 0)),
    waitingMs: over(waitingMs),
    peakWaiting: over(round => round.poolMetrics.peakWaiting),
    /** Of a batch. */
    serviceMs: over(round => round.service.mean),
    basePingMs: overKnown(round => round.basePingMs),
    medianLoop: over(round => medianOfKnown(loopsOf(round)) ?? 0),
    busiestLoop: over(round => Math.max(0, ...loopsOf(round))),
    /** Of the threads that hardly waited for a core: fraction in which the fullest had one, was ready for one, or turned its loop. */
    blockedLoop: over(round =>
      Math.max(
        0,
        ...loopsOf(round).map((loop, index) => {
          const waited = round.cpu.threads[index]?.waitShare ?? 0;
          return waited >= heldUp ? 0 : Math.max(loop, (coresOf(round)[index] ?? 0) + waited);
        }),
      ),
    ),
    /** Of the mean thread. */
    spinRatio: over(round => ownSpunCores(round) / Math.max(1, round.cpu.eventLoopUtilization.length)),
    /** Max of the operations that were due while every worker was busy; 0 in a closed loop. */
    backlog: over(({ openLoop }) => openLoop?.largestBacklog ?? 0),
    /** Fraction of what was due that did not complete; null in a closed loop. */
    shortfallRatio: overKnown(({ openLoop }) =>
      openLoop === null || openLoop.offered === 0 ? null : openLoop.shortfall / openLoop.offered,
    ),
    threadCores: overKnown(round => medianOfKnown(coresOf(round))),
    fullestThreadCores: overKnown(round => maxOfKnown(coresOf(round))),
    /** Fraction of the window in which the median thread was ready and had no core. */
    threadWaitRatio: overKnown(round => medianOfKnown(round.cpu.threads.map(({ waitShare }) => waitShare))),
    gcRatio: ofWorstThread((thread, { seconds }) => (seconds > 0 ? thread.gcMs / 1000 / seconds : 0)),
    maxGcMs: ofWorstThread(thread => thread.gcLongestMs),
    loopDelayP99Ms: ofWorstThread(thread => thread.loopDelayP99Ms),
    clientCores: over(round => Math.max(0, round.cpu.clientCores - spunCores(round))),
    serverCores: overKnown(round => round.cpu.serverCores),
    serverMainThreadCores: overKnown(round => round.cpu.serverMainThreadCores),
    serverFullestCores: overKnown(round => round.cpu.serverFullestThread?.cores ?? null),
    serverFullestName: rounds.findLast(({ cpu }) => cpu.serverFullestThread)?.cpu.serverFullestThread?.name,
    /** CPUs that poolbench or a local server may use, and their fraction in use. */
    cpus: over(round => round.cpu.cpuSets?.both.cpus ?? cores),
    busyRatio: overKnown(round => {
      const { cpuSets, machineBusyShare } = round.cpu;
      return cpuSets == null
        ? withoutSpun(round, machineBusyShare, cores)
        : withoutSpun(round, cpuSets.both.busyShare, cpuSets.both.cpus);
    }),
    /** The same of those that poolbench may use; null if it is not known. */
    clientCpus: overKnown(round => round.cpu.cpuSets?.client.cpus ?? null),
    clientCpusBusyRatio: overKnown(round => {
      const { client = null } = round.cpu.cpuSets ?? {};
      return client === null ? null : withoutSpun(round, client.busyShare, client.cpus);
    }),
    /** Fraction of the periods of a quota in which it stopped poolbench; null without a quota. */
    throttledRatio: overKnown(throttledRatio),
    throttledMs: overKnown(({ cpu: { throttling } }) => throttling?.throttledMs ?? null),
    link: rounds.findLast(({ link }) => link)?.link ?? null,
    linkRatio: overKnown(({ link }) => link?.busyShare ?? null),
  };
}
