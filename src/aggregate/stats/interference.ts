import type { Result, RoundResult } from '../result.ts';

/** What a CPU quota and other programs took from the load. */

/** Fraction of the periods of a CPU quota in which it stopped poolbench, from which the quota is the limit. */
export const minThrottledRatio = 0.1;
/** Cores that other programs must use to count: less is the coordinator, the kernel, and the clock's ticks. */
export const minNeighbourCores = 0.25;

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
