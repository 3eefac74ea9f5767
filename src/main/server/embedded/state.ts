import type { Reply } from './protocol.ts';

interface Entry {
  value: Buffer;
  /** Milliseconds since the epoch; undefined: never. */
  expiresAt: number | undefined;
  /** Grows with each new key, so that a SCAN goes on where it stopped whatever was deleted meanwhile. */
  readonly serial: number;
}

/** One numbered database: keys are byte strings (kept as latin1), values are bytes. Expired keys go when looked at. */
export class Database {
  readonly #entries = new Map<string, Entry>();
  #serial = 0;

  get(key: Buffer): Buffer | null {
    return this.#live(key.toString('latin1'))?.value ?? null;
  }

  has(key: Buffer): boolean {
    return this.#live(key.toString('latin1')) !== undefined;
  }

  /** Keeps a copy of the value: what a connection hands in is a view of its read buffer. */
  set(key: Buffer, value: Buffer, expiresAt?: number): void {
    const name = key.toString('latin1');
    const kept = this.#entries.get(name);
    if (kept === undefined) {
      this.#serial += 1;
      this.#entries.set(name, { value: Buffer.from(value), expiresAt, serial: this.#serial });
    } else {
      kept.value = Buffer.from(value);
      kept.expiresAt = expiresAt;
    }
  }

  /** Sets the value and leaves the expiry as it is. */
  replace(key: Buffer, value: Buffer): void {
    this.set(key, value, this.#live(key.toString('latin1'))?.expiresAt);
  }

  delete(key: Buffer): boolean {
    const name = key.toString('latin1');
    const lived = this.#live(name) !== undefined;
    this.#entries.delete(name);
    return lived;
  }

  /** Sets the expiry; false when there is no such key. */
  expire(key: Buffer, expiresAt: number): boolean {
    const entry = this.#live(key.toString('latin1'));
    if (entry !== undefined) entry.expiresAt = expiresAt;
    return entry !== undefined;
  }

  /** Up to `count` keys after the cursor `after` (0: from the start), and the cursor to go on with (0: that was all). */
  scan(after: number, count: number): { cursor: number; keys: Buffer[] } {
    const keys: Buffer[] = [];
    let cursor = after;
    for (const [name, entry] of this.#entries) {
      if (entry.serial <= cursor) continue;
      if (keys.length === count) return { cursor, keys };
      cursor = entry.serial;
      if (this.#live(name) !== undefined) keys.push(Buffer.from(name, 'latin1'));
    }
    return { cursor: 0, keys };
  }

  get size(): number {
    return this.#entries.size;
  }

  #live(name: string): Entry | undefined {
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
  authenticated: boolean;
  database: number;
  /** Set by QUIT: the connection is closed when the replies have been written. */
  closing: boolean;
}

/** What all connections share. */
export interface ServerState {
  readonly databases: readonly Database[];
  readonly sessions: Map<number, Session>;
  /** Calls by lower-case command name, as INFO commandstats tells them. */
  readonly calls: Map<string, number>;
  readonly password: string | undefined;
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
  /** Fewest and most arguments after the name. */
  readonly arity: readonly [number, number];
  readonly run: (call: Call) => Reply;
}

export const syntaxError: Reply = { error: 'ERR syntax error' };
export const notAnInteger: Reply = { error: 'ERR value is not an integer or out of range' };

/** The argument at `index` as text; commands have their arity checked before they run. */
export function text(call: Pick<Call, 'args'>, index: number): string {
  return call.args[index]?.toString('latin1') ?? '';
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
