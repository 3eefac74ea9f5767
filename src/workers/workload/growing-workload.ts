import type { Batch } from '../../pool/client/batch.ts';
import { streamSeed } from '../prng.ts';
import type { CommandMix, MixTemplate } from './command-mix.ts';
import type { Records } from './records.ts';
import { AliasTable, Draws } from './samplers.ts';
import type { Workload } from './workload.ts';

/**
 * Reads or scans records, and adds some. A record's number decides its value, so one that is inserted again has the same
 * value as before.
 */
export class GrowingWorkload implements Workload {
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
