import type { LimitedBy, RoundResult } from '../result.ts';
import { formatCount, formatMs, formatShare } from '../text/format.ts';
import { median } from './statistics.ts';

/** Fraction of the response time spent before a connection was there, from which the pool is what limits. */
const minWaitingRatio = 0.5;
/** Fraction of a core from which a thread counts as busy. */
const busyThread = 0.9;
/** Fraction of the time in which threads were ready and had no core, from which they count as held up by that… */
const heldUp = 0.2;
/** … if this fraction of all cores was in use: two threads that wake each other share one core by the scheduler's choice. */
const crowdedMachine = 0.75;
/** Fraction of all cores from which a machine counts as having none idle; then this much waiting is enough. */
const fullMachine = 0.92;
const hinderedOnFull = 0.1;
/** Cores of a thread and the server together: from here on the two explain the time, below the other they do not. */
const takeTurns = 0.75;
const hardlyWork = 0.5;
/** Fraction of the time for a batch that a PING on an idle connection must take for round trips to be what limits. */
const minRoundTripRatio = 0.5;
/** Fraction of what was due in an open loop that may be missing where the rate was kept: what fails now and then. */
const maxShortfallRatio = 0.001;
/** The label for "nothing was saturated". */
const unsaturated: LimitedBy['resource'] = 'none';

/**
 * Says what limited a scenario, by medians over its rounds: the first of these rules that holds. docs/method.md gives
 * them with what they were tried on. `unknown` if nothing completed, or if the server's CPU would have to be known.
 */
export function limitedBy(rounds: readonly RoundResult[], surroundings: Surroundings): LimitedBy {
  const served = rounds.filter(round => round.completed > 0);
  if (served.length === 0)
    return { resource: 'unknown', evidence: 'nothing completed, so nothing was measured' };
  const figures = limitFigures(served, surroundings.cores);
  const finding =
    findWaiting(figures) ??
    findSaturation(figures, surroundings) ??
    findMissingCores(figures, surroundings) ??
    findBlockedLoop(figures) ??
    findKeptRate(figures) ??
    findTheTime(figures, surroundings);
  return { resource: finding.resource, evidence: tellLimit(finding, figures, surroundings) };
}

function findWaiting({ waitingRatio }: LimitFigures): Finding | undefined {
  return waitingRatio >= minWaitingRatio ? { resource: 'pool', by: ['waiting'] } : undefined;
}

/** CPU that was really had. Where both sides are busy it is the busier one that the other waits for. */
function findSaturation(figures: LimitFigures, surroundings: Surroundings): Finding | undefined {
  const server = serverBusy(figures, surroundings) ?? 0;
  const client = figures.threadCores ?? 0;
  if (Math.max(server, client) < busyThread) return undefined;
  return server >= client ? { resource: 'server', by: ['server'] } : { resource: 'client', by: ['thread'] };
}

function findMissingCores(figures: LimitFigures, surroundings: Surroundings): Finding | undefined {
  const { cores, local, serverThreads } = surroundings;
  const { threads, clientCores, serverCores, threadWaitRatio, machineBusyRatio } = figures;
  const ownRatio = (clientCores + (local ? (serverCores ?? 0) : 0)) / cores;
  const busyRatio = Math.max(machineBusyRatio, ownRatio);
  if (threadWaitRatio !== null && threadWaitRatio >= heldUp && busyRatio >= crowdedMachine)
    return { resource: 'machine', by: ['unserved', 'machine'] };
  const neighbours = Math.max(0, machineBusyRatio - ownRatio) * cores;
  const demand = threads + (serverThreads ?? 1) + (neighbours >= minNeighbourCores ? neighbours : 0);
  if (!local || busyRatio < fullMachine || demand <= cores) return undefined;
  // How long the server was ready without a core nobody tells; one that works a lot may have wanted to work more.
  const hindered =
    threadWaitRatio === null ||
    threadWaitRatio >= hinderedOnFull ||
    (serverBusy(figures, surroundings) ?? 0) >= hardlyWork;
  return hindered ? { resource: 'machine', by: ['machine', 'unserved', 'server'] } : undefined;
}

/** The event loop counts a thread as busy that has no core, so this comes after `findMissingCores`. */
function findBlockedLoop({ threadCores, threadWaitRatio, medianLoop }: LimitFigures): Finding | undefined {
  const waited = threadWaitRatio ?? 0;
  if (waited >= heldUp) return undefined;
  return Math.max(medianLoop, (threadCores ?? 0) + waited) >= busyThread
    ? { resource: 'client', by: ['thread'] }
    : undefined;
}

/** An open loop asks for no more than its rate. */
function findKeptRate({ shortfallRatio }: LimitFigures): Finding | undefined {
  if (shortfallRatio === null || shortfallRatio > maxShortfallRatio) return undefined;
  return {
    resource: unsaturated,
    by: ['thread', 'server'],
    meaning: 'nothing was saturated, the rate was kept',
  };
}

/** Nothing was busy: where was the time? */
function findTheTime(figures: LimitFigures, surroundings: Surroundings): Finding {
  const { basePingMs, serviceMs, medianLoop, threadCores } = figures;
  const server = serverBusy(figures, surroundings);
  const together = (threadCores ?? medianLoop) + (server ?? 0);
  // On one machine a round trip is itself the work of these two, so it is no answer there.
  if (surroundings.local && together >= takeTurns) {
    const meaning = 'neither was busy all the time, they waited for each other';
    return { resource: unsaturated, by: ['thread', 'server'], meaning };
  }
  if (basePingMs !== null && basePingMs >= minRoundTripRatio * serviceMs)
    return { resource: 'network', by: ['trips'], meaning: 'the time is round trips' };
  if (server === null) return { resource: 'unknown', by: ['server'] };
  if (together >= hardlyWork || basePingMs === null)
    return { resource: unsaturated, by: ['thread', 'server'], meaning: 'nothing was saturated' };
  const meaning = surroundings.local
    ? 'it took its time without using a core, as when it sleeps, waits for its disk or serves others'
    : 'it took its time without using a core, or the network is slower under load';
  return { resource: 'server', by: ['trips', 'server'], meaning };
}

/** Fraction of its busiest thread, or of all of its threads, whichever is more; null where it does not tell. */
function serverBusy(
  { serverCores, serverMainThreadCores }: LimitFigures,
  { serverThreads }: Surroundings,
): number | null {
  if (serverCores === null && serverMainThreadCores === null) return null;
  return Math.max(serverMainThreadCores ?? 0, (serverCores ?? 0) / (serverThreads ?? 1));
}

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

/** The figures that every label is told with, in this order. */
const figureNames = ['thread', 'unserved', 'server', 'trips', 'machine', 'waiting', 'backlog'] as const;
export type Figure = (typeof figureNames)[number];

/** A label, the figures it rests on, and what they mean where they do not say it themselves. */
export interface Finding {
  readonly resource: LimitedBy['resource'];
  readonly by: readonly Figure[];
  readonly meaning?: string;
}

/** From here on they are worth a word. */
const minGcRatio = 0.05;
const minDelayMs = 10;

/** One line: what decided, what it means, and the other figures. */
export function tellLimit(finding: Finding, figures: LimitFigures, surroundings: Surroundings): string {
  const tell = (names: readonly Figure[]) =>
    names.flatMap(name => phrases[name](figures, surroundings) ?? []).join(', ');
  const others = figureNames.filter(name => !finding.by.includes(name));
  const meaning = finding.meaning === undefined ? '' : `: ${finding.meaning}`;
  return `${tell(finding.by)}${meaning}; ${tell(others)}`;
}

/** Each figure in words; undefined where it is not known or not worth one. */
const phrases: Record<
  Figure,
  (figures: LimitFigures, surroundings: Surroundings) => string | readonly string[] | undefined
> = {
  thread: figures => [tellThread(figures), ...tellStalls(figures)],
  unserved: ({ threadWaitRatio, threads }) =>
    threadWaitRatio === null
      ? undefined
      : `${threads > 1 ? 'threads' : 'thread'} ready without a core ${formatShare(threadWaitRatio)} of the time`,
  server: tellServer,
  trips: ({ serviceMs, basePingMs }) =>
    `${formatMs(serviceMs)} ms a batch${basePingMs === null ? '' : `, a PING before the load ${formatMs(basePingMs)} ms`}`,
  machine: ({ clientCores, serverCores, machineBusyRatio }, { cores, local }) => {
    const server = local && serverCores !== null ? `, server ${serverCores.toFixed(2)}` : '';
    return `machine ${formatShare(machineBusyRatio)} busy (client ${clientCores.toFixed(2)}${server} of ${cores} cores)`;
  },
  backlog: ({ backlog }) =>
    backlog === 0 ? undefined : `up to ${formatCount(backlog)} due while all workers were busy`,
  waiting: ({ waitingRatio, waitingMs, peakWaiting }) =>
    `${formatShare(waitingRatio)} of the response time (${formatMs(waitingMs)} ms) before the connection` +
    (peakWaiting > 0 ? `, up to ${peakWaiting} waiting` : ''),
};

function tellThread({ threads, threadCores, medianLoop, busiestLoop, spinRatio }: LimitFigures): string {
  const subject = threads > 1 ? `median of ${threads} threads` : 'thread';
  const cores = threadCores === null ? '' : ` ${threadCores.toFixed(2)} of a core,`;
  const busiest = threads > 1 ? ` (busiest ${formatShare(busiestLoop)})` : '';
  const spun = spinRatio === 0 ? '' : ` (and ${formatShare(spinRatio)} spun until the next arrival)`;
  return `${subject}${cores} event loop ${formatShare(medianLoop)} busy${spun}${busiest}`;
}

function tellStalls({ gcRatio, gcLongestMs, loopDelayP99Ms }: LimitFigures): string[] {
  return [
    ...(gcRatio >= minGcRatio
      ? [`garbage collection ${formatShare(gcRatio)} of the time, ${formatMs(gcLongestMs)} ms at most`]
      : []),
    ...(loopDelayP99Ms >= minDelayMs ? [`event loop ${formatMs(loopDelayP99Ms)} ms late (p99)`] : []),
  ];
}

function tellServer(
  { serverCores, serverMainThreadCores }: LimitFigures,
  { serverThreads }: Surroundings,
): string {
  const threads = `${serverThreads ?? 'an unknown number of'} thread${serverThreads === 1 ? '' : 's'}`;
  const all = serverCores === null ? undefined : `${serverCores.toFixed(2)} cores with ${threads}`;
  if (serverMainThreadCores === null) return all === undefined ? 'server CPU not known' : `server ${all}`;
  const main = `server main thread ${serverMainThreadCores.toFixed(2)} of a core`;
  return all === undefined || serverThreads === 1 ? main : `${main}, all of it ${all}`;
}
