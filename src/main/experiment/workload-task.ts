import type { WorkloadTask } from '../../workers/contract.ts';
import { valueVariants } from './value-variants.ts';
import type { WorkloadConfig } from './workload.ts';
import { readsAndWrites, ycsbPresets } from './ycsb.ts';

/** Made once for each: the values of a file must not change in the middle of a run. */
const made = new WeakMap<WorkloadConfig, WorkloadTask>();

/** What the threads are asked to do for a workload: presets spelled out, sizes as values. */
export function workloadTask(workload: WorkloadConfig): WorkloadTask {
  const task = made.get(workload) ?? makeTask(workload);
  made.set(workload, task);
  return task;
}

function makeTask(workload: WorkloadConfig): WorkloadTask {
  const { keys, valueContent, hitShare } = workload;
  const preset = workload.ycsb === null ? undefined : ycsbPresets[workload.ycsb];
  const given = workload.commands.length > 0 ? workload.commands : undefined;
  return {
    keys,
    hitShare,
    keyChoice: preset?.keyChoice ?? workload.keyChoice ?? { kind: 'uniform' },
    values: valueVariants(workload.valueBytes),
    compressibleShare: valueContent.kind === 'compressible' ? valueContent.share : 0,
    commands: preset?.commands ?? given ?? readsAndWrites(workload.readShare ?? 0.5),
    growth: preset?.growth ?? null,
    apart: preset !== undefined || given !== undefined || hitShare < 1,
  };
}
