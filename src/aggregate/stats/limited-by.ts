import type { LimitedBy, RoundResult } from '../result.ts';
import { minNeighbourCores, minThrottledRatio } from './interference.ts';
import { describeEvidence, type Finding } from './limit-evidence.ts';
import { heldUp, type LimitFigures, type LoadEnvironment, limitFigures } from './limit-figures.ts';
import { maxOfKnown } from './statistics.ts';

/** Fraction of its speed from which a link counts as full. It is below 1, because gaps between frames are not counted. */
const fullLink = 0.85;
/** Fraction of the response time before the worker had a connection, from which the pool is the limit. */
const minWaitingRatio = 0.5;
/** Fraction of a core from which a thread counts as busy. */
const busyThread = 0.9;
/** Fraction of all cores from which held-up threads lack one: below it, the scheduler may let two threads that wake each other share a core. */
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
