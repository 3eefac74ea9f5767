import type { WorkloadTask } from '../contract.ts';
import { mixSeed } from '../prng.ts';
import type { CommandMix } from './command-mix.ts';
import { GrowingWorkload } from './growing-workload.ts';
import { IndexedRecords } from './indexed-records.ts';
import type { KeyRange } from './key-range.ts';
import { keyRanges } from './key-ranges.ts';
import { LatestRecords } from './latest-records.ts';
import { MixedWorkload } from './mixed-workload.ts';
import { openKeyChooser } from './open-key-chooser.ts';
import { ReadsAndWrites } from './reads-and-writes.ts';
import type { Records } from './records.ts';
import type { Workload } from './workload.ts';

/** @param own keys of the pool, or of the worker where they are partitioned */
export function openWorkload(task: WorkloadTask, mix: CommandMix, own: KeyRange, seed: number): Workload {
  if (task.growth !== null) return new GrowingWorkload(mix, openRecords(task, own, mixSeed(seed, 0)), seed);
  const [first, second, ...others] = mix.templates;
  const lean =
    task.keyChoice.kind === 'uniform' && task.hitShare === 1 && others.length === 0 && mix.stride === 1;
  if (lean && first?.keys === 1 && second?.keys === 1 && first.base === 0 && second.base === 0)
    return new ReadsAndWrites(own, first.weight / (first.weight + second.weight), seed);
  const chooser = openKeyChooser(task.keyChoice, own, task.keys, mixSeed(seed, 0));
  const misses = { hitShare: task.hitShare, first: keyRanges(task).written, keys: task.keys };
  return new MixedWorkload(mix, chooser, misses, seed);
}

function openRecords(
  { keys, keyChoice, growth, ...rest }: WorkloadTask,
  own: KeyRange,
  seed: number,
): Records {
  const exponent = keyChoice.kind === 'zipfian' ? keyChoice.exponent : 0;
  if (growth === 'index') return new IndexedRecords(own, keys, exponent, seed);
  const { inserted } = keyRanges({ keys, growth, ...rest });
  return new LatestRecords(own, inserted + own.firstKey, exponent, seed);
}
