/**
 * What poolbench must know of a command before it sends it thousands of times a second to a server that may hold the
 * data of others: where its keys stand, which of its own keys it is for, and whether it may be sent at all.
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
  ['nobody can tell what it does', 'EVAL EVAL_RO EVALSHA EVALSHA_RO FCALL FCALL_RO'],
  [
    'poolbench cannot tell where its keys stand',
    'SORT GEORADIUS GEORADIUSBYMEMBER ZUNIONSTORE ZINTERSTORE ZDIFFSTORE ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD LMPOP ZMPOP LCS COMMAND',
  ],
];

const refusedFor = new Map(
  refusals.flatMap(([reason, names]) => names.split(' ').map(name => [name, reason] as const)),
);

/** Why a command is not sent; undefined if it may be. */
export function whyRefused(name: string): string | undefined {
  return refusedFor.get(name);
}

/** Places of a command's keys among its arguments, from 1, as COMMAND INFO has them: a last one of -1 is the last argument. */
export interface KeyPlaces {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

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

/** Most commands have one key, and first. */
export function keyPlaces(name: string): KeyPlaces {
  return placesOf.get(name) ?? { first: 1, last: 1, step: 1 };
}

/** Commands of which the server counts each subcommand apart. */
export const containers: ReadonlySet<string> = new Set(['OBJECT', 'MEMORY', 'XINFO', 'XGROUP']);

/** A key holds a value of one type, so commands on values of another one have keys of their own. */
export const families = [
  'strings',
  'counters',
  'hashes',
  'lists',
  'sets',
  'sorted sets',
  'streams',
  'hyperloglogs',
] as const;

export type Family = (typeof families)[number];

const familyPatterns: readonly (readonly [Family, RegExp])[] = [
  ['counters', /^(INCR|DECR)/],
  ['hashes', /^H/],
  ['lists', /^(L(PUSHX?|POP|RANGE|LEN|INDEX|SET|TRIM|INSERT|REM|POS|MOVE)|RPUSHX?|RPOP|RPOPLPUSH)$/],
  ['sets', /^S(ADD|REM|ISMEMBER|MISMEMBER|CARD|MEMBERS|RANDMEMBER|POP|MOVE|SCAN|INTER|UNION|DIFF)/],
  ['sorted sets', /^(Z|GEO)/],
  ['streams', /^X/],
  ['hyperloglogs', /^PF/],
];

/** Whose keys a command is for. Commands on keys of any type are for those that the prefill writes: strings. */
export function familyOf(name: string): Family {
  return familyPatterns.find(([, pattern]) => pattern.test(name))?.[0] ?? 'strings';
}

const readsOfStrings = new Set(
  'GET MGET STRLEN GETRANGE SUBSTR GETBIT BITCOUNT BITPOS EXISTS TTL PTTL EXPIRETIME TYPE DUMP OBJECT'.split(
    ' ',
  ),
);

/** Whether it only reads keys of the prefill: then a hit share decides which. */
export function readsPrefilledKeys(name: string): boolean {
  return readsOfStrings.has(name);
}

const nullIfMissing = new Set(
  'GET GETEX GETDEL HGET LINDEX LPOP RPOP SPOP SRANDMEMBER ZSCORE ZRANK ZREVRANK DUMP'.split(' '),
);

/** Whether null is its answer where there is no such key, field or member, and nothing else. */
export function tellsMisses(name: string): boolean {
  return nullIfMissing.has(name);
}
