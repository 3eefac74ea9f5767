import { Batch, type BatchOwner } from '../../pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../contract.ts';
import { mixSeed, Prng } from '../prng.ts';
import type { CommandMix, MixTemplate, SpelledNumber } from './command-mix.ts';
import { keyRanges, openKeyChooser } from './keys.ts';
import { IndexedRecords, LatestRecords, type Records } from './records.ts';
import { AliasTable, Draws, type KeyChooser } from './samplers.ts';

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

/** A batch to be filled by a workload, which hears of its outcome before the owner does. */
export function batchFor(workload: Workload, size: number, owner: BatchOwner): Batch {
  if (workload.settle === undefined) return new Batch(size, owner, workload.stride);
  const settlesFirst: BatchOwner = {
    done: batch => {
      workload.settle?.(batch);
      owner.done(batch);
    },
  };
  return new Batch(size, settlesFirst, workload.stride);
}

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

const minDrawn = 1024;
/** From here on what a call of the chooser takes is nothing beside its draws. */
const largeBatch = 64;

/** Commands that have one key each, all of the same keys, and nothing else to draw: what is asked most often, and so the leanest. */
export class OneKeyWorkload implements Workload {
  readonly stride = 1;
  readonly #commands: CommandChooser;
  readonly #keys: KeyChooser;
  /** Keys drawn beforehand, and the next of them: many at a time cost the least. */
  #drawn = new Uint32Array(minDrawn);
  #next = minDrawn;

  constructor(commands: CommandChooser, keys: KeyChooser) {
    this.#commands = commands;
    this.#keys = keys;
  }

  fill(batch: Batch): void {
    this.#commands.choose(batch);
    const { numbers } = batch;
    // To draw them here saves the copy. Behind what is left, or the order of keys would depend on the batches.
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

  /** What is left comes first: how operations are put into batches makes no difference to them. */
  #drawMore(wanted: number): void {
    const left = this.#drawn.subarray(this.#next);
    if (wanted > this.#drawn.length) this.#drawn = new Uint32Array(2 * wanted);
    this.#drawn.set(left);
    const drawn = this.#drawn.subarray(left.length);
    this.#keys.drawInto(drawn, drawn.length);
    this.#next = 0;
  }
}

/**
 * Reads or scans records, and adds some. Of a record that is inserted again the value is the same as before: so its
 * number decides which value it has.
 */
export class GrowingWorkload implements Workload {
  readonly stride: number;
  readonly #records: Records;
  readonly #templates: readonly MixTemplate[];
  /** Indices of the commands that do not insert, and of those that do: one for each value. */
  readonly #chosen: Choice;
  readonly #added: Choice;
  /** A draw below this is an insert. */
  readonly #addBelow: number;
  readonly #draws: Draws;

  constructor({ templates, stride }: CommandMix, records: Records, seed: number) {
    this.stride = stride;
    this.#records = records;
    this.#templates = templates;
    this.#chosen = new Choice(templates, false);
    this.#added = new Choice(templates, true);
    this.#addBelow = (this.#added.weight / (this.#added.weight + this.#chosen.weight)) * 2 ** 32;
    this.#draws = new Draws(mixSeed(seed, 1));
  }

  fill(batch: Batch): void {
    const { numbers, stride } = batch;
    const command = batch.ownCommands();
    for (let i = 0; i < command.length; i++) {
      const adds = this.#draws.next() < this.#addBelow;
      const record = adds ? this.#records.add() : this.#records.choose();
      const index = adds ? this.#added.pick(mixSeed(record)) : this.#chosen.pick(this.#draws.next());
      const { base, spelled } = this.#templates[index] as MixTemplate;
      command[i] = index;
      let at = i * stride;
      // Records that are members are all of one key, the first one.
      numbers[at++] = spelled.includes('record') ? base : record;
      for (let k = 0; k < spelled.length; k++) {
        const number = spelled[k];
        numbers[at++] = typeof number === 'object' ? this.#between(number.from, number.to) : record;
      }
    }
  }

  settle(batch: Batch): void {
    for (let i = 0; i < batch.size; i++) {
      const template = this.#templates[batch.commandAt(i)] as MixTemplate;
      if (template.inserts) this.#records.settle(batch.keyOf(i));
    }
  }

  get inserted(): number {
    return this.#records.added;
  }

  #between(from: number, to: number): number {
    return from + Math.floor((this.#draws.next() / 2 ** 32) * (to - from + 1));
  }
}

/** Draws by weight among the templates that insert, or among the others. */
class Choice {
  readonly weight: number;
  readonly #indices: readonly number[];
  readonly #table: AliasTable;

  constructor(templates: readonly MixTemplate[], inserts: boolean) {
    this.#indices = [...templates.keys()].filter(index => templates[index]?.inserts === inserts);
    const weights = this.#indices.map(index => templates[index]?.weight ?? 0);
    this.weight = weights.reduce((sum, weight) => sum + weight, 0);
    this.#table = new AliasTable(weights);
  }

  pick(draw: number): number {
    return this.#indices[this.#table.pick(draw)] as number;
  }
}

/** Chooses the commands of batches. How commands are put into batches makes no difference to them. */
export interface CommandChooser {
  choose(batch: Batch): void;
}

/** Commands drawn one by one, in proportion to their weights. */
export class DrawnCommands implements CommandChooser {
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

/** Commands as they come in the order of their CommandSet: nothing is drawn, and nothing copied. */
export class OrderedCommands implements CommandChooser {
  readonly #order: Uint16Array;
  #place: number;

  /** @param draw a number from 0 to 2³² − 1 that says where to begin */
  constructor(order: Uint16Array, draw: number) {
    this.#order = order;
    this.#place = draw % order.length;
  }

  choose(batch: Batch): void {
    batch.follow(this.#order, this.#place);
    this.#place = (this.#place + batch.size) % this.#order.length;
  }
}
