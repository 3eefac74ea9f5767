/**
 * What names and arguments reveal about commands: which are never sent, where their keys are, whether they block, and
 * how the server counts them.
 */

/** A transaction as a config has it. */
export const exampleTransaction = '"MULTI; SET {key} {value}; INCR {key}; EXEC"';

/** The arguments of a request; undefined for each that is not the same in all operations. */
export type Texts = readonly (string | undefined)[];

/**
 * Refuses arguments with which a command could reach other programs' keys or connections.
 *
 * @param pieces what is constant in the arguments
 */
export function checkArguments(name: string, texts: Texts, pieces = texts): void {
  const has = (pattern: RegExp) => texts.some(text => text !== undefined && pattern.test(text));
  if (name === 'COPY' && has(/^db$/i)) throw new RangeError('a COPY within its database (no DB)');
  if (name.startsWith('SORT') && pieces.some(text => text?.includes('*')))
    throw new RangeError(
      `{key:*} as the pattern of ${name} (other patterns can read keys that are not poolbench's)`,
    );
  if (name === 'XREADGROUP' && (!/^group$/i.test(texts[0] ?? '') || texts[1] === undefined))
    throw new RangeError('XREADGROUP GROUP and the name of a group, which is made before the load');
}

/** Max time that a command waits for other clients, in milliseconds; undefined if it does not. */
export function blockingTime(name: string, texts: Texts): number | undefined {
  let place = blockingPlace.get(name)?.(texts.length);
  if (/^XREAD/.test(name)) {
    const beforeStreams = texts.slice(0, streamsPlace(name, texts));
    const block = beforeStreams.findIndex(text => /^block$/i.test(text ?? ''));
    if (block < 0) return undefined;
    place = block + 2;
  }
  if (place === undefined) return undefined;
  const text = texts[place - 1] ?? '';
  const isMs = /^(XREAD|WAIT)/.test(name);
  const form = isMs ? /^\d+$/ : /^\d+(\.\d+)?$/;
  const timeMs = form.test(text) ? Number(text) * (isMs ? 1 : 1000) : 0;
  if (timeMs > 0) return timeMs;
  const unit = isMs ? 'whole milliseconds' : 'seconds';
  throw new RangeError(
    `a constant time above 0 in ${unit} as argument ${place} of ${name} (with 0 it would wait forever)`,
  );
}

/** Place of the word STREAMS among the arguments, from 1. */
function streamsPlace(name: string, texts: Texts): number {
  // The names of a group and a consumer can be anything.
  const first = name === 'XREADGROUP' ? 3 : 0;
  const index = texts.findIndex((text, at) => at >= first && /^streams$/i.test(text ?? ''));
  if (index < 0) throw new RangeError(`STREAMS in ${name}, followed by keys and as many ids`);
  return index + 1;
}

/** The places at which a command must have keys, from 1. */
export function keyPlaces(name: string, texts: Texts): Set<number> {
  const range = (from: number, to: number, step = 1) =>
    Array.from(
      { length: Math.max(0, Math.floor((to - from) / step) + 1) },
      (_, index) => from + index * step,
    );
  if (/^XREAD/.test(name)) {
    const streams = streamsPlace(name, texts);
    const behind = texts.length - streams;
    if (behind === 0 || behind % 2 > 0) throw new RangeError(`as many ids as keys after STREAMS of ${name}`);
    return new Set(range(streams + 1, streams + behind / 2));
  }
  const { first, last, step } = placesOf.get(name) ?? firstArgument;
  const places =
    first === 0 ? [] : range(first, Math.max(last < 0 ? texts.length + 1 + last : last, first), step);
  const behindWord = keyBehind.get(name);
  if (behindWord !== undefined)
    for (const [index, text] of texts.entries()) if (behindWord.test(text ?? '')) places.push(index + 2);
  const countPlace = keyCountPlace.get(name);
  if (countPlace !== undefined) {
    const count = texts[countPlace - 1];
    if (count === undefined || !/^\d+$/.test(count))
      throw new RangeError(`the number of its keys as argument ${countPlace} of ${name}`);
    // More than there are arguments: the first that is missing is named.
    places.push(...range(countPlace + 1, Math.min(countPlace + Number(count), texts.length + 1)));
  }
  return new Set(places);
}

/** Commands that are sent separately if there are no templates: those of transactions and scripts. */
const sentAlone = new Set('MULTI EXEC DISCARD WATCH UNWATCH'.split(' '));

/** Why a command is never sent, as a clause; undefined if it may be. @param name in capitals */
export function reasonToRefuse(name: string, args: Texts): string | undefined {
  const isLookedUp = name === 'SCRIPT' && /^(load|exists)$/i.test(args[0] ?? '');
  return sentAlone.has(name) || isLookedUp ? undefined : reasonNotInLoad(name, args);
}

/** Why no load of templates has a command, as a clause; undefined if it may. @param name in capitals */
export function reasonNotInLoad(name: string, args: Texts): string | undefined {
  // A subcommand that changes nothing.
  return harmless.get(name)?.test(args[0] ?? '') === true ? undefined : refusedFor.get(name);
}

/**
 * Whether the only key of a command is its first argument, and no argument can be the reason to refuse it: what holds for
 * most commands, by their name alone.
 *
 * @param name in capitals
 */
export function hasOneKeyInFront(name: string): boolean {
  const isPlain = !placesOf.has(name) && !keyBehind.has(name) && !keyCountPlace.has(name);
  return isPlain && !refusedFor.has(name) && !/^(SORT|XREAD)/.test(name);
}

/**
 * The places of a command's keys among its arguments, from 1.
 *
 * @param name in capitals
 * @throws RangeError if its arguments reach further than its keys, or do not say where those are
 */
export function placesOfKeys(name: string, args: readonly string[]): ReadonlySet<number> {
  checkArguments(name, args);
  return keyPlaces(name, args);
}

/**
 * Commands that are never sent. A load sends a command thousands of times a second, to a server that may hold other
 * data.
 */
const refusals: readonly (readonly [reason: string, names: string])[] = [
  ["it removes what is not poolbench's", 'FLUSHALL FLUSHDB SWAPDB MIGRATE MOVE'],
  [
    'it changes or stops the server',
    'SHUTDOWN DEBUG CONFIG SCRIPT FUNCTION MODULE ACL CLUSTER FAILOVER REPLICAOF SLAVEOF SAVE BGSAVE BGREWRITEAOF LATENCY SLOWLOG SENTINEL',
  ],
  [
    'it changes the connection that other commands are sent on',
    'CLIENT AUTH HELLO SELECT QUIT RESET READONLY READWRITE ASKING',
  ],
  [
    `it is part of a transaction, which is one command: ${exampleTransaction}`,
    'MULTI EXEC DISCARD WATCH UNWATCH',
  ],
  [
    'it is not answered by one reply; workload.subscribers makes subscribers',
    'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE',
  ],
  ['it is not answered by one reply', 'UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF'],
  ['the larger the database, the longer it blocks the server', 'KEYS'],
  ['the places of its keys cannot be checked', 'COMMAND'],
];

/** Subcommands that change neither the server nor the connection, and have no keys. */
const harmless: ReadonlyMap<string, RegExp> = new Map([
  ['ACL', /^(whoami|cat)$/i],
  ['CLIENT', /^(id|info|list|getname)$/i],
  ['CLUSTER', /^(info|keyslot|myid|shards|slots)$/i],
  ['COMMAND', /^(count|docs|info)$/i],
  ['CONFIG', /^get$/i],
]);

const refusedFor = new Map(
  refusals.flatMap(([reason, names]) => names.split(' ').map(name => [name, reason] as const)),
);

/** Commands that run a script or a function. */
const scriptNames = 'EVAL EVAL_RO EVALSHA EVALSHA_RO FCALL FCALL_RO';
/** Commands all of whose keys are counted by their first argument, and by their second one. */
const countedByFirst = 'ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD LMPOP ZMPOP';
const countedBySecond = `BLMPOP BZMPOP ${scriptNames}`;
/** Commands with subcommands, followed by a key. */
const containerNames = 'OBJECT MEMORY XINFO XGROUP';

/** Commands with subcommands and without keys. */
const serverContainers = 'ACL CLIENT CLUSTER COMMAND CONFIG PUBSUB';

/** Places of a command's keys among its arguments, from 1, as in COMMAND INFO: a last one of -1 is the last argument, one of -2 that before it. */
const places: readonly (readonly [first: number, last: number, step: number, names: string])[] = [
  [0, 0, 0, 'PING ECHO TIME DBSIZE RANDOMKEY LASTSAVE INFO ROLE LOLWUT SCAN WAIT WAITAOF'],
  [0, 0, 0, 'MULTI EXEC DISCARD UNWATCH SCRIPT'],
  [0, 0, 0, serverContainers],
  [0, 0, 0, countedByFirst],
  [0, 0, 0, countedBySecond],
  [1, -2, 1, 'BLPOP BRPOP BZPOPMIN BZPOPMAX'],
  [1, -1, 1, 'MGET DEL UNLINK EXISTS TOUCH WATCH PFCOUNT PFMERGE SINTER SUNION SDIFF'],
  [1, -1, 1, 'SINTERSTORE SUNIONSTORE SDIFFSTORE'],
  [1, -1, 2, 'MSET MSETNX'],
  [1, 2, 1, 'RENAME RENAMENX RPOPLPUSH BRPOPLPUSH LMOVE BLMOVE COPY SMOVE LCS GEOSEARCHSTORE ZRANGESTORE'],
  [2, 2, 1, containerNames],
  [2, -1, 1, 'BITOP'],
];

/** Most commands have one key there. */
const firstArgument = { first: 1, last: 1, step: 1 };

const placesOf = new Map(
  places.flatMap(([first, last, step, names]) =>
    names.split(' ').map(name => [name, { first, last, step }] as const),
  ),
);

/** The place of the argument that says how many keys follow it; there can be other keys as well (ZUNIONSTORE). */
const keyCountPlace: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, countedByFirst],
      [2, `ZUNIONSTORE ZINTERSTORE ZDIFFSTORE ${countedBySecond}`],
    ] as const
  ).flatMap(([place, names]) => names.split(' ').map(name => [name, place] as const)),
);

/** The place of the time that a blocking command waits at most, from 1, by the number of its arguments. */
const blockingPlace: ReadonlyMap<string, (args: number) => number> = new Map([
  ...'BLPOP BRPOP BZPOPMIN BZPOPMAX BRPOPLPUSH BLMOVE WAIT WAITAOF'
    .split(' ')
    .map(name => [name, (args: number) => args] as const),
  ...['BLMPOP', 'BZMPOP'].map(name => [name, () => 1] as const),
]);

/** Words behind which a command takes one more key. */
const keyBehind: ReadonlyMap<string, RegExp> = new Map([
  ['SORT', /^store$/i],
  ['GEORADIUS', /^store(dist)?$/i],
  ['GEORADIUSBYMEMBER', /^store(dist)?$/i],
]);

export const scriptCommands: ReadonlySet<string> = new Set(scriptNames.split(' '));

/** Commands whose subcommands the server counts separately. */
const containers: ReadonlySet<string> = new Set(`${containerNames} ${serverContainers} SCRIPT`.split(' '));

/** The name of a command in the server's commandstats. @param name in capitals */
export function statNameOf(name: string, subcommand: string | undefined): string {
  return name.toLowerCase() + (containers.has(name) ? `|${subcommand?.toLowerCase()}` : '');
}
