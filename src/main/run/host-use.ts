import type { CpuUse, RoundResult } from '../../aggregate/result.ts';
import { sumOf } from '../../aggregate/stats/statistics.ts';

/** What the hosts of a measurement used in its window: in total and each. */
export interface HostUse {
  /** Replaces the readings on the coordinator's machine, which has no load. */
  readonly cpu: Pick<CpuUse, 'clientCores' | 'machineBusyShare' | 'cpuSets' | 'throttling'> &
    Pick<RoundResult, 'link'>;
  /** A PING to the target from there. */
  readonly basePingMs: number | null;
  readonly hosts: NonNullable<RoundResult['hosts']>;
}

type CpuSet = NonNullable<CpuUse['cpuSets']>['client'];

/** The machines of all hosts as one: cores add up, and each machine is weighted by its number of CPUs. */
export function addUp(parts: readonly HostUse['cpu'][]): HostUse['cpu'] {
  const sets = parts.map(({ cpuSets }) => cpuSets ?? null);
  const known = sets.filter(set => set !== null);
  const all = known.length === parts.length && known.length > 0;
  const set = (of: (sets: (typeof known)[number]) => CpuSet): CpuSet => {
    const each = known.map(of);
    return { cpus: sumOf(each, ({ cpus }) => cpus), busyShare: meanByCpus(each) };
  };
  const throttlings = parts.flatMap(({ throttling }) => throttling ?? []);
  const busy = parts.map(({ machineBusyShare, cpuSets }) => ({
    cpus: cpuSets?.machine ?? 1,
    busyShare: machineBusyShare,
  }));
  return {
    clientCores: sumOf(parts, ({ clientCores }) => clientCores),
    machineBusyShare: meanByCpus(busy),
    cpuSets: all
      ? {
          machine: sumOf(known, ({ machine }) => machine),
          client: set(({ client }) => client),
          both: set(({ both }) => both),
        }
      : null,
    throttling:
      throttlings.length === 0
        ? null
        : {
            periods: sumOf(throttlings, ({ periods }) => periods),
            throttledPeriods: sumOf(throttlings, ({ throttledPeriods }) => throttledPeriods),
            throttledMs: sumOf(throttlings, ({ throttledMs }) => throttledMs),
          },
    // The busiest link is the one that can be the limit.
    link: parts.flatMap(({ link }) => link ?? []).toSorted((a, b) => b.busyShare - a.busyShare)[0] ?? null,
  };
}

/** Null if one of them is not known. */
function meanByCpus(sets: readonly CpuSet[]): number | null {
  let busy = 0;
  for (const { cpus, busyShare } of sets) {
    if (busyShare === null) return null;
    busy += cpus * busyShare;
  }
  const cpus = sumOf(sets, set => set.cpus);
  return cpus === 0 ? null : busy / cpus;
}
