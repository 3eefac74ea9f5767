import { formatMs, formatShare } from './format.ts';
import type { LimitedBy, RoundResult } from './result.ts';
import { median } from './statistics.ts';

/** Where the load ran. */
export interface Surroundings {
  /** Cores of the machine poolbench runs on. */
  readonly cores: number;
  /** Whether the server shares those cores. */
  readonly local: boolean;
  /** Threads the server works with; null, taken as 1, where it does not tell. */
  readonly serverThreads: number | null;
}

/** Share of the response time spent before a connection was there, from which the pool is what limits. */
const poolShare = 0.5;
/** Share of a core from which a thread counts as busy. */
const busyThread = 0.9;
/** Share of all cores from which a machine counts as having none idle. */
const busyMachine = 0.92;
/** Cores that neighbours must take to count: less is the coordinator, the kernel, and the clock's ticks. */
const noticedNeighbours = 0.25;

const nothingBusy = 'nothing was busy: the time is round trips on this machine';

/** Medians over the rounds; null where nothing tells. */
interface Figures {
  readonly threads: number;
  readonly waitingShare: number;
  readonly waitingMs: number;
  readonly clientCores: number;
  readonly machineBusyShare: number;
  readonly serverCores: number | null;
  readonly serverMainThreadCores: number | null;
  readonly busiestLoop: number;
  readonly medianLoop: number;
}

/**
 * Says what limited a scenario, by medians over its rounds, the first that holds of:
 * pool (workers spent half of their response time or more before they had a connection: (response − service) /
 * response), machine (shared with the server, 92 % busy, and with more threads, neighbours included, than cores), server (its main
 * thread or all of its threads 90 % busy), client (the event loop of the median thread 90 % busy), network (none of
 * them). `unknown` if nothing completed, or if nothing else is busy and the server does not tell its CPU.
 */
export function limitedBy(rounds: readonly RoundResult[], surroundings: Surroundings): LimitedBy {
  const served = rounds.filter(round => round.completed > 0);
  if (served.length === 0)
    return { resource: 'unknown', evidence: 'nothing completed, so nothing was measured' };
  const figures = mediansOf(served);
  const resource = nameResource(figures, surroundings);
  const evidence = describe(figures, surroundings);
  // There is no network between two processes of one machine.
  const roundTrips = resource === 'network' && surroundings.local;
  return { resource, evidence: roundTrips ? `${evidence}; ${nothingBusy}` : evidence };
}

function nameResource(figures: Figures, surroundings: Surroundings): LimitedBy['resource'] {
  const { cores, local } = surroundings;
  const serverThreads = surroundings.serverThreads ?? 1;
  const { clientCores, serverCores, serverMainThreadCores } = figures;
  const ownShare = (clientCores + (serverCores ?? 0)) / cores;
  const busyShare = Math.max(figures.machineBusyShare, ownShare);
  const neighbours = Math.max(0, figures.machineBusyShare - ownShare) * cores;

  if (figures.waitingShare >= poolShare) return 'pool';
  const demand = figures.threads + serverThreads + (neighbours >= noticedNeighbours ? neighbours : 0);
  if (local && busyShare >= busyMachine && demand > cores) return 'machine';
  if ((serverMainThreadCores ?? 0) >= busyThread || (serverCores ?? 0) >= busyThread * serverThreads)
    return 'server';
  if (figures.medianLoop >= busyThread) return 'client';
  return serverCores === null && serverMainThreadCores === null ? 'unknown' : 'network';
}

function mediansOf(rounds: readonly RoundResult[]): Figures {
  const over = (figure: (round: RoundResult) => number) => median(rounds.map(figure));
  const overKnown = (figure: (round: RoundResult) => number | null) => {
    const known = rounds.flatMap(round => figure(round) ?? []);
    return known.length === 0 ? null : median(known);
  };
  const waitingMs = (round: RoundResult) => Math.max(0, round.response.mean - round.service.mean);
  return {
    threads: over(round => round.cpu.eventLoopUtilization.length),
    waitingShare: over(round => (round.response.mean > 0 ? waitingMs(round) / round.response.mean : 0)),
    waitingMs: over(waitingMs),
    clientCores: over(round => round.cpu.clientCores),
    machineBusyShare: over(round => round.cpu.machineBusyShare),
    serverCores: overKnown(round => round.cpu.serverCores),
    serverMainThreadCores: overKnown(round => round.cpu.serverMainThreadCores),
    busiestLoop: over(round => Math.max(0, ...round.cpu.eventLoopUtilization)),
    medianLoop: over(round =>
      round.cpu.eventLoopUtilization.length === 0 ? 0 : median(round.cpu.eventLoopUtilization),
    ),
  };
}

function describe(figures: Figures, { cores, local, serverThreads }: Surroundings): string {
  const { serverCores, serverMainThreadCores, threads } = figures;
  const loops =
    threads > 1
      ? `busiest of ${threads} threads' event loops ${formatShare(figures.busiestLoop)} busy, median ${formatShare(figures.medianLoop)}`
      : `event loop ${formatShare(figures.busiestLoop)} busy`;
  const mainThread =
    serverMainThreadCores === null
      ? []
      : [`server main thread ${serverMainThreadCores.toFixed(2)} of a core`];
  const server =
    serverCores === null
      ? 'server CPU not known'
      : `server ${serverCores.toFixed(2)} cores with ${serverThreads ?? 'an unknown number of'} thread${serverThreads === 1 ? '' : 's'}`;
  return [
    loops,
    ...mainThread,
    server,
    `client ${figures.clientCores.toFixed(2)} of ${cores} cores${local ? ' shared with the server' : ''}`,
    `machine ${formatShare(figures.machineBusyShare)} busy`,
    `${formatShare(figures.waitingShare)} of the response time (${formatMs(figures.waitingMs)} ms) before the connection`,
  ].join(', ');
}
