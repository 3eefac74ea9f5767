import type { Database } from './database.ts';

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

/** A reply before it is encoded for the protocol version that a connection speaks. */
export type Reply =
  | string
  | number
  | null
  | Buffer
  | readonly Reply[]
  | { readonly status: string }
  | { readonly error: string }
  | { readonly map: readonly (readonly [string, Reply])[] };

export const ok: Reply = { status: 'OK' };

/** Appends the encoded reply to `out`. A string is a bulk string; a map is one in RESP3 and a flat array in RESP2. */
export function encodeReply(reply: Reply, protocol: 2 | 3, out: Buffer[]): void {
  if (reply === null) out.push(Buffer.from(protocol === 3 ? '_\r\n' : '$-1\r\n'));
  else if (typeof reply === 'number') out.push(Buffer.from(`:${reply}\r\n`));
  else if (typeof reply === 'string') encodeReply(Buffer.from(reply), protocol, out);
  else if (Buffer.isBuffer(reply)) out.push(Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from('\r\n'));
  else if ('status' in reply) out.push(Buffer.from(`+${reply.status}\r\n`));
  else if ('error' in reply) out.push(Buffer.from(`-${reply.error.replace(/[\r\n]+/g, ' ')}\r\n`));
  else if (isList(reply)) {
    out.push(Buffer.from(`*${reply.length}\r\n`));
    for (const item of reply) encodeReply(item, protocol, out);
  } else {
    const { map } = reply;
    out.push(Buffer.from(protocol === 3 ? `%${map.length}\r\n` : `*${map.length * 2}\r\n`));
    for (const [key, value] of map) {
      encodeReply(key, protocol, out);
      encodeReply(value, protocol, out);
    }
  }
}

/** Array.isArray does not narrow readonly arrays. */
function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply);
}
