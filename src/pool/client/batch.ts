/** Placeholder for a key in a command's arguments: the first one for the operation's first number, and so on. */
export const KEY = Symbol('key');

/** Placeholder for a key that occurred before in the operation, by its index among the operation's numbers. */
export interface SameKey {
  readonly sameKey: number;
}

/**
 * An argument: constant text or bytes, a key, or parts of text with numbers between them. A number in the list is an index
 * into the numbers of the operation, of which those of the keys come first; the number found there is written in decimal.
 */
export type Argument = string | Buffer | typeof KEY | SameKey | readonly (string | number)[];

/** One request: what the server answers with one reply. */
export interface TemplateRequest {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** One command of the workload. */
export interface CommandTemplate extends TemplateRequest {
  /**
   * Requests that are sent right after it, such as those of a transaction. The command has failed if any reply is an
   * error, or the last one has an error in it; it is a miss if the last reply is one.
   */
  readonly followedBy?: readonly TemplateRequest[];
  /**
   * The consumer group for which the entries of the reply are acknowledged. The command completes when that is
   * answered.
   */
  readonly acknowledges?: string;
  /** Whether a replica can answer it. */
  readonly readsOnly?: boolean;
  /** Whether an empty aggregate, or 0, means that the server has no such key. A null always counts as a miss. */
  readonly emptyIsMiss?: boolean;
}

/** All requests of a command, in the order in which they are sent. */
export function requestsOfCommand(command: CommandTemplate): readonly TemplateRequest[] {
  return command.followedBy === undefined ? [command] : [command, ...command.followedBy];
}

/** The commands that a connection can send. They are made once, so that clients can prepare them. */
export interface CommandSet {
  /** A key is this prefix and the key number in `keyDigits` decimal digits. */
  readonly keyPrefix: string;
  readonly commands: readonly CommandTemplate[];
  /** The order in which commands are repeated, if it is fixed, so that clients can prepare whole batches. */
  readonly order?: Uint16Array | undefined;
}

/** All keys have the same width, so that a request can be patched in place. 8 digits allow 10^8 keys. */
export const keyDigits = 8;

/** Name of a key. */
export function keyName(prefix: string, number: number): string {
  return prefix + String(number).padStart(keyDigits, '0');
}

/** Name of the connections that send these commands (CLIENT LIST): the key prefix, which differs between runs. */
export function connectionName({ keyPrefix }: Pick<CommandSet, 'keyPrefix'>): string {
  return keyPrefix.replace(/:$/, '');
}

/** Whether a value is 0, or an aggregate without elements. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === 0;
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map || value instanceof Set) return value.size === 0;
  // A map of RESP3. A value of a user is a string.
  for (const _ in value) return false;
  return true;
}

/** Who fills a batch and has it sent. */
export interface BatchOwner {
  /** Called once the outcome of every command is counted. */
  done(batch: Batch): void;
}

/**
 * Commands that are sent together. A worker fills the batch, a connection sends it, counts the outcome of each command and
 * calls `done` once. Then the batch is used again.
 */
export class Batch {
  readonly size: number;
  /** The batch's own commands, and those in use: its own, or those of an order from `#first` on. */
  readonly #own: Uint16Array;
  #commands: Uint16Array;
  #first = 0;
  #follows = false;
  /** `stride` numbers for each command: those of its keys, then those that are written in decimal. */
  readonly numbers: Uint32Array;
  readonly stride: number;
  /** Commands that the server answered without an error. */
  completed = 0;
  /** Replies among the completed that are misses: null, or empty if the command's template says that this is one. */
  misses = 0;
  /** Commands that failed, by code; undefined without any, as in most batches. */
  failures: Map<string, number> | undefined = undefined;
  readonly #owner: BatchOwner;
  /**
   * Which commands found nothing, and the code of each failure. Created on demand, because most batches never need it.
   */
  #missed: Uint8Array | undefined;
  #anyMissed = false;
  #failedAs: (string | undefined)[] | undefined;

  /** @param stride maximum of numbers that a command of the set has */
  constructor(size: number, owner: BatchOwner, stride = 1) {
    this.size = size;
    this.#own = new Uint16Array(size);
    this.#commands = this.#own;
    this.numbers = new Uint32Array(size * stride);
    this.stride = stride;
    this.#owner = owner;
  }

  get failed(): number {
    let sum = 0;
    if (this.failures !== undefined) for (const count of this.failures.values()) sum += count;
    return sum;
  }

  /** Notifies the owner that the outcome of every command is counted. */
  done(): void {
    this.#owner.done(this);
  }

  /** Selects the batch's own commands, indices in the CommandSet, to be filled together with their numbers. */
  ownCommands(): Uint16Array {
    this.#commands = this.#own;
    this.#first = 0;
    this.#follows = false;
    return this.#own;
  }

  /** Selects the commands of the CommandSet's order from `place` on. Nothing is copied. */
  follow(order: Uint16Array, place: number): void {
    this.#commands = order;
    this.#first = place;
    this.#follows = true;
  }

  /** The place of the first command in the CommandSet's order; undefined if the commands are the batch's own. */
  get place(): number | undefined {
    return this.#follows ? this.#first : undefined;
  }

  /** Index in the CommandSet of the command at `index`. */
  commandAt(index: number): number {
    const commands = this.#commands;
    const at = this.#first + index;
    return commands[at < commands.length ? at : at % commands.length] as number;
  }

  /** Forgets the last outcome. Connections call it when they send. */
  restart(): void {
    this.completed = 0;
    this.misses = 0;
    this.failures = undefined;
    this.#failedAs = undefined;
    if (this.#anyMissed) this.#missed?.fill(0);
    this.#anyMissed = false;
  }

  /** Number of a command's first key, which decides on its node in a cluster. */
  keyOf(index: number): number {
    return this.numbers[index * this.stride] as number;
  }

  /** Takes over one command of another batch of the same CommandSet. */
  copy(to: number, source: Batch, from: number): void {
    const { stride } = this;
    this.#own[to] = source.commandAt(from);
    for (let i = 0; i < stride; i++)
      this.numbers[to * stride + i] = source.numbers[from * stride + i] as number;
  }

  /** The server answered the command at `index` with `value`. For clients that build values. */
  answered(value: unknown, index: number, { commands }: CommandSet): void {
    this.completed++;
    if (value !== null && !(isEmpty(value) && commands[this.commandAt(index)]?.emptyIsMiss === true)) return;
    this.misses++;
    this.missedAt(index);
  }

  /** Notes that the reply to the command at `index` was a miss. It does not count: `misses` does. */
  missedAt(index: number): void {
    this.#missed ??= new Uint8Array(this.size);
    this.#missed[index] = 1;
    this.#anyMissed = true;
  }

  /** Whether the reply to the command at `index` was a miss. */
  hasMissed(index: number): boolean {
    return this.#anyMissed && this.#missed?.[index] === 1;
  }

  /** The code with which the command at `index` failed; undefined if it did not. */
  failedAs(index: number): string | undefined {
    return this.#failedAs?.[index];
  }

  /** The server answered the command at `index` with an error, whose first word is `code`. */
  refused(code: string, _message: string, index: number): void {
    this.fail(code, 1, index);
  }

  /** `count` commands failed from the one at `first` on. By default the last ones that have not failed yet. */
  fail(code: string, count: number, first = this.size - this.failed - count): void {
    if (count === 0) return;
    this.failures ??= new Map();
    this.failures.set(code, (this.failures.get(code) ?? 0) + count);
    this.#failedAs ??= [];
    for (let index = first; index < first + count; index++) this.#failedAs[index] = code;
  }
}
