import type { LimitedBy, Result, RoundResult } from '../result.ts';
import { formatCount, formatFraction, formatList, formatMs } from '../text/format.ts';
import { median, medianOfKnown, sumOf } from './statistics.ts';

/** Fraction of the periods of a CPU quota in which it stopped poolbench, from which the quota is the limit. */
export const minThrottledRatio = 0.1;
/** Fraction of its speed from which a link counts as full. It is below 1, because gaps between frames are not counted. */
const fullLink = 0.85;

/** Fraction of the response time before the worker had a connection, from which the pool is the limit. */
const minWaitingRatio = 0.5;
/** Fraction of a core from which a thread counts as busy. */
const busyThread = 0.9;
/** Fraction of the time in which threads were ready without a core, from which they count as held up … */
const heldUp = 0.2;
/** … if this fraction of all cores was in use: the scheduler may let two threads that wake each other share one core. */
const crowdedMachine = 0.75;
/** Fraction of all cores from which a machine has no idle one; then threads count as held up from `hinderedOnFull` on. */
const fullMachine = 0.92;
const hinderedOnFull = 0.1;
/** Cores of a thread and the server together: from `takeTurns` on the two explain the time, below `hardlyWork` they do not. */
const takeTurns = 0.75;
const hardlyWork = 0.5;
/** Fraction of the time for a batch that a PING on an idle connection must take for round trips to be the limit. */
const minRoundTripRatio = 0.5;
/** Max missing fraction in an open loop that sustained its rate: a few operations may fail. */
const maxShortfallRatio = 0.001;
/** The label for "nothing was saturated". */
const unsaturated: LimitedBy['resource'] = 'none';
/** From these values, the evidence mentions the garbage collector and a late event loop. */
const minGcRatio = 0.05;
const minDelayMs = 10;
/** Cores that other programs must use to count: less is the coordinator, the kernel, and the clock's ticks. */
export const minNeighbourCores = 0.25;

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

/** Cores by which another thread of the server must exceed its main thread to be mentioned. */
const minOtherThread = 0.05;

/** The figures of every evidence, in this order. */
const figureNames = [
  'quota',
  'thread',
  'unserved',
  'server',
  'link',
  'trips',
  'machine',
  'waiting',
  'backlog',
] as const;
type Figure = (typeof figureNames)[number];

/** A label, the figures it rests on, and what they mean if that is not obvious. */
interface Finding {
  readonly resource: LimitedBy['resource'];
  readonly by: readonly Figure[];
  readonly meaning?: string;
}

/**
 * What limited a scenario, by medians over its rounds: the first of these rules that holds. docs/method.md explains
 * them. `unknown` if nothing completed, or if the rules need the server's CPU and it is not known.
 */
export function limitedBy(rounds: readonly RoundResult[], environment: LoadEnvironment): LimitedBy {
  const served = rounds.filter(round => round.completed > 0);
  if (served.length === 0)
    return { resource: 'unknown', evidence: 'nothing completed, so nothing was measured' };
  const figures = limitFigures(served, environment.cores);
  const finding =
    findQuota(figures) ??
    findWaiting(figures) ??
    findSaturation(figures, environment) ??
    findFullLink(figures) ??
    findMissingCores(figures, environment) ??
    findBlockedLoop(figures) ??
    findKeptRate(figures) ??
    findTheTime(figures, environment);
  return { resource: finding.resource, evidence: describeEvidence(finding, figures, environment) };
}

/** First, because everything takes longer when the process is stopped. */
function findQuota({ throttledRatio }: LimitFigures): Finding | undefined {
  if (throttledRatio === null || throttledRatio < minThrottledRatio) return undefined;
  return { resource: 'machine', by: ['quota', 'machine'] };
}

function findFullLink({ linkRatio }: LimitFigures): Finding | undefined {
  return linkRatio !== null && linkRatio >= fullLink ? { resource: 'network', by: ['link'] } : undefined;
}

function findWaiting({ waitingRatio }: LimitFigures): Finding | undefined {
  return waitingRatio >= minWaitingRatio ? { resource: 'pool', by: ['waiting'] } : undefined;
}

/** By the CPU time that was used. If both sides are busy, the busier one is the limit: the other waits for it. */
function findSaturation(figures: LimitFigures, environment: LoadEnvironment): Finding | undefined {
  const server = serverBusy(figures, environment) ?? 0;
  // One full thread holds up its workers, however little the others do; but not where the others lack a core.
  const isHeldUp = (figures.threadWaitRatio ?? 0) >= heldUp;
  const client = (isHeldUp ? figures.threadCores : figures.fullestThreadCores) ?? 0;
  if (Math.max(server, client) < busyThread) return undefined;
  return server >= client ? { resource: 'server', by: ['server'] } : { resource: 'client', by: ['thread'] };
}

function findMissingCores(figures: LimitFigures, environment: LoadEnvironment): Finding | undefined {
  const { local, serverThreads, threadsBeside = 0 } = environment;
  const { threads, clientCores, serverCores, threadWaitRatio, cpus, busyRatio: known } = figures;
  const ownRatio = (clientCores + (local ? (serverCores ?? 0) : 0)) / cpus;
  const busyRatio = Math.max(known ?? 0, ownRatio);
  if (threadWaitRatio !== null && threadWaitRatio >= heldUp) {
    const confined = findConfinement(figures);
    if (confined !== undefined) return confined;
    if (busyRatio >= crowdedMachine) return { resource: 'machine', by: ['unserved', 'machine'] };
    // Others may have had the cores, or the scheduler let two threads share one.
    if (known === null) return { resource: 'unknown', by: ['unserved', 'machine'] };
  }
  const neighbours = Math.max(0, busyRatio - ownRatio) * cpus;
  const demand =
    threads + threadsBeside + (serverThreads ?? 1) + (neighbours >= minNeighbourCores ? neighbours : 0);
  if (!local || busyRatio < fullMachine || demand <= cpus) return undefined;
  // Nothing says how long the server was ready without a core; a server that works a lot may have wanted to work more.
  const hindered =
    threadWaitRatio === null ||
    threadWaitRatio >= hinderedOnFull ||
    (serverBusy(figures, environment) ?? 0) >= hardlyWork;
  return hindered ? { resource: 'machine', by: ['machine', 'unserved', 'server'] } : undefined;
}

/** If the CPUs that poolbench is pinned to are in use while others, which the server may use, are not. */
function findConfinement({
  cpus,
  busyRatio,
  clientCpus,
  clientCpusBusyRatio,
}: LimitFigures): Finding | undefined {
  if (clientCpus === null || clientCpus >= cpus) return undefined;
  if (busyRatio === null || clientCpusBusyRatio === null || clientCpusBusyRatio < crowdedMachine)
    return undefined;
  const others = (busyRatio * cpus - clientCpusBusyRatio * clientCpus) / (cpus - clientCpus);
  const meaning = 'poolbench may not use the other CPUs';
  return others < fullMachine ? { resource: 'client', by: ['unserved', 'machine'], meaning } : undefined;
}

/** To the event loop, a thread without a core is busy, so this comes after `findMissingCores`. */
function findBlockedLoop({ blockedLoop }: LimitFigures): Finding | undefined {
  return blockedLoop >= busyThread ? { resource: 'client', by: ['thread'] } : undefined;
}

/** An open loop asks for no more than its rate. */
function findKeptRate({ shortfallRatio }: LimitFigures): Finding | undefined {
  if (shortfallRatio === null || shortfallRatio > maxShortfallRatio) return undefined;
  const meaning = 'nothing was saturated and the rate was sustained';
  return { resource: unsaturated, by: ['thread', 'server'], meaning };
}

/** If nothing was busy: what took the time. */
function findTheTime(figures: LimitFigures, environment: LoadEnvironment): Finding {
  const { basePingMs, serviceMs, medianLoop, threadCores } = figures;
  const server = serverBusy(figures, environment);
  const together = (threadCores ?? medianLoop) + (server ?? 0);
  // On one machine a round trip is itself the work of client and server, so it explains nothing there.
  if (environment.local && together >= takeTurns) {
    const meaning = 'neither was busy all the time, as each waited for the other';
    return { resource: unsaturated, by: ['thread', 'server'], meaning };
  }
  if (basePingMs !== null && basePingMs >= minRoundTripRatio * serviceMs)
    return { resource: 'network', by: ['trips'], meaning: 'round trips took the time' };
  if (server === null) return { resource: 'unknown', by: ['server'] };
  if (together >= hardlyWork || basePingMs === null)
    return { resource: unsaturated, by: ['thread', 'server'], meaning: 'nothing was saturated' };
  const meaning = environment.local
    ? 'it was slow without using a core: it may be asleep, waiting for its disk, or serving other clients'
    : 'it was slow without using a core, or the network is slower under load';
  return { resource: 'server', by: ['trips', 'server'], meaning };
}

/**
 * Fraction of the server's fullest thread, as far as it is known: its main thread, each thread of a local server, or the
 * mean of all, unless some of them spin. Null if nothing is known.
 */
function serverBusy(
  { serverCores, serverMainThreadCores, serverFullestCores }: LimitFigures,
  { serverThreads, ioThreadsSpin = false }: LoadEnvironment,
): number | null {
  const mean = serverCores === null ? null : serverCores / (serverThreads ?? 1);
  const one = maxOfKnown([serverMainThreadCores, serverFullestCores]);
  return ioThreadsSpin && one !== null ? one : maxOfKnown([one, mean]);
}

type LimitFigures = ReturnType<typeof limitFigures>;
type ThreadLoad = RoundResult['cpu']['threads'][number];

/**
 * What the rules look at: medians over these rounds, at least one; null if unknown. A thread that spins
 * until the next arrival is idle: what it spun is in no figure but `spinRatio`.
 */
function limitFigures(rounds: readonly RoundResult[], cores: number) {
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

function maxOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Fraction of the periods of a CPU quota in which it stopped poolbench; null without a quota, or if it is not known. */
export function throttledRatio({ cpu: { throttling } }: RoundResult): number | null {
  return throttling == null || throttling.periods === 0
    ? null
    : throttling.throttledPeriods / throttling.periods;
}

/** Cores of the whole machine, of which poolbench may use fewer; those that it may use in results before 0.6. */
export function machineCores({ cpus, cores }: Result['environment']): number {
  return cpus ?? cores;
}

/**
 * Cores of the machine used by neither poolbench nor a local server; null if the CPU of the machine or of a local
 * server is not known.
 */
export function neighbourCores(
  { cpu }: RoundResult,
  { environment, target }: Pick<Result, 'environment' | 'target'>,
): number | null {
  const { cpuSets, machineBusyShare, clientCores } = cpu;
  const serverCores = target.local ? cpu.serverCores : 0;
  return serverCores === null || machineBusyShare === null
    ? null
    : Math.max(
        0,
        machineBusyShare * (cpuSets?.machine ?? machineCores(environment)) - clientCores - serverCores,
      );
}

/** One line: the figures that decided, what they mean, and the other figures. */
function describeEvidence(
  { by, meaning }: Finding,
  figures: LimitFigures,
  environment: LoadEnvironment,
): string {
  const describe = (names: readonly Figure[]) =>
    names.flatMap(name => phrases[name](figures, environment)).join(', ');
  const others = figureNames.filter(name => !by.includes(name));
  return `${describe(by)}${meaning === undefined ? '' : `: ${meaning}`}; ${describe(others)}`;
}

/** Each figure as text; nothing if it is unknown or does not matter. */
const phrases: Record<
  Figure,
  (figures: LimitFigures, environment: LoadEnvironment) => string | readonly string[]
> = {
  quota: ({ throttledRatio, throttledMs }) =>
    throttledRatio === null || throttledRatio === 0
      ? []
      : `a CPU quota stopped poolbench in ${formatFraction(throttledRatio)} of its periods` +
        (throttledMs ? `, for ${formatMs(throttledMs)} ms in a window` : ''),
  link: ({ link, linkRatio }) =>
    link === null || linkRatio === null
      ? []
      : `${link.name} carried ${formatFraction(linkRatio)} of its ${formatCount(link.speedMbps)} Mbit/s`,
  thread(figures, { threadsSharedWith = [] }) {
    const { threads, threadCores, fullestThreadCores, medianLoop, busiestLoop, spinRatio } = figures;
    const { gcRatio, maxGcMs, loopDelayP99Ms } = figures;
    const shared = threadsSharedWith.length === 0 ? '' : ` shared with ${formatList(threadsSharedWith)}`;
    const subject = (threads > 1 ? `median of ${threads} threads` : 'thread') + shared;
    const cores = threadCores === null ? '' : ` ${threadCores.toFixed(2)} of a core,`;
    const fullest = fullestThreadCores === null ? '' : `${fullestThreadCores.toFixed(2)} of a core, `;
    const busiest = threads > 1 ? ` (busiest ${fullest}${formatFraction(busiestLoop)})` : '';
    const spun = spinRatio === 0 ? '' : ` (and ${formatFraction(spinRatio)} spun until the next arrival)`;
    return [
      `${subject}${cores} event loop ${formatFraction(medianLoop)} busy${spun}${busiest}`,
      ...(gcRatio >= minGcRatio
        ? [`garbage collection ${formatFraction(gcRatio)} of the time, ${formatMs(maxGcMs)} ms at most`]
        : []),
      ...(loopDelayP99Ms >= minDelayMs ? [`event loop ${formatMs(loopDelayP99Ms)} ms late (p99)`] : []),
    ];
  },
  unserved: ({ threadWaitRatio, threads }) =>
    threadWaitRatio === null
      ? []
      : `${threads > 1 ? 'threads' : 'thread'} ready without a core ${formatFraction(threadWaitRatio)} of the time`,
  server(figures, { serverThreads, ioThreadsSpin = false }) {
    const { serverCores, serverMainThreadCores, serverFullestCores, serverFullestName } = figures;
    const threads = `${serverThreads ?? 'an unknown number of'} thread${serverThreads === 1 ? '' : 's'}`;
    const spinning = ioThreadsSpin ? ', which spin while they have nothing to do' : '';
    const all = serverCores === null ? [] : [`${serverCores.toFixed(2)} cores with ${threads}${spinning}`];
    // The main thread is measured twice, at slightly different instants.
    const isOther =
      serverFullestCores !== null && serverFullestCores > (serverMainThreadCores ?? 0) + minOtherThread;
    const fullest =
      isOther && serverThreads !== 1
        ? [`fullest thread ${serverFullestName} ${serverFullestCores.toFixed(2)} of a core`]
        : [];
    if (serverMainThreadCores === null) {
      const known = [...fullest, ...all];
      return known.length === 0 ? 'server CPU not known' : `server ${known.join(', all of it ')}`;
    }
    const main = `server main thread ${serverMainThreadCores.toFixed(2)} of a core`;
    return serverThreads === 1
      ? main
      : [main, ...fullest, ...all.map(text => `all of it ${text}`)].join(', ');
  },
  trips: ({ serviceMs, basePingMs }) =>
    `${formatMs(serviceMs)} ms per batch${basePingMs === null ? '' : `, a PING before the load ${formatMs(basePingMs)} ms`}`,
  machine({ clientCores, serverCores, cpus, busyRatio, clientCpus, clientCpusBusyRatio }, { local }) {
    const server = local && serverCores !== null ? `, server ${serverCores.toFixed(2)}` : '';
    const used = `client ${clientCores.toFixed(2)}${server} of ${formatCount(cpus)} cores`;
    const busy =
      busyRatio === null ? 'CPU of the machine not known' : `machine ${formatFraction(busyRatio)} busy`;
    const isPinned = clientCpus !== null && clientCpus < cpus;
    const pinned = isPinned
      ? [
          `poolbench may use ${formatCount(clientCpus)} of them` +
            (clientCpusBusyRatio === null ? '' : `, ${formatFraction(clientCpusBusyRatio)} busy`),
        ]
      : [];
    return [`${busy} (${used})`, ...pinned];
  },
  waiting: ({ waitingRatio, waitingMs, peakWaiting }) =>
    `${formatFraction(waitingRatio)} of the response time (${formatMs(waitingMs)} ms) waiting for a connection` +
    (peakWaiting > 0 ? `, up to ${peakWaiting} waiting` : ''),
  backlog: ({ backlog }) =>
    backlog === 0 ? [] : `up to ${formatCount(backlog)} due while all workers were busy`,
};
