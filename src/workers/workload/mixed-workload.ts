import type { Batch } from '../../pool/batch.ts';
import { mixSeed } from '../prng.ts';
import type { CommandChooser } from './command-chooser.ts';
import type { CommandMix, MixTemplate, SpelledNumber } from './command-mix.ts';
import { Draws } from './draws.ts';
import type { KeyChooser } from './key-chooser.ts';
import type { Workload } from './workload.ts';

/** Reads that are to find nothing are for keys from `first` on, evenly. */
export interface Misses {
  readonly hitShare: number;
  readonly first: number;
  readonly keys: number;
}

/** Chooses commands, then draws the keys and numbers of each. */
export class MixedWorkload implements Workload {
  readonly stride: number;
  readonly #templates: readonly MixTemplate[];
  readonly #commands: CommandChooser;
  readonly #chooser: KeyChooser;
  readonly #draws: Draws;
  /** A draw below this is a hit. */
  readonly #hitBelow: number;
  readonly #firstMiss: number;
  readonly #missScale: number;
  #counter = 0;
  #keys = new Uint32Array(0);

  constructor(
    { templates, stride }: CommandMix,
    commands: CommandChooser,
    chooser: KeyChooser,
    misses: Misses,
    seed: number,
  ) {
    this.stride = stride;
    this.#templates = templates;
    this.#commands = commands;
    this.#chooser = chooser;
    this.#draws = new Draws(mixSeed(seed, 2));
    this.#hitBelow = misses.hitShare * 2 ** 32;
    this.#firstMiss = misses.first;
    this.#missScale = misses.keys / 2 ** 32;
  }

  fill(batch: Batch): void {
    const { size, numbers, stride } = batch;
    this.#commands.choose(batch);
    let keys = 0;
    for (let i = 0; i < size; i++) keys += (this.#templates[batch.commandAt(i)] as MixTemplate).keys;
    if (this.#keys.length < keys) this.#keys = new Uint32Array(size * stride);
    this.#chooser.drawInto(this.#keys, keys);
    let next = 0;
    for (let i = 0; i < size; i++) {
      const template = this.#templates[batch.commandAt(i)] as MixTemplate;
      let at = i * stride;
      for (let key = 0; key < template.keys; key++) {
        const chosen = template.base + (this.#keys[next++] as number);
        numbers[at++] = template.reads && this.#hitBelow < 2 ** 32 ? this.#hitOrMiss(chosen) : chosen;
      }
      for (let k = 0; k < template.spelled.length; k++)
        numbers[at++] = this.#spell(template.spelled[k] as SpelledNumber);
    }
  }

  #hitOrMiss(chosen: number): number {
    if (this.#draws.next() < this.#hitBelow) return chosen;
    return this.#firstMiss + Math.floor(this.#draws.next() * this.#missScale);
  }

  #spell(number: SpelledNumber): number {
    // Records are of growing workloads alone.
    if (typeof number === 'string') {
      const count = this.#counter;
      this.#counter = (count + 1) % 2 ** 32;
      return count;
    }
    return number.from + Math.floor((this.#draws.next() / 2 ** 32) * (number.to - number.from + 1));
  }
}
