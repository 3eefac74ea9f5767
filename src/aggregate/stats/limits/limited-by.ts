import type { LimitedBy, RoundResult } from '../../result.ts';
import { type Finding, tellLimit } from './evidence.ts';
import { type LimitFigures, limitFigures, minNeighbourCores, type Surroundings } from './figures.ts';

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
