import type { Batch } from '../pool/batch.ts';
import type { WorkloadTask } from './contract.ts';
import { mixSeed } from './prng.ts';
import type { CommandMix } from './workload/command-mix.ts';
import { type KeyRange, openKeyChooser } from './workload/key-chooser.ts';
import { keyRanges } from './workload/key-ranges.ts';
import { MixedWorkload } from './workload/mixed-workload.ts';
import { ReadsAndWrites } from './workload/reads-and-writes.ts';

/** What the workers of one pool ask of the server. Seeded; filling batches makes no garbage. */
export interface Workload {
  /** Numbers for each command: batches must be made with as many. */
  readonly stride: number;
  /** Chooses the commands of the batch and their numbers. How commands are put into batches makes no difference to them. */
  fill(batch: Batch): void;
}

/** @param own keys of the pool, or of the worker where they are partitioned */
export function openWorkload(task: WorkloadTask, mix: CommandMix, own: KeyRange, seed: number): Workload {
  const [first, second, ...others] = mix.templates;
  const lean =
    task.keyChoice.kind === 'uniform' && task.hitShare === 1 && others.length === 0 && mix.stride === 1;
  if (lean && first?.keys === 1 && second?.keys === 1 && first.base === 0 && second.base === 0)
    return new ReadsAndWrites(own, first.weight / (first.weight + second.weight), seed);
  const chooser = openKeyChooser(task.keyChoice, own, task.keys, mixSeed(seed, 0));
  const misses = { hitShare: task.hitShare, first: keyRanges(task).written, keys: task.keys };
  return new MixedWorkload(mix, chooser, misses, seed);
}

/** Part `index` of `parts` of a range: together they are all of it, without overlap. */
export function partOf({ firstKey, keys }: KeyRange, index: number, parts: number): KeyRange {
  const from = Math.floor((index * keys) / parts);
  const to = Math.floor(((index + 1) * keys) / parts);
  return { firstKey: firstKey + from, keys: to - from };
}
