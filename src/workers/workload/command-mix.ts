import {
  type Argument,
  type CommandSet,
  type CommandTemplate,
  KEY,
  type TemplateRequest,
} from '../../pool/client/batch.ts';
import type { WorkloadTask } from '../contract.ts';
import { shuffle, streamSeed } from '../prng.ts';
import { isPublish, type ParsedRequest, parseCommand, type TemplatePart } from './command-templates.ts';
import {
  emptyIsMiss,
  type Family,
  nullIsMiss,
  type RequestOfMix,
  readsPrefilledKeys,
  replicaCanAnswer,
  requestsOf,
} from './families.ts';
import { keyRanges } from './keys.ts';
import type { Draws } from './samplers.ts';
import { valueTexts } from './values.ts';

/** A number drawn from `from` to `to`, a running count, or the number of the record that the command is for. */
export type NumberSource = { readonly from: number; readonly to: number } | 'counter' | 'record';

/** The numbers of commands other than those of their keys. */
export class OtherNumbers {
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

/** One template of a mix: a command with one of the values. */
export interface MixTemplate {
  readonly name: string;
  readonly weight: number;
  /** For each of its keys: key number 0 of the key's family. */
  readonly bases: readonly number[];
  /** For each of its keys: the family's index among those in use. */
  readonly families: readonly number[];
  /** Whether the hit share decides about its keys. */
  readonly reads: boolean;
  readonly nullIsMiss: boolean;
  /** Whether null means that a transaction was not executed, because a key that it watched had changed. */
  readonly nullIsAbort: boolean;
  /** Whether it adds a record. */
  readonly inserts: boolean;
  /** Whether its message begins with the instant of the send, which is the first number after that of its key. */
  readonly publishes: boolean;
  /** Where its numbers behind those of its keys come from. */
  readonly otherNumbers: readonly NumberSource[];
}

/** The commands of a workload as connections send them, and what is drawn for each. */
export interface CommandMix {
  readonly commandSet: CommandSet;
  readonly templates: readonly MixTemplate[];
  /** For each command of the workload the index of its first template, and the number of all at the end. */
  readonly firstTemplates: readonly number[];
  /** Maximum of numbers that a command has; at least 1. */
  readonly stride: number;
  /** The beginning of messages whose deliveries are timed. It differs between threads. */
  readonly messageTag: string;
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
  const indexOf = (wanted: Family) => inOrder.findIndex(({ family }) => family === wanted);
  const requests = requestsOf(workload.commands);
  const values = valueTexts(workload, valueSeed);
  const commands: CommandTemplate[] = [];
  const templates: MixTemplate[] = [];
  const messageTag = `${seed.toString(36)} `;
  const firstTemplates = [0];
  for (const [index, { command, weight, inserts = false }] of workload.commands.entries()) {
    const { name, acknowledges } = parseCommand(command);
    const publishes = workload.subscribers !== undefined && isPublish(name);
    const own = requests
      .filter(request => request.command === index)
      .map(one => (publishes ? { ...one, request: withInstant(one.request, messageTag) } : one));
    const parts = own.flatMap(({ request }) => request.args.flat());
    const keys = keysIn(own);
    const families = keys.map(({ family }) => indexOf(family));
    const otherNumbers = parts.flatMap((part): NumberSource[] =>
      part.kind === 'number' ? [part] : part.kind === 'counter' || part.kind === 'record' ? [part.kind] : [],
    );
    const common = {
      name,
      otherNumbers,
      bases: families.map(index => inOrder[index]?.firstKey ?? 0),
      families,
      reads: readsPrefilledKeys(name),
      nullIsMiss: nullIsMiss(name),
      nullIsAbort: own.length > 1,
      inserts,
      publishes,
    };
    const variants = parts.some(part => part.kind === 'value') ? values : [{ text: '', fraction: 1 }];
    for (const { text, fraction } of variants) {
      const place = { nextKey: 0, next: keys.length };
      const [first, ...followedBy] = own.map(({ request }) => ({
        name: request.name,
        args: request.args.map(arg => argument(arg, { value: text, keyPrefix }, place, keys)),
      }));
      commands.push({
        ...(first as TemplateRequest),
        ...(followedBy.length > 0 ? { followedBy } : {}),
        ...(acknowledges === undefined ? {} : { acknowledges }),
        ...(replicaCanAnswer(name) ? { readsOnly: true } : {}),
        ...(emptyIsMiss(name) ? { emptyIsMiss: true } : {}),
      });
      templates.push({ ...common, weight: weight * fraction });
    }
    firstTemplates.push(templates.length);
  }
  const stride = Math.max(
    1,
    ...templates.map(({ bases, otherNumbers }) => bases.length + otherNumbers.length),
  );
  const weights = templates.map(({ weight }) => weight);
  const order =
    workload.growth === null ? commandOrder(weights, streamSeed(seed, 'commandOrder')) : undefined;
  return { commandSet: { keyPrefix, commands, order }, templates, firstTemplates, stride, messageTag };
}

/** For each command of a mix the families of its different keys, in the order in which these first occur. */
export function familiesOfKeys(commands: readonly { readonly command: string }[]): Family[][] {
  const requests = requestsOf(commands);
  return commands.map((_, index) =>
    keysIn(requests.filter(({ command }) => command === index)).map(({ family }) => family),
  );
}

/** The message, with room for an instant at its beginning. */
function withInstant(request: ParsedRequest, tag: string): ParsedRequest {
  const [channel = [], message = []] = request.args;
  const instant = { kind: 'number', from: 0, to: 0 } as const;
  const text = (text: string) => ({ kind: 'text', text }) as const;
  return { ...request, args: [channel, [text(tag), instant, text(' '), ...message]] };
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

/** A key of an operation. */
interface KeyOfMix {
  readonly label: string | undefined;
  readonly family: Family;
}

/**
 * The different keys of an operation, in the order in which they first occur. A labelled key is of the family of the first
 * request that has it and that is for one family only.
 */
function keysIn(requests: readonly RequestOfMix[]): KeyOfMix[] {
  const all = requests.flatMap(({ request, family, isOwn }) =>
    request.args.flat().flatMap(part => (part.kind === 'key' ? { label: part.label, family, isOwn } : [])),
  );
  const seen = new Set<string>();
  return all.flatMap(({ label, family }) => {
    if (label === undefined) return { label, family };
    if (seen.has(label)) return [];
    seen.add(label);
    return { label, family: all.find(key => key.label === label && key.isOwn)?.family ?? family };
  });
}

/** @param place where the next key that has not occurred before is among the numbers, and the next other number */
function argument(
  parts: readonly TemplatePart[],
  { value, keyPrefix }: { readonly value: string; readonly keyPrefix: string },
  place: { nextKey: number; next: number },
  keys: readonly KeyOfMix[],
): Argument {
  const [first] = parts;
  if (first?.kind === 'bytes') return first.bytes;
  if (first?.kind === 'key') {
    const labelled = keys.findIndex(({ label }) => label !== undefined && label === first.label);
    if (labelled >= 0 && labelled < place.nextKey) return { sameKey: labelled };
    place.nextKey++;
    return KEY;
  }
  const joined: (string | number)[] = [];
  for (const part of parts) {
    if (part.kind === 'text' || part.kind === 'value' || part.kind === 'keyOfElement') {
      // The server replaces the asterisk with each element.
      const text = part.kind === 'text' ? part.text : part.kind === 'value' ? value : `${keyPrefix}*`;
      const last = joined.at(-1);
      if (typeof last === 'string') joined[joined.length - 1] = last + text;
      else joined.push(text);
    } else joined.push(place.next++);
  }
  return joined.some(part => typeof part === 'number') ? joined : joined.join('');
}
