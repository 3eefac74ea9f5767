import { readsAndWrites } from '../../src/main/experiment/workload.ts';
import type { WorkloadTask } from '../../src/workers/contract.ts';

/** The load that a config asks for if it does not say otherwise: GET and SET of values of one size, keys even. */
export function plainWorkload({
  keys,
  valueBytes,
  readShare,
}: {
  readonly keys: number;
  readonly valueBytes: number;
  readonly readShare: number;
}): WorkloadTask {
  return {
    keys,
    members: 10,
    keyChoice: { kind: 'uniform' },
    values: [{ weight: 1, value: { bytes: valueBytes } }],
    compressibleRatio: 0,
    commands: readsAndWrites(readShare),
    hitShare: 1,
    growth: null,
    apart: false,
  };
}
