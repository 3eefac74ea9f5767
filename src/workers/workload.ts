import { Batch } from '../pool/batch.ts';
import type { WorkloadTask } from './contract.ts';
import { mixSeed } from './prng.ts';
import type { CommandMix } from './workload/command-mix.ts';
import { GrowingWorkload } from './workload/growing-workload.ts';
import { IndexedRecords } from './workload/indexed-records.ts';
import { type KeyRange, openKeyChooser } from './workload/key-chooser.ts';
import { keyRanges } from './workload/key-ranges.ts';
import { LatestRecords } from './workload/latest-records.ts';
import { MixedWorkload } from './workload/mixed-workload.ts';
import { ReadsAndWrites } from './workload/reads-and-writes.ts';
import type { Records } from './workload/records.ts';

/** What the workers of one pool ask of the server. Seeded; filling batches makes no garbage. */
export interface Workload {
  /** Numbers for each command: batches must be made with as many. */
  readonly stride: number;
  /** Chooses the commands of the batch and their numbers. How commands are put into batches makes no difference to them. */
  fill(batch: Batch): void;
  /** Hears of the batches whose outcome is known, where it has a use for that. */
  settle?(batch: Batch): void;
  /** Records that were inserted so far; undefined where none are. */
  readonly inserted?: number;
}

/** A batch to be filled by a workload, which hears of its outcome before `done` does. */
export function batchFor(workload: Workload, size: number, done: () => void): Batch {
  if (workload.settle === undefined) return new Batch(size, done, workload.stride);
  const settleFirst = () => {
    workload.settle?.(batch);
    done();
  };
  const batch: Batch = new Batch(size, settleFirst, workload.stride);
  return batch;
}

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

/** Part `index` of `parts` of a range: together they are all of it, without overlap. */
export function partOf({ firstKey, keys }: KeyRange, index: number, parts: number): KeyRange {
  const from = Math.floor((index * keys) / parts);
  const to = Math.floor(((index + 1) * keys) / parts);
  return { firstKey: firstKey + from, keys: to - from };
}
