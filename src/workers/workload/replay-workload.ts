import type { Batch } from '../../pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../contract.ts';
import { type CommandMix, type MixTemplate, type NumberSource, OtherNumbers } from './command-mix.ts';
import { operationsOn } from './replay.ts';
import type { Replay } from './replay-file.ts';
import type { Draws } from './samplers.ts';
import type { Workload } from './workload.ts';

/**
 * The operations of a recording in their order, repeated. A pool has the operations whose first key is among its keys, so the
 * operations on a key keep their order; a pool without such operations has all. Numbers other than those of keys are drawn.
 */
export class ReplayWorkload implements Workload {
  readonly stride: number;
  readonly #replay: Replay;
  readonly #mix: CommandMix;
  readonly #others: OtherNumbers;
  /** The operations of the pool. */
  readonly #operations: Uint32Array;
  #next = 0;

  constructor(
    replay: Replay,
    mix: CommandMix,
    { own, task }: { readonly own: KeyRange; readonly task: WorkloadTask },
    draws: Draws,
  ) {
    this.stride = mix.stride;
    this.#replay = replay;
    this.#mix = mix;
    this.#others = new OtherNumbers(draws);
    const ofPool = operationsOn(replay, own, task.keys);
    this.#operations =
      ofPool.length > 0 ? ofPool : operationsOn(replay, { firstKey: 0, keys: task.keys }, task.keys);
  }

  fill(batch: Batch, arrival?: number): void {
    const { numbers, starts } = this.#replay;
    const { templates, firstTemplates } = this.#mix;
    const command = batch.ownCommands();
    // The operation of an arrival without a connection has failed: the next arrival must not send it.
    if (arrival !== undefined) this.#next = (arrival * command.length) % this.#operations.length;
    for (let i = 0; i < command.length; i++) {
      const start = starts[this.#operations[this.#next] as number] as number;
      this.#next = this.#next + 1 === this.#operations.length ? 0 : this.#next + 1;
      const which = numbers[start] as number;
      const first = firstTemplates[which] as number;
      const sizes = (firstTemplates[which + 1] as number) - first;
      const index = first + Math.min(numbers[start + 1] as number, sizes - 1);
      const { bases, otherNumbers } = templates[index] as MixTemplate;
      command[i] = index;
      let at = i * batch.stride;
      for (let key = 0; key < bases.length; key++)
        batch.numbers[at++] = (bases[key] as number) + (numbers[start + 2 + key] as number);
      for (let k = 0; k < otherNumbers.length; k++)
        batch.numbers[at++] = this.#others.take(otherNumbers[k] as NumberSource);
    }
  }
}
