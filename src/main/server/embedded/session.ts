import type { Database } from './database.ts';
import type { Reply } from './protocol.ts';

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
