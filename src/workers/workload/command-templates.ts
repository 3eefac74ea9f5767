/** A part of an argument: text, or a placeholder that is filled for each operation. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'key' }
  | { readonly kind: 'value' }
  | { readonly kind: 'counter' }
  /** The number of the record that the command is for; only presets have it. */
  | { readonly kind: 'record' }
  | { readonly kind: 'number'; readonly from: number; readonly to: number };

/** A command of a config, parsed. */
export interface ParsedCommand {
  readonly name: string;
  /** Its name in the server's commandstats: `get`, `object|encoding`. */
  readonly statName: string;
  readonly args: readonly (readonly TemplatePart[])[];
}

const maxNumber = 2 ** 32 - 1;
const placeholder = /\{([^{}]*)\}/g;
const placeholders = '{key}, {value}, {counter} and {number:from-to}';

/**
 * Reads a command such as `SET {key} {value} EX {number:10-60}`: words between blanks, with placeholders in them.
 *
 * @throws RangeError whose message says what is expected
 */
export function parseCommand(text: string): ParsedCommand {
  const [word = '', ...rest] = text.trim().split(/\s+/);
  const name = word.toUpperCase();
  if (!/^[A-Z][A-Z0-9_.-]*$/.test(name))
    throw new RangeError('a command such as "SET {key} {value} EX {number:10-60}"');
  const refused = refusedFor.get(name);
  if (refused !== undefined) throw new RangeError(`no ${name} (${refused})`);
  const args = rest.map(parseArgument);
  checkKeys(name, args);
  if (name === 'COPY' && rest.some(word => /^db$/i.test(word)))
    throw new RangeError('a COPY within its database (no DB)');
  const subcommand = containers.has(name) ? `|${rest[0]?.toLowerCase()}` : '';
  return { name, statName: name.toLowerCase() + subcommand, args };
}

/** As {@link parseCommand}, for a command that a user has written: without the placeholder of presets. */
export function parseGivenCommand(text: string): ParsedCommand {
  const parsed = parseCommand(text);
  if (parsed.args.flat().some(({ kind }) => kind === 'record'))
    throw new RangeError(`placeholders ${placeholders}, no {record}`);
  return parsed;
}

/** The number of its keys. */
export function keysOf({ args }: ParsedCommand): number {
  return args.flat().filter(part => part.kind === 'key').length;
}

function parseArgument(word: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of word.matchAll(placeholder)) {
    if (match.index > end) parts.push(textPart(word.slice(end, match.index)));
    parts.push(parsePlaceholder(match[1] ?? ''));
    end = match.index + match[0].length;
  }
  if (end < word.length) parts.push(textPart(word.slice(end)));
  return parts;
}

function textPart(text: string): TemplatePart {
  if (/[{}]/.test(text)) throw new RangeError(`placeholders ${placeholders}`);
  return { kind: 'text', text };
}

function parsePlaceholder(inside: string): TemplatePart {
  if (inside === 'key' || inside === 'value' || inside === 'counter' || inside === 'record')
    return { kind: inside };
  const range = /^number:(\d+)-(\d+)$/.exec(inside);
  if (range === null) throw new RangeError(`placeholders ${placeholders}, no {${inside}}`);
  const [from, to] = [Number(range[1]), Number(range[2])];
  if (from > to || to > maxNumber)
    throw new RangeError(`a range of numbers from 0 to ${maxNumber}, the smaller one first, no {${inside}}`);
  return { kind: 'number', from, to };
}

/** Every key must be a placeholder: anything else would be a key of somebody else. */
function checkKeys(name: string, args: readonly (readonly TemplatePart[])[]): void {
  // Most commands have one key, as their first argument.
  const { first, last, step } = placesOf.get(name) ?? { first: 1, last: 1, step: 1 };
  const isKey = (parts: readonly TemplatePart[]) => parts.length === 1 && parts[0]?.kind === 'key';
  const end = last === -1 ? args.length : last;
  const expected = new Set<number>();
  if (first > 0) for (let place = first; place <= Math.max(end, first); place += step) expected.add(place);
  for (const place of expected) {
    const parts = args[place - 1];
    if (parts !== undefined && isKey(parts)) continue;
    throw new RangeError(`{key} as argument ${place} of ${name} (poolbench touches no keys but its own)`);
  }
  for (const [index, parts] of args.entries()) {
    if (expected.has(index + 1) || !parts.some(part => part.kind === 'key')) continue;
    const where = expected.size === 0 ? 'no {key}' : `{key} only where ${name} takes a key, alone`;
    throw new RangeError(`${where}, but argument ${index + 1} has one`);
  }
}

/**
 * Commands that are never sent. A load sends a command thousands of times a second, to a server that may hold the data of
 * others.
 */
const refusals: readonly (readonly [reason: string, names: string])[] = [
  ["it removes what is not poolbench's", 'FLUSHALL FLUSHDB SWAPDB MIGRATE MOVE'],
  [
    'it changes or stops the server',
    'SHUTDOWN DEBUG CONFIG SCRIPT FUNCTION MODULE ACL CLUSTER FAILOVER REPLICAOF SLAVEOF SAVE BGSAVE BGREWRITEAOF LATENCY SLOWLOG SENTINEL',
  ],
  [
    'it changes the connection that other commands are sent on',
    'CLIENT AUTH HELLO SELECT QUIT RESET MULTI EXEC DISCARD WATCH UNWATCH READONLY READWRITE ASKING',
  ],
  [
    'it is not answered by one reply',
    'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF',
  ],
  [
    'it blocks its connection until others do something',
    'BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF XREAD XREADGROUP',
  ],
  ['it holds up the server for as long as the database is large', 'KEYS'],
  ['its effects cannot be checked', 'EVAL EVAL_RO EVALSHA EVALSHA_RO FCALL FCALL_RO'],
  [
    'the places of its keys cannot be checked',
    'SORT GEORADIUS GEORADIUSBYMEMBER ZUNIONSTORE ZINTERSTORE ZDIFFSTORE ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD LMPOP ZMPOP LCS COMMAND',
  ],
];

const refusedFor = new Map(
  refusals.flatMap(([reason, names]) => names.split(' ').map(name => [name, reason] as const)),
);

/** Places of a command's keys among its arguments, from 1, as in COMMAND INFO: a last one of -1 is the last argument. */
const places: readonly (readonly [first: number, last: number, step: number, names: string])[] = [
  [0, 0, 0, 'PING ECHO TIME DBSIZE RANDOMKEY LASTSAVE INFO ROLE LOLWUT SCAN'],
  [1, -1, 1, 'MGET DEL UNLINK EXISTS TOUCH PFCOUNT PFMERGE SINTER SUNION SDIFF'],
  [1, -1, 1, 'SINTERSTORE SUNIONSTORE SDIFFSTORE'],
  [1, -1, 2, 'MSET MSETNX'],
  [1, 2, 1, 'RENAME RENAMENX RPOPLPUSH LMOVE COPY SMOVE GEOSEARCHSTORE ZRANGESTORE'],
  [2, 2, 1, 'OBJECT MEMORY XINFO XGROUP'],
  [2, -1, 1, 'BITOP'],
];

const placesOf = new Map(
  places.flatMap(([first, last, step, names]) =>
    names.split(' ').map(name => [name, { first, last, step }] as const),
  ),
);

/** Commands whose subcommands the server counts separately. */
const containers: ReadonlySet<string> = new Set(['OBJECT', 'MEMORY', 'XINFO', 'XGROUP']);
