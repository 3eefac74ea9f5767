import { type Argument, type CommandSet, type CommandTemplate, KEY } from '../../pool/client/batch.ts';
import type { WorkloadTask } from '../contract.ts';
import { shuffle, streamSeed } from '../prng.ts';
import { keysOf, parseCommand, type TemplatePart } from './command-templates.ts';
import { emptyIsMiss, familiesOf, nullIsMiss, readsPrefilledKeys } from './families.ts';
import { keyRanges } from './keys.ts';
import { valueTexts } from './values.ts';

/** A number drawn from `from` to `to`, a running count, or the number of the record that the command is for. */
export type NumberSource = { readonly from: number; readonly to: number } | 'counter' | 'record';

/** One template of a mix: a command with one of the values. */
export interface MixTemplate {
  readonly name: string;
  readonly weight: number;
  readonly keys: number;
  /** Key number 0 of its family. */
  readonly base: number;
  /** Whether the hit share decides about its keys. */
  readonly reads: boolean;
  readonly nullIsMiss: boolean;
  /** Whether it adds a record. */
  readonly inserts: boolean;
  /** Where its numbers behind those of its keys come from. */
  readonly otherNumbers: readonly NumberSource[];
}

/** The commands of a workload as connections send them, and what is drawn for each. */
export interface CommandMix {
  readonly commandSet: CommandSet;
  readonly templates: readonly MixTemplate[];
  /** Maximum of numbers that a command has; at least 1. */
  readonly stride: number;
}

/**
 * Makes a template for every command and, if it has a value, for every value: so the bytes of an operation are selected
 * and not built.
 *
 * @param seed that of the thread, which orders the commands
 * @param valueSeed the same seed gives the same values
 */
export function commandMix(
  workload: WorkloadTask,
  keyPrefix: string,
  seed: number,
  valueSeed = seed,
): CommandMix {
  const inOrder = keyRanges(workload).families;
  const families = familiesOf(workload.commands);
  const values = valueTexts(workload, valueSeed);
  const commands: CommandTemplate[] = [];
  const templates: MixTemplate[] = [];
  for (const [index, { command, weight, inserts = false }] of workload.commands.entries()) {
    const parsed = parseCommand(command);
    const { name, args } = parsed;
    const parts = args.flat();
    const keys = keysOf(parsed);
    const otherNumbers = parts.flatMap((part): NumberSource[] =>
      part.kind === 'number' ? [part] : part.kind === 'counter' || part.kind === 'record' ? [part.kind] : [],
    );
    const common = {
      name,
      keys,
      otherNumbers,
      base: inOrder.indexOf(families[index] ?? 'strings') * workload.keys,
      reads: readsPrefilledKeys(name),
      nullIsMiss: nullIsMiss(name),
      inserts,
    };
    const variants = parts.some(part => part.kind === 'value') ? values : [{ text: '', fraction: 1 }];
    for (const { text, fraction } of variants) {
      const place = { next: keys };
      commands.push({
        name,
        args: args.map(arg => argument(arg, text, place)),
        ...(emptyIsMiss(name) ? { emptyIsMiss: true } : {}),
      });
      templates.push({ ...common, weight: weight * fraction });
    }
  }
  const stride = Math.max(1, ...templates.map(({ keys, otherNumbers }) => keys + otherNumbers.length));
  const weights = templates.map(({ weight }) => weight);
  const order =
    workload.growth === null ? commandOrder(weights, streamSeed(seed, 'commandOrder')) : undefined;
  return { commandSet: { keyPrefix, commands, order }, templates, stride };
}

const maxOrder = 1000;

/**
 * An order of commands that can be repeated and in which each occurs exactly in proportion to its weight: indices of the
 * weights, shuffled. Undefined if it would be longer than `maxOrder`.
 */
export function commandOrder(weights: readonly number[], seed: number): Uint16Array | undefined {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const countsIn = (length: number) => weights.map(weight => (weight / sum) * length);
  const isWhole = (count: number, index: number) => {
    const whole = Math.round(count);
    // A weight above 0 must occur, however small it is.
    return Math.abs(count - whole) < 1e-9 * count || (whole === 0 && weights[index] === 0);
  };
  let minLength = 1;
  while (minLength <= maxOrder && !countsIn(minLength).every(isWhole)) minLength++;
  if (minLength > maxOrder) return undefined;
  const length = minLength * Math.floor(maxOrder / minLength);
  const commands = countsIn(length).flatMap((count, index) =>
    new Array<number>(Math.round(count)).fill(index),
  );
  return Uint16Array.from(shuffle(commands, seed));
}

function argument(parts: readonly TemplatePart[], value: string, place: { next: number }): Argument {
  if (parts[0]?.kind === 'key') return KEY;
  const joined: (string | number)[] = [];
  for (const part of parts) {
    if (part.kind === 'text' || part.kind === 'value') {
      const text = part.kind === 'text' ? part.text : value;
      const last = joined.at(-1);
      if (typeof last === 'string') joined[joined.length - 1] = last + text;
      else joined.push(text);
    } else joined.push(place.next++);
  }
  return joined.some(part => typeof part === 'number') ? joined : joined.join('');
}
