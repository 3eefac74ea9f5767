import type { Batch } from '../../pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../contract.ts';
import { streamSeed } from '../prng.ts';
import type { CommandMix } from './command-mix.ts';
import { MixedWorkload, OneKeyWorkload, openCommandChooser } from './drawn-workload.ts';
import { GrowingWorkload } from './growing-workload.ts';
import { keyRanges, openKeyChooser } from './keys.ts';
import { IndexedRecords, LatestRecords, type Records } from './records.ts';
import { readReplay } from './replay.ts';
import { ReplayWorkload } from './replay-workload.ts';
import { Draws } from './samplers.ts';
import type { Workload } from './workload.ts';

/** Stamps messages with the instant of their send, and counts those that the server accepted. */
interface Publications {
  stamp(batch: Batch): void;
  published(batch: Batch): void;
}

/**
 * @param own keys of the pool, or of the worker if they are partitioned
 * @param publications times the messages of the workload
 */
export function openWorkload(
  task: WorkloadTask,
  mix: CommandMix,
  own: KeyRange,
  seed: number,
  publications?: Publications,
): Workload {
  if (task.growth !== null)
    return new GrowingWorkload(mix, openRecords(task, own, streamSeed(seed, 'records')), seed);
  const newDraws = () => new Draws(streamSeed(seed, 'missesAndNumbers'));
  if (task.replay !== undefined)
    return timed(new ReplayWorkload(readReplay(task.replay), mix, { own, task }, newDraws()), publications);
  const { families, written } = keyRanges(task);
  const seedOfKeys = (...family: readonly number[]) => streamSeed(seed, 'keys', ...family);
  const chooser = openKeyChooser(task.keyChoice, own, task.keys, seedOfKeys());
  const ofFamilies = families.map(({ ownChoice, keys }, index) =>
    ownChoice === undefined
      ? chooser
      : openKeyChooser(ownChoice, { firstKey: 0, keys }, keys, seedOfKeys(index)),
  );
  const commands = openCommandChooser(task, mix, streamSeed(seed, 'commands'));
  const oneKeyEach =
    mix.stride === 1 && mix.templates.every(({ bases }) => bases.length === 1 && bases[0] === 0);
  if (oneKeyEach && task.hitShare === 1) return new OneKeyWorkload(commands, ofFamilies[0] ?? chooser);
  const misses = { hitShare: task.hitShare, first: written, keys: task.keys };
  const keys = { chooser, ofFamilies };
  return timed(new MixedWorkload(mix, commands, keys, misses, newDraws()), publications);
}

function timed(workload: Workload, publications: Publications | undefined): Workload {
  return publications === undefined ? workload : publishing(workload, publications);
}

/** Batches are sent as soon as they are filled. */
function publishing(workload: Workload, publications: Publications): Workload {
  return {
    stride: workload.stride,
    fill: (batch, arrival) => {
      workload.fill(batch, arrival);
      publications.stamp(batch);
    },
    settle: batch => publications.published(batch),
  };
}

function openRecords(task: WorkloadTask, own: KeyRange, seed: number): Records {
  const { keys, keyChoice, growth } = task;
  const exponent = keyChoice.kind === 'zipfian' ? keyChoice.exponent : 0;
  if (growth === 'index') return new IndexedRecords(own, keys, exponent, seed);
  const { inserted } = keyRanges(task);
  return new LatestRecords(own, inserted + own.firstKey, exponent, seed);
}
