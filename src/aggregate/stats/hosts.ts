import type { HostResult, Result, RoundResult } from '../result.ts';
import { formatFraction, formatList, formatMs, formatPlural } from '../text/format.ts';
import { median, medianOfKnown } from './statistics.ts';

/** The agents of a run: what each of them did, and whether they were equal. */

/**
 * Round trips that differ by more make arms on different hosts incomparable; a smaller difference is due to the kernel
 * and the scheduler.
 */
const maxTripRatio = 1.25;
const minTripDifferenceMs = 0.05;
/** Clocks that may differ by more shift what is due in an open loop by a noticeable part of a response time. */
const noticeableBoundMs = 1;
/** An agent that receives the start later than this before its instant may begin later than the others. */
const safeLeadMs = 5;
/** Threads that begin later than this fraction of the window miss a noticeable part of it. */
const noticeableLagRatio = 0.1;

/** One agent over all measurements in which it took part. */
export interface HostFigures extends HostResult {
  /** Medians; null if it took part in none, or it is not known. */
  readonly coresUsed: number | null;
  readonly busyRatio: number | null;
  /** The worst of all measurements. */
  readonly maxBoundMs: number | null;
  readonly minLeadMs: number | null;
  readonly maxStartLagMs: number | null;
}

const max = (values: readonly number[]) => Math.max(...values);
const min = (values: readonly number[]) => Math.min(...values);

type HostRound = NonNullable<RoundResult['hosts']>[number];

/** Empty if the load ran without agents. */
export function hostFigures({ hosts = [], scenarios }: Pick<Result, 'hosts' | 'scenarios'>): HostFigures[] {
  const rounds = scenarios.flatMap(scenario => scenario.rounds).flatMap(round => round.hosts ?? []);
  return hosts.map(host => {
    const own = rounds.filter(({ name }) => name === host.name);
    const of = (figure: (round: HostRound) => number, pick: (values: number[]) => number) =>
      own.length === 0 ? null : pick(own.map(figure));
    return {
      ...host,
      coresUsed: of(({ cores }) => cores, median),
      busyRatio: medianOfKnown(own.map(({ machineBusyShare }) => machineBusyShare)),
      maxBoundMs: of(({ clockBoundMs }) => clockBoundMs, max),
      minLeadMs: of(({ leadMs }) => leadMs, min),
      maxStartLagMs: of(({ startLagMs }) => startLagMs, max),
    };
  });
}

/** The properties of an agent, without what it did in a run. */
export type HostMachine = Omit<HostResult, 'threads' | 'roundTripMs'>;

/** "AMD EPYC, 4 cores, Node v20.12.0". */
export function describeMachine({ cpu, cores, node }: Omit<HostMachine, 'name' | 'os' | 'left'>): string {
  return `${cpu}, ${formatPlural(cores, 'core')}, Node ${node}`;
}

/** All agents that took part, once each: first those of now, then those that left when the run was resumed. */
export function joinHosts<Host extends Pick<HostMachine, 'name' | 'left'>>(
  before: readonly Host[],
  now: readonly Host[],
): Host[] {
  const names = new Set(now.map(({ name }) => name));
  const gone = before.filter(({ name }) => !names.has(name));
  return [...now, ...gone.map(host => ({ ...host, left: true as const }))];
}

/** "2 × AMD EPYC, 4 cores, Node v20.12.0": equal agents are counted together, without those that have left. */
export function describeHosts(hosts: readonly HostMachine[]): string {
  const machines = hosts.filter(({ left }) => left !== true).map(describeMachine);
  return [...new Set(machines)]
    .toSorted()
    .map(kind => `${machines.filter(machine => machine === kind).length} × ${kind}`)
    .join('; ');
}

/** Warnings if the agents differ, or did not start together as exactly as they should. */
export function hostWarnings(result: Pick<Result, 'hosts' | 'scenarios'>): string[] {
  const hosts = hostFigures(result);
  if (hosts.length === 0) return [];
  const warnings: string[] = [];
  for (const [what, of] of [
    ['CPU', ({ cpu, cores }: HostFigures) => `${cpu} with ${cores} cores`],
    ['version of Node', ({ node }: HostFigures) => node],
  ] as const) {
    const different = [...new Set(hosts.map(of))];
    if (different.length > 1)
      warnings.push(
        `the agents differ in their ${what}: ${formatList(different)}. Do not compare scenarios that ran on different agents`,
      );
  }
  const trips = hosts.flatMap(({ roundTripMs }) => roundTripMs ?? []);
  const [low, high] = [Math.min(...trips), Math.max(...trips)];
  if (trips.length > 1 && high > maxTripRatio * low && high - low > minTripDifferenceMs)
    warnings.push(
      `round trips from the agents to the target differ: ${formatMs(low)} to ${formatMs(high)} ms, ${formatFraction(high / low - 1)} more. Do not compare latencies of threads on different agents`,
    );
  const isOpen = result.scenarios.some(({ arrival }) => arrival.kind !== 'closed');
  const bound = Math.max(0, ...hosts.map(({ maxBoundMs }) => maxBoundMs ?? 0));
  if (isOpen && bound > noticeableBoundMs)
    warnings.push(
      `the clocks of the agents may differ by up to ${formatMs(2 * bound)} ms, so operations of an open loop may have been due that much earlier or later on one of them; use a control server nearer to the agents`,
    );
  const lead = Math.min(...hosts.map(({ minLeadMs }) => minLeadMs ?? Number.POSITIVE_INFINITY));
  if (lead < safeLeadMs)
    warnings.push(
      `an agent received a start only ${formatMs(Math.max(0, lead))} ms ahead, so its threads may have begun later than those of the others`,
    );
  return [...warnings, ...lateStarts(result.scenarios)];
}

/**
 * A warning for each scenario whose threads began late on an agent, in relation to the window. A warm-up absorbs a lag that
 * is shorter than itself.
 */
function lateStarts(scenarios: Result['scenarios']): string[] {
  return scenarios.flatMap(({ id, rounds }) => {
    const lags = rounds.flatMap(({ seconds, warmup, hosts = [] }) => {
      const startLagMs = Math.max(0, ...hosts.map(host => host.startLagMs));
      const lagMs = startLagMs - (warmup?.seconds ?? 0) * 1000;
      return lagMs > noticeableLagRatio * seconds * 1000 ? [{ lagMs, seconds }] : [];
    });
    const [largest] = lags.toSorted((a, b) => b.lagMs - a.lagMs);
    if (largest === undefined) return [];
    return [
      `threads of ${id} began late in the window on an agent in ${lags.length} of ${formatPlural(rounds.length, 'measurement')}: by up to ${formatMs(largest.lagMs)} ms, with a window of ${formatMs(largest.seconds * 1000)} ms; use a longer window (--seconds), or agents with more idle cores`,
    ];
  });
}
