import type { Batch } from '../../pool/client/batch.ts';
import type { WorkloadTask } from '../contract.ts';
import { Prng } from '../prng.ts';
import { type CommandMix, type MixTemplate, type NumberSource, OtherNumbers } from './command-mix.ts';
import { AliasTable, type Draws, type KeyChooser, KeyDraws } from './samplers.ts';
import type { Workload } from './workload.ts';

/** Workloads whose commands and keys are drawn. */

/** Reads that must find nothing are for keys from `first` on, uniformly. */
interface Misses {
  readonly hitShare: number;
  readonly first: number;
  readonly keys: number;
}

/** How the keys of a mix are chosen. */
interface KeyChoosers {
  /** Of all families that have no choice of their own. */
  readonly chooser: KeyChooser;
  readonly ofFamilies: readonly KeyChooser[];
}

/** Families with the same chooser draw from the same keys. */
function drawsOf(choosers: readonly KeyChooser[]): KeyDraws[] {
  const draws = new Map([...new Set(choosers)].map(chooser => [chooser, new KeyDraws(chooser)]));
  return choosers.flatMap(chooser => draws.get(chooser) ?? []);
}

/** Chooses commands, then draws the keys and numbers of each. */
export class MixedWorkload implements Workload {
  readonly stride: number;
  readonly #templates: readonly MixTemplate[];
  readonly #commands: CommandChooser;
  readonly #chooser: KeyChooser;
  /** Keys of each family; undefined if one chooser is for all, which draws the keys of a batch at once. */
  readonly #ofFamilies: readonly KeyDraws[] | undefined;
  readonly #draws: Draws;
  readonly #others: OtherNumbers;
  /** A draw below this is a hit. */
  readonly #hitBelow: number;
  readonly #firstMiss: number;
  readonly #missScale: number;
  #keys = new Uint32Array(0);

  constructor(
    { templates, stride }: CommandMix,
    commands: CommandChooser,
    { chooser, ofFamilies }: KeyChoosers,
    misses: Misses,
    draws: Draws,
  ) {
    this.stride = stride;
    this.#templates = templates;
    this.#commands = commands;
    this.#chooser = chooser;
    this.#ofFamilies = ofFamilies.every(one => one === chooser) ? undefined : drawsOf(ofFamilies);
    this.#draws = draws;
    this.#others = new OtherNumbers(draws);
    this.#hitBelow = misses.hitShare * 2 ** 32;
    this.#firstMiss = misses.first;
    this.#missScale = misses.keys / 2 ** 32;
  }

  fill(batch: Batch): void {
    const { size, numbers, stride } = batch;
    const ofFamilies = this.#ofFamilies;
    this.#commands.choose(batch);
    if (ofFamilies === undefined) this.#drawKeys(batch);
    let next = 0;
    for (let i = 0; i < size; i++) {
      const template = this.#templates[batch.commandAt(i)] as MixTemplate;
      let at = i * stride;
      for (let key = 0; key < template.bases.length; key++) {
        const drawn =
          ofFamilies === undefined
            ? (this.#keys[next++] as number)
            : (ofFamilies[template.families[key] as number] as KeyDraws).next();
        const chosen = (template.bases[key] as number) + drawn;
        numbers[at++] = template.reads && this.#hitBelow < 2 ** 32 ? this.#hitOrMiss(chosen) : chosen;
      }
      for (let k = 0; k < template.otherNumbers.length; k++)
        numbers[at++] = this.#others.take(template.otherNumbers[k] as NumberSource);
    }
  }

  #drawKeys(batch: Batch): void {
    const { size, stride } = batch;
    let keys = 0;
    for (let i = 0; i < size; i++) keys += (this.#templates[batch.commandAt(i)] as MixTemplate).bases.length;
    if (this.#keys.length < keys) this.#keys = new Uint32Array(size * stride);
    this.#chooser.drawInto(this.#keys, keys);
  }

  #hitOrMiss(chosen: number): number {
    if (this.#draws.next() < this.#hitBelow) return chosen;
    return this.#firstMiss + Math.floor(this.#draws.next() * this.#missScale);
  }
}

const minDrawn = 1024;
/** From this size, a call of the chooser costs little compared with its draws. */
const largeBatch = 64;

/** Commands with one key each, all of the same family, and nothing else to draw: the most common load, and the leanest. */
export class OneKeyWorkload implements Workload {
  readonly stride = 1;
  readonly #commands: CommandChooser;
  readonly #keys: KeyChooser;
  /** Keys drawn beforehand, and the next of them: a draw costs least in a large call. */
  #drawn = new Uint32Array(minDrawn);
  #next = minDrawn;

  constructor(commands: CommandChooser, keys: KeyChooser) {
    this.#commands = commands;
    this.#keys = keys;
  }

  fill(batch: Batch): void {
    this.#commands.choose(batch);
    const { numbers } = batch;
    // Drawing into the batch saves a copy. Not while drawn keys are left, or the keys would depend on the batches.
    if (numbers.length >= largeBatch && this.#next === this.#drawn.length) {
      this.#keys.drawInto(numbers, numbers.length);
      return;
    }
    if (this.#next + numbers.length > this.#drawn.length) this.#drawMore(numbers.length);
    const drawn = this.#drawn;
    let next = this.#next;
    for (let i = 0; i < numbers.length; i++) numbers[i] = drawn[next++] as number;
    this.#next = next;
  }

  /** Keys that are left come first, so that the keys do not depend on the sizes of batches. */
  #drawMore(wanted: number): void {
    const left = this.#drawn.subarray(this.#next);
    if (wanted > this.#drawn.length) this.#drawn = new Uint32Array(2 * wanted);
    this.#drawn.set(left);
    const drawn = this.#drawn.subarray(left.length);
    this.#keys.drawInto(drawn, drawn.length);
    this.#next = 0;
  }
}

export function openCommandChooser(
  { keyChoice }: WorkloadTask,
  { templates, commandSet: { order } }: CommandMix,
  seed: number,
): CommandChooser {
  // With keys in order too, a key could get the same command every time.
  if (order !== undefined && keyChoice.kind !== 'sequential') return new OrderedCommands(order, seed);
  return new DrawnCommands(
    templates.map(({ weight }) => weight),
    seed,
  );
}

/** Chooses the commands of batches. Which ones come does not depend on the sizes of batches. */
interface CommandChooser {
  choose(batch: Batch): void;
}

/** Commands drawn one by one, in proportion to their weights. */
class DrawnCommands implements CommandChooser {
  readonly #table: AliasTable;
  readonly #prng: Prng;
  #drawn = new Uint32Array(0);

  constructor(weights: readonly number[], seed: number) {
    this.#table = new AliasTable(weights);
    this.#prng = new Prng(seed);
  }

  choose(batch: Batch): void {
    const command = batch.ownCommands();
    const size = command.length;
    if (this.#drawn.length < size) this.#drawn = new Uint32Array(size);
    this.#prng.drawInto(this.#drawn, size);
    for (let i = 0; i < size; i++) command[i] = this.#table.pick(this.#drawn[i] as number);
  }
}

/** Commands in the order of their CommandSet: nothing is drawn, and nothing is copied. */
export class OrderedCommands implements CommandChooser {
  readonly #order: Uint16Array;
  #place: number;

  /** @param draw a number from 0 to 2³² − 1 that decides where to begin */
  constructor(order: Uint16Array, draw: number) {
    this.#order = order;
    this.#place = draw % order.length;
  }

  choose(batch: Batch): void {
    batch.follow(this.#order, this.#place);
    this.#place = (this.#place + batch.size) % this.#order.length;
  }
}
