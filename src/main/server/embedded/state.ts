import type { Reply } from './protocol.ts';

interface Entry {
  readonly value: Buffer;
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAt: number | undefined;
  /** Grows with each new key, so that a SCAN continues where it stopped, whatever was deleted in the meantime. */
  readonly serial: number;
}

/** One numbered database: keys are byte strings (kept as latin1), values are bytes. Expired keys go when looked at. */
export class Database {
  readonly #entries = new Map<string, Entry>();
  #serial = 0;

  get(key: Buffer): Buffer | null {
    return this.#live(key)?.value ?? null;
  }

  has(key: Buffer): boolean {
    return this.#live(key) !== undefined;
  }

  /** Keeps a copy of the value: what a connection passes is a view of its read buffer. */
  set(key: Buffer, value: Buffer, expiresAt?: number): void {
    const name = key.toString('latin1');
    const serial = this.#entries.get(name)?.serial ?? ++this.#serial;
    this.#entries.set(name, { value: Buffer.from(value), expiresAt, serial });
  }

  /** Sets the value and leaves the expiry as it is. */
  replace(key: Buffer, value: Buffer): void {
    this.set(key, value, this.#live(key)?.expiresAt);
  }

  delete(key: Buffer): boolean {
    return this.has(key) && this.#entries.delete(key.toString('latin1'));
  }

  /** Sets the expiry; false when there is no such key. */
  expire(key: Buffer, expiresAt: number): boolean {
    const entry = this.#live(key);
    if (entry !== undefined) this.set(key, entry.value, expiresAt);
    return entry !== undefined;
  }

  /** Up to `count` keys after the cursor `after` (0: from the start), and the cursor to go on with (0: that was all). */
  scan(after: number, count: number): { cursor: number; keys: Buffer[] } {
    const keys: Buffer[] = [];
    let cursor = after;
    for (const [name, { serial }] of this.#entries) {
      if (serial <= cursor) continue;
      if (keys.length === count) return { cursor, keys };
      cursor = serial;
      const key = Buffer.from(name, 'latin1');
      if (this.has(key)) keys.push(key);
    }
    return { cursor: 0, keys };
  }

  get size(): number {
    return this.#entries.size;
  }

  #live(key: Buffer): Entry | undefined {
    const name = key.toString('latin1');
    const entry = this.#entries.get(name);
    if (entry?.expiresAt === undefined || entry.expiresAt > Date.now()) return entry;
    this.#entries.delete(name);
    return undefined;
  }
}

/** What the server knows of one client connection. */
export interface Session {
  readonly id: number;
  readonly address: string;
  name: string;
  protocol: 2 | 3;
  database: number;
  /** Set by QUIT: the connection is closed when the replies have been written. */
  closing: boolean;
}

/** What all connections share. */
export interface ServerState {
  readonly databases: readonly Database[];
  readonly sessions: Map<number, Session>;
  /** Calls by lower-case command name. */
  readonly calls: Map<string, number>;
  readonly maxClients: number;
  readonly startedAt: number;
  readonly version: string;
  port: number;
}

export interface Call {
  readonly state: ServerState;
  readonly session: Session;
  readonly database: Database;
  /** Without the command's name. */
  readonly args: readonly Buffer[];
}

export interface Command {
  /** Minimum and maximum of arguments after the name. */
  readonly arity: readonly [min: number, max: number];
  readonly run: (call: Call) => Reply;
}

export const syntaxError: Reply = { error: 'ERR syntax error' };
export const notAnInteger: Reply = { error: 'ERR value is not an integer or out of range' };

/** The argument at `index` as text; the arity of a command is checked before it runs. */
export function text({ args }: Call, index: number): string {
  return args[index]?.toString('latin1') ?? '';
}

/** A decimal integer as Redis takes it, within what a double holds exactly; undefined for anything else. */
export function integer(value: string): number | undefined {
  const number = /^-?(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A glob pattern of SCAN or CONFIG GET: `*`, `?`, `[a-z]`, `[^a]` and `\` before a literal character. */
export function globPattern(glob: string, flags = 's'): RegExp {
  const source = glob.replace(/\\(.)|\[(\^?)([^\]]+)\]|[*?]|[^\w*?]/gs, (found, literal, not, set) => {
    if (found === '*') return '.*';
    if (found === '?') return '.';
    if (set !== undefined) return `[${not}${String(set).replace(/[\\[\]^]/g, '\\$&')}]`;
    return String(literal ?? found).replace(/[^\w\s]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, flags);
}
