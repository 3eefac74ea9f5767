import { Batch, type BatchOwner } from '../../pool/client/batch.ts';
import type { KeyRange, WorkloadTask } from '../contract.ts';
import { Prng, streamSeed } from '../prng.ts';
import type { CommandMix, MixTemplate, NumberSource } from './command-mix.ts';
import { keyRanges, openKeyChooser } from './keys.ts';
import { IndexedRecords, LatestRecords, type Records } from './records.ts';
import { operationsOn, readReplay } from './replay.ts';
import type { Replay } from './replay-file.ts';
import { AliasTable, Draws, type KeyChooser, KeyDraws } from './samplers.ts';

/** The workload of a pool's workers. Seeded; filling batches makes no garbage. */
export interface Workload {
  /** Numbers of each command: the stride that batches must be made with. */
  readonly stride: number;
  /**
   * Chooses the commands of the batch and their numbers. Which ones come does not depend on the sizes of batches.
   *
   * @param arrival number of the batch among the arrivals of its pool, from 0; absent in a closed loop
   */
  fill(batch: Batch, arrival?: number): void;
  /** Makes a batch of another kind, whose operations are no commands of a set. */
  newBatch?(owner: BatchOwner): Batch;
  /** Takes note of a batch whose outcome is known; undefined if that makes no difference. */
  settle?(batch: Batch): void;
  /** Records inserted so far; undefined if the workload inserts none. */
  readonly inserted?: number;
}

/** A batch that the workload fills. The workload takes note of the outcome before the owner does. */
export function batchFor(workload: Workload, size: number, owner: BatchOwner): Batch {
  if (workload.newBatch !== undefined) return workload.newBatch(owner);
  if (workload.settle === undefined) return new Batch(size, owner, workload.stride);
  const settlesFirst: BatchOwner = {
    done: batch => {
      workload.settle?.(batch);
      owner.done(batch);
    },
  };
  return new Batch(size, settlesFirst, workload.stride);
}

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

function openCommandChooser(
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

function openRecords(task: WorkloadTask, own: KeyRange, seed: number): Records {
  const { keys, keyChoice, growth } = task;
  const exponent = keyChoice.kind === 'zipfian' ? keyChoice.exponent : 0;
  if (growth === 'index') return new IndexedRecords(own, keys, exponent, seed);
  const { inserted } = keyRanges(task);
  return new LatestRecords(own, inserted + own.firstKey, exponent, seed);
}

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
class MixedWorkload implements Workload {
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

/**
 * The operations of a recording in their order, repeated. A pool has the operations whose first key is among its keys, so the
 * operations on a key keep their order; a pool without such operations has all. Numbers other than those of keys are drawn.
 */
class ReplayWorkload implements Workload {
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

/** The numbers of commands other than those of their keys. */
class OtherNumbers {
  readonly #draws: Draws;
  #counter = 0;

  constructor(draws: Draws) {
    this.#draws = draws;
  }

  take(source: NumberSource): number {
    // Only growing workloads have records, so a string means the counter.
    if (typeof source === 'string') {
      const count = this.#counter;
      this.#counter = (count + 1) % 2 ** 32;
      return count;
    }
    return this.#draws.between(source);
  }
}

const minDrawn = 1024;
/** From this size, a call of the chooser costs little compared with its draws. */
const largeBatch = 64;

/** Commands with one key each, all of the same family, and nothing else to draw: the most common load, and the leanest. */
class OneKeyWorkload implements Workload {
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

/**
 * Reads or scans records, and adds some. A record's number decides its value, so one that is inserted again has the same
 * value as before.
 */
class GrowingWorkload implements Workload {
  readonly stride: number;
  readonly #records: Records;
  readonly #templates: readonly MixTemplate[];
  /** The templates that do not insert, and those that do: one for each value. */
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
    this.#draws = new Draws(streamSeed(seed, 'inserts'));
  }

  fill(batch: Batch): void {
    const { numbers, stride } = batch;
    const command = batch.ownCommands();
    for (let i = 0; i < command.length; i++) {
      const adds = this.#draws.next() < this.#addBelow;
      const record = adds ? this.#records.add() : this.#records.choose();
      const index = adds
        ? this.#added.pick(streamSeed(record, 'valueOfRecord'))
        : this.#chosen.pick(this.#draws.next());
      const { bases, otherNumbers } = this.#templates[index] as MixTemplate;
      command[i] = index;
      let at = i * stride;
      // Records that are members all belong to one key, the first one.
      numbers[at++] = otherNumbers.includes('record') ? (bases[0] as number) : record;
      for (let k = 0; k < otherNumbers.length; k++) {
        const source = otherNumbers[k];
        numbers[at++] = typeof source === 'object' ? this.#draws.between(source) : record;
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
