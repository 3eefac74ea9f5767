/** Stands in a command's arguments for the key of each operation. */
export const KEY = Symbol('key');

/** One command of the workload; arguments are ASCII. */
export interface CommandTemplate {
  readonly name: string;
  readonly args: readonly (string | typeof KEY)[];
}

/** The commands a connection can be asked to send, made once so that clients can prepare them. */
export interface CommandSet {
  /** A key is this prefix and the key number in `keyDigits` decimal digits. */
  readonly keyPrefix: string;
  readonly commands: readonly CommandTemplate[];
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

/**
 * Commands that travel together: filled by a worker, sent by a connection, and reused for the next ones.
 * The connection counts the outcome of each command and then calls `done` once.
 */
export class Batch {
  /** Index of each command in the CommandSet, and its key number. The worker fills all of them before it sends. */
  readonly command: Uint8Array;
  readonly key: Uint32Array;
  /** Commands that the server answered without an error. */
  completed = 0;
  /** Null replies among the completed: reads that found nothing. */
  misses = 0;
  /** Commands that failed, by code; undefined while none did, because most batches have none. */
  failures: Map<string, number> | undefined = undefined;
  readonly done: () => void;

  constructor(size: number, done: () => void) {
    this.command = new Uint8Array(size);
    this.key = new Uint32Array(size);
    this.done = done;
  }

  get size(): number {
    return this.command.length;
  }

  get failed(): number {
    let sum = 0;
    if (this.failures !== undefined) for (const count of this.failures.values()) sum += count;
    return sum;
  }

  /** Forgets the last outcome. Connections call it when they send. */
  restart(): void {
    this.completed = 0;
    this.misses = 0;
    this.failures = undefined;
  }

  /** Key number of a command: that of its first key, which says where it belongs in a cluster. */
  keyOf(index: number): number {
    return this.key[index] as number;
  }

  /** Takes over one command of another batch of the same CommandSet. */
  copy(to: number, source: Batch, from: number): void {
    this.command[to] = source.command[from] as number;
    this.key[to] = source.key[from] as number;
  }

  /** The server answered the command at `index` with an error: its first word, and all of it. */
  refused(code: string, _message: string, _index: number): void {
    this.fail(code, 1);
  }

  fail(code: string, count: number): void {
    if (count === 0) return;
    this.failures ??= new Map();
    this.failures.set(code, (this.failures.get(code) ?? 0) + count);
  }
}
