import type { Control } from '../../src/main/server/control.ts';
import { DataSet } from '../../src/main/server/data-set.ts';
import type { KeySpace } from '../../src/main/server/key-space.ts';
import type { WorkloadTask } from '../../src/workers/contract.ts';

/** Writes the data of a workload and returns the warnings. */
export async function prefill(
  control: Control,
  space: KeySpace,
  { seed, workload }: { readonly seed: number; readonly workload: WorkloadTask },
): Promise<string[]> {
  const warnings: string[] = [];
  await new DataSet(control, space, { seed, workload, warn: line => warnings.push(line) }).write();
  return warnings;
}
