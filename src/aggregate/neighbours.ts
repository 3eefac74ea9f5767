import type { Result, RoundResult } from './result.ts';
import { median } from './statistics.ts';

/** Share of the machine that others must use, in the median measurement, to be told of: less is the kernel, and clock ticks. */
const noticedShare = 0.25;

/** Cores used by neither poolbench nor a server beside it; null where a server beside it does not tell its CPU. */
export function neighbourCores({ cpu }: RoundResult, cores: number, local: boolean): number | null {
  const serverCores = local ? cpu.serverCores : 0;
  return serverCores === null
    ? null
    : Math.max(0, cpu.machineBusyShare * cores - cpu.clientCores - serverCores);
}

/** Says that others used the machine for as long as the run lasted, so that no round stands out by it; null if none did. */
export function describeNeighbours({
  scenarios,
  environment: { cores },
  target: { local },
}: Pick<Result, 'scenarios' | 'environment' | 'target'>): string | null {
  const taken = scenarios.flatMap(({ rounds }) =>
    rounds.flatMap(round => neighbourCores(round, cores, local) ?? []),
  );
  const usual = taken.length === 0 ? 0 : median(taken);
  if (usual < noticedShare * cores) return null;
  return `other programs used ${usual.toFixed(1)} of this machine's ${cores} cores in the median measurement: the figures, and what limited them, are partly theirs`;
}
