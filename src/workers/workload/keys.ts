import type { KeyChoice, KeyRange, WorkloadTask } from '../contract.ts';
import { Prng } from '../prng.ts';
import { type Family, familiesInUse, familyRow, typeName } from './families.ts';
import { Draws, gaussianStrips, type KeyChooser, StripSampler, zipfianStrips } from './samplers.ts';

/** The keys of one family. */
interface FamilyKeys extends KeyRange {
  readonly family: Family;
  /** Elements of each key that has any. */
  readonly members: number;
  /** How they are chosen, if their number or choice differs from the workload's: then every pool draws from all of them. */
  readonly ownChoice: KeyChoice | undefined;
}

/** Which key numbers of a run are for what. */
interface KeyRanges {
  /** Families of keys that the commands use, one after the other. */
  readonly families: readonly FamilyKeys[];
  /** Number of keys that the prefill writes, from 0 on: those of all families that poolbench can write. */
  readonly prefilled: number;
  /** The first key that the load inserts. It inserts at most as many as the workload has. */
  readonly inserted: number;
  /** All keys that the prefill or the load can write are below this number. */
  readonly written: number;
  /** End of the keys from `written` on that are never written, for reads that must find nothing. */
  readonly all: number;
}

export function keyRanges(
  task: Pick<WorkloadTask, 'keys' | 'members' | 'keyChoice' | 'types' | 'commands' | 'hitShare' | 'growth'>,
): KeyRanges {
  const { keys, hitShare, growth } = task;
  let inserted = 0;
  let prefilled = 0;
  const families = familiesInUse(task.commands).map((family): FamilyKeys => {
    const own = task.types?.[typeName(family)];
    const range = { firstKey: inserted, keys: keysOfFamily(task, family) };
    inserted += range.keys;
    // The families that poolbench cannot write are the last ones.
    if (familyRow(family).write !== undefined) prefilled = inserted;
    return {
      family,
      ...range,
      members: own?.members ?? task.members,
      ownChoice: own?.keyChoice ?? (own?.keys === undefined ? undefined : task.keyChoice),
    };
  });
  const written = growth === 'index' ? 1 : inserted + (growth === 'latest' ? keys : 0);
  return {
    families,
    prefilled,
    inserted,
    written,
    all: written + (hitShare < 1 ? keys : 0),
  };
}

/** Number of keys of a family. */
export function keysOfFamily({ keys, types }: Pick<WorkloadTask, 'keys' | 'types'>, family: Family): number {
  return types?.[typeName(family)]?.keys ?? keys;
}

/** Maximum of records at one time: inserts can double those that were there before the load. */
export function maxRecords({ keys, growth }: Pick<WorkloadTask, 'keys' | 'growth'>): number {
  return growth === null ? keys : 2 * keys;
}

/** Part `index` of `parts` of a range: together they are all of it, without overlap. */
export function partOf({ firstKey, keys }: KeyRange, index: number, parts: number): KeyRange {
  const from = Math.floor((index * keys) / parts);
  const to = Math.floor(((index + 1) * keys) / parts);
  return { firstKey: firstKey + from, keys: to - from };
}

/**
 * @param own keys of the pool that draws, or of the worker if keys are partitioned
 * @param keys number of keys of all pools together. If some keys are hotter than others, every pool draws from all of
 *   them: otherwise the distribution would depend on the number of pools.
 */
export function openKeyChooser(choice: KeyChoice, own: KeyRange, keys: number, seed: number): KeyChooser {
  switch (choice.kind) {
    case 'uniform':
    case 'partitioned':
      return new UniformKeys(own, seed);
    case 'sequential':
      return new SequentialKeys(own);
    case 'hotSet':
      return new HotSetKeys(keys, choice, seed);
    case 'zipfian':
      return new StripSampler(zipfianStrips(keys, choice.exponent), seed);
    case 'gaussian':
      return new StripSampler(gaussianStrips(keys, choice.spread), seed);
  }
}

/** Every key of the range with the same probability. */
class UniformKeys implements KeyChooser {
  readonly #prng: Prng;
  readonly #range: KeyRange;

  constructor(range: KeyRange, seed: number) {
    this.#prng = new Prng(seed);
    this.#range = range;
  }

  drawInto(keys: Uint32Array, count: number): void {
    this.#prng.drawRange(keys, count, this.#range.firstKey, this.#range.keys);
  }
}

/** One key after the other; the first follows the last. */
class SequentialKeys implements KeyChooser {
  readonly #range: KeyRange;
  #next = 0;

  constructor(range: KeyRange) {
    this.#range = range;
  }

  drawInto(keys: Uint32Array, count: number): void {
    const { firstKey, keys: size } = this.#range;
    for (let i = 0; i < count; i++) {
      keys[i] = firstKey + this.#next;
      this.#next = this.#next + 1 === size ? 0 : this.#next + 1;
    }
  }
}

/** A fraction of the operations is for a fraction of the keys, the first ones, the rest for the others; both uniformly. */
class HotSetKeys implements KeyChooser {
  readonly #draws: Draws;
  readonly #hot: number;
  readonly #cold: number;
  /** A draw below this selects a hot key. */
  readonly #hotBelow: number;

  constructor(
    keys: number,
    { operationShare, keyShare }: { readonly operationShare: number; readonly keyShare: number },
    seed: number,
  ) {
    this.#draws = new Draws(seed);
    this.#hot = Math.min(keys, Math.max(1, Math.round(keys * keyShare)));
    this.#cold = keys - this.#hot;
    this.#hotBelow = this.#cold === 0 ? 2 ** 32 : operationShare * 2 ** 32;
  }

  drawInto(keys: Uint32Array, count: number): void {
    const draws = this.#draws;
    const hotScale = this.#hot / 2 ** 32;
    const coldScale = this.#cold / 2 ** 32;
    for (let i = 0; i < count; i++) {
      keys[i] =
        draws.next() < this.#hotBelow
          ? Math.floor(draws.next() * hotScale)
          : this.#hot + Math.floor(draws.next() * coldScale);
    }
  }
}
