import type { RoundResult } from '../../result.ts';
import { median } from '../statistics.ts';

/** Where the load ran. */
export interface Surroundings {
  /** Cores of the machine poolbench runs on. */
  readonly cores: number;
  /** Whether the server shares those cores. */
  readonly local: boolean;
  /** Threads the server works with; null, taken as 1, where it does not tell. */
  readonly serverThreads: number | null;
}

/** What the rules of `limitedBy` look at: medians over the rounds; null where nothing tells. */
export interface LimitFigures {
  readonly threads: number;
  /** Fraction of the response time before the worker had a connection, and how long that was. */
  readonly waitingRatio: number;
  readonly waitingMs: number;
  readonly peakWaiting: number;
  /** Per batch. */
  readonly serviceMs: number;
  readonly basePingMs: number | null;
  /** Without what was spun, as are the cores: a thread that waits for the next arrival by turning its loop is idle. */
  readonly medianLoop: number;
  readonly busiestLoop: number;
  /** Fraction of the window that threads in an open loop spun; 0 in a closed one. */
  readonly spinRatio: number;
  /** The most operations that were due while every worker was busy; 0 in a closed loop. */
  readonly backlog: number;
  /** Fraction of what was due that did not complete; null in a closed loop. */
  readonly shortfallRatio: number | null;
  /** Of the median thread: cores it had, and fraction of the window in which it was ready and had none. */
  readonly threadCores: number | null;
  readonly threadWaitRatio: number | null;
  /** Of the thread with most of it: fraction of the window in pauses of the garbage collector, the longest, loop delay. */
  readonly gcRatio: number;
  readonly gcLongestMs: number;
  readonly loopDelayP99Ms: number;
  readonly clientCores: number;
  readonly serverCores: number | null;
  readonly serverMainThreadCores: number | null;
  readonly machineBusyRatio: number;
}

/** Cores that neighbours must take to count: less is the coordinator, the kernel, and the clock's ticks. */
export const minNeighbourCores = 0.25;

/** Cores used by neither poolbench nor a server beside it; null where a server beside it does not tell its CPU. */
export function neighbourCores({ cpu }: RoundResult, cores: number, local: boolean): number | null {
  const serverCores = local ? cpu.serverCores : 0;
  return serverCores === null
    ? null
    : Math.max(0, cpu.machineBusyShare * cores - cpu.clientCores - serverCores);
}

type Strain = RoundResult['cpu']['threads'][number];

/** Medians over these rounds, of which there is at least one, on a machine of so many cores. */
export function limitFigures(rounds: readonly RoundResult[], cores: number): LimitFigures {
  const over = (figure: (round: RoundResult) => number) => median(rounds.map(figure));
  const overKnown = (figure: (round: RoundResult) => number | null) =>
    medianOfKnown(rounds.map(round => figure(round)));
  const ofMedianThread = (figure: (thread: Strain, round: RoundResult) => number | null) =>
    overKnown(round => medianOfKnown(round.cpu.threads.map(thread => figure(thread, round))));
  const most = (figure: (thread: Strain, round: RoundResult) => number) =>
    over(round => Math.max(0, ...round.cpu.threads.map(thread => figure(thread, round))));
  // In an open loop the response time has the wait for a worker in it, which the pool has no part in.
  const waitingMs = ({ openLoop, response, service, poolMetrics }: RoundResult) =>
    openLoop === null ? Math.max(0, response.mean - service.mean) : poolMetrics.acquireWait.mean;
  const spun = ({ openLoop }: RoundResult) => openLoop?.spinShare ?? 0;
  /** Cores that went into spinning: the client did without, and so did the machine. */
  const spunCores = (round: RoundResult) => spun(round) * round.cpu.eventLoopUtilization.length;
  const loopsOf = (round: RoundResult) =>
    round.cpu.eventLoopUtilization.map(busy => Math.max(0, busy - spun(round)));
  return {
    threads: over(round => round.cpu.eventLoopUtilization.length),
    waitingRatio: over(round => (round.response.mean > 0 ? waitingMs(round) / round.response.mean : 0)),
    waitingMs: over(waitingMs),
    peakWaiting: over(round => round.poolMetrics.peakWaiting),
    serviceMs: over(round => round.service.mean),
    basePingMs: overKnown(round => round.basePingMs),
    medianLoop: over(round => medianOfKnown(loopsOf(round)) ?? 0),
    busiestLoop: over(round => Math.max(0, ...loopsOf(round))),
    spinRatio: over(spun),
    backlog: over(({ openLoop }) => openLoop?.largestBacklog ?? 0),
    shortfallRatio: overKnown(({ openLoop }) =>
      openLoop === null || openLoop.offered === 0 ? null : openLoop.shortfall / openLoop.offered,
    ),
    threadCores: ofMedianThread((thread, round) =>
      thread.cores === null ? null : Math.max(0, thread.cores - spun(round)),
    ),
    threadWaitRatio: ofMedianThread(thread => thread.waitShare),
    gcRatio: most((thread, { seconds }) => (seconds > 0 ? thread.gcMs / 1000 / seconds : 0)),
    gcLongestMs: most(thread => thread.gcLongestMs),
    loopDelayP99Ms: most(thread => thread.loopDelayP99Ms),
    clientCores: over(round => Math.max(0, round.cpu.clientCores - spunCores(round))),
    serverCores: overKnown(round => round.cpu.serverCores),
    serverMainThreadCores: overKnown(round => round.cpu.serverMainThreadCores),
    machineBusyRatio: over(round => Math.max(0, round.cpu.machineBusyShare - spunCores(round) / cores)),
  };
}

function medianOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null);
  return known.length === 0 ? null : median(known);
}
