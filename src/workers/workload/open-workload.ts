import type { WorkloadTask } from '../contract.ts';
import { mixSeed } from '../prng.ts';
import type { CommandChooser } from './command-chooser.ts';
import type { CommandMix } from './command-mix.ts';
import { DrawnCommands } from './drawn-commands.ts';
import { GrowingWorkload } from './growing-workload.ts';
import { IndexedRecords } from './indexed-records.ts';
import type { KeyRange } from './key-range.ts';
import { keyRanges } from './key-ranges.ts';
import { LatestRecords } from './latest-records.ts';
import { MixedWorkload } from './mixed-workload.ts';
import { OneKeyWorkload } from './one-key-workload.ts';
import { openKeyChooser } from './open-key-chooser.ts';
import { OrderedCommands } from './ordered-commands.ts';
import type { Records } from './records.ts';
import type { Workload } from './workload.ts';

/** @param own keys of the pool, or of the worker where they are partitioned */
export function openWorkload(task: WorkloadTask, mix: CommandMix, own: KeyRange, seed: number): Workload {
  if (task.growth !== null) return new GrowingWorkload(mix, openRecords(task, own, mixSeed(seed, 0)), seed);
  const chooser = openKeyChooser(task.keyChoice, own, task.keys, mixSeed(seed, 0));
  const commands = openCommandChooser(task, mix, mixSeed(seed, 1));
  const oneKeyEach = mix.stride === 1 && mix.templates.every(({ keys, base }) => keys === 1 && base === 0);
  if (oneKeyEach && task.hitShare === 1) return new OneKeyWorkload(commands, chooser);
  const misses = { hitShare: task.hitShare, first: keyRanges(task).written, keys: task.keys };
  return new MixedWorkload(mix, commands, chooser, misses, seed);
}

function openCommandChooser(
  { keyChoice }: WorkloadTask,
  { templates, commandSet: { order } }: CommandMix,
  seed: number,
): CommandChooser {
  // Two orders that go round side by side would give a key the same command every time.
  if (order !== undefined && keyChoice.kind !== 'sequential') return new OrderedCommands(order, seed);
  return new DrawnCommands(
    templates.map(({ weight }) => weight),
    seed,
  );
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
