/** Stands in a command's arguments for a key of each operation: the first one for its first number, and so on. */
export const KEY = Symbol('key');

/**
 * An argument: text that is always the same, a key, or text with numbers in it. There a number is the place, among the
 * numbers of each command, of the one that is spelled out. Those of the keys come first.
 */
export type Argument = string | typeof KEY | readonly (string | number)[];

/** One command of the workload. */
export interface CommandTemplate {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** The commands a connection can be asked to send, made once so that clients can prepare them. */
export interface CommandSet {
  /** A key is this prefix and the key number in `keyDigits` decimal digits. */
  readonly keyPrefix: string;
  readonly commands: readonly CommandTemplate[];
  /** The order in which commands come, over and over, where that is settled beforehand: so requests can be, too. */
  readonly order?: Uint16Array | undefined;
}

/** Every key has the same width, so that a request can be patched in place. 8 digits allow 10^8 keys. */
export const keyDigits = 8;

/** Name of a key. */
export function keyName(prefix: string, number: number): string {
  return prefix + String(number).padStart(keyDigits, '0');
}

/** Name of the connections that send these commands (CLIENT LIST): the key prefix, which tells runs apart. */
export function connectionName({ keyPrefix }: Pick<CommandSet, 'keyPrefix'>): string {
  return keyPrefix.replace(/:$/, '');
}

/** Who fills a batch and has it sent. */
export interface BatchOwner {
  /** The outcome of all its commands is known. */
  done(batch: Batch): void;
}

/**
 * Commands that travel together: filled by a worker, sent by a connection, and reused for the next ones.
 * The connection counts the outcome of each command and then calls `done` once.
 */
export class Batch {
  readonly size: number;
  /** Its own commands, and those that it has: its own, or those of an order from some place on. */
  readonly #own: Uint16Array;
  #commands: Uint16Array;
  #first = 0;
  #follows = false;
  /** `stride` numbers for each command: its key numbers, then those that are spelled out. */
  readonly numbers: Uint32Array;
  readonly stride: number;
  /** Commands that the server answered without an error. */
  completed = 0;
  /** Null replies among the completed: reads that found nothing. */
  misses = 0;
  /** Commands that failed, by code; undefined while none did, because most batches have none. */
  failures: Map<string, number> | undefined = undefined;
  readonly #owner: BatchOwner;
  /** Which commands found nothing, and why which ones failed: made when first needed, as most batches never do. */
  #missed: Uint8Array | undefined;
  #anyMissed = false;
  #failedAs: (string | undefined)[] | undefined;

  /** `stride` is the most numbers that a command of the set has. */
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

  /** Called once the outcome of each command is counted. */
  done(): void {
    this.#owner.done(this);
  }

  /** Indices in the CommandSet for commands of its own: the worker fills all of them, and their numbers, before it sends. */
  ownCommands(): Uint16Array {
    this.#commands = this.#own;
    this.#first = 0;
    this.#follows = false;
    return this.#own;
  }

  /** Takes its commands from the order of the CommandSet instead, from `place` on. Nothing is copied. */
  follow(order: Uint16Array, place: number): void {
    this.#commands = order;
    this.#first = place;
    this.#follows = true;
  }

  /** Where its commands stand in the order of the CommandSet, one after the other; undefined where they are its own. */
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

  /** Key number of a command: that of its first key, which says where it belongs in a cluster. */
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

  /** The reply to the command at `index` was null. Says which one it was; `misses` says how many. */
  missedAt(index: number): void {
    this.#missed ??= new Uint8Array(this.size);
    this.#missed[index] = 1;
    this.#anyMissed = true;
  }

  /** Whether the command at `index` was answered with null. */
  hasMissed(index: number): boolean {
    return this.#anyMissed && this.#missed?.[index] === 1;
  }

  /** The code with which the command at `index` failed; undefined if it did not. */
  failedAs(index: number): string | undefined {
    return this.#failedAs?.[index];
  }

  /** The server answered the command at `index` with an error: its first word, and all of it. */
  refused(code: string, _message: string, index: number): void {
    this.fail(code, 1, index);
  }

  /** `count` commands failed from the one at `first` on; where nobody knows which, the last ones that have not yet. */
  fail(code: string, count: number, first = this.size - this.failed - count): void {
    if (count === 0) return;
    this.failures ??= new Map();
    this.failures.set(code, (this.failures.get(code) ?? 0) + count);
    this.#failedAs ??= [];
    for (let index = first; index < first + count; index++) this.#failedAs[index] = code;
  }
}
