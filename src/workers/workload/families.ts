import { keyName } from '../../pool/client/batch.ts';
import { scriptCommands } from './command-rules.ts';
import { callsOf, constantText, keysOf, type ParsedRequest, parseCommand } from './command-templates.ts';

/** A command and its arguments, as the prefill sends it. */
type WriteRequest = readonly [string, ...(string | number)[]];

/** One element of a key that is written before the load. */
export interface Element {
  readonly index: number;
  /** A field or member that the mix names; undefined: the family chooses one. */
  readonly name: string | undefined;
  readonly value: string;
}

/** One family of keys: everything that is known about it. */
interface FamilyRow {
  /** Its commands by name. Undefined: all that belong to no other family. */
  readonly commands: RegExp | undefined;
  /** The commands that write elements of a key. Undefined: poolbench cannot write such keys. */
  readonly write: ((key: string, elements: readonly Element[]) => WriteRequest[]) | undefined;
  /** Whether a key has `members` elements, which may be written in several requests. Otherwise it has one. */
  readonly hasMembers: boolean;
  /**
   * Commands that name fields or members, with the place of the first name among the arguments after the key, from 0,
   * and the distance to the next; a distance of 0 means that there is no other one.
   */
  readonly names?: readonly (readonly [commands: string, first: number, step: number])[];
}

const member = ({ index, name, value }: Element) => name ?? `${index}:${value}`;

/**
 * The families, in the order of their key numbers. A key holds a value of one type, so commands on values of different
 * types are for different keys. A new family is a row.
 */
const rows = {
  strings: {
    commands: undefined,
    write: (key, [element]) => [['SET', key, element?.value ?? '']],
    hasMembers: false,
  },
  counters: { commands: /^(INCR|DECR)/, write: key => [['SET', key, 0]], hasMembers: false },
  hashes: {
    commands: /^H/,
    write: (key, elements) => [
      ['HSET', key, ...elements.flatMap(({ index, name, value }) => [name ?? `f${index}`, value])],
    ],
    hasMembers: true,
    names: [
      ['HSET HMSET HSETNX', 0, 2],
      ['HGET HEXISTS HSTRLEN HINCRBY HINCRBYFLOAT', 0, 0],
      ['HMGET', 0, 1],
    ],
  },
  lists: {
    commands:
      /^(BL(POP|MOVE|MPOP)|BRPOP|BRPOPLPUSH|L(PUSHX?|POP|MPOP|RANGE|LEN|INDEX|SET|TRIM|INSERT|REM|POS|MOVE)|RPUSHX?|RPOP|RPOPLPUSH)$/,
    write: (key, elements) => [['RPUSH', key, ...elements.map(({ value }) => value)]],
    hasMembers: true,
  },
  sets: {
    commands: /^S(ADD|REM|ISMEMBER|MISMEMBER|CARD|MEMBERS|RANDMEMBER|POP|MOVE|SCAN|INTER|UNION|DIFF)/,
    write: (key, elements) => [['SADD', key, ...elements.map(member)]],
    hasMembers: true,
    names: [
      ['SADD SMISMEMBER', 0, 1],
      ['SISMEMBER', 0, 0],
    ],
  },
  'sorted sets': {
    commands: /^(Z|BZ|GEO)/,
    write: (key, elements) => [
      ['ZADD', key, ...elements.flatMap(element => [element.index, member(element)])],
    ],
    hasMembers: true,
    names: [
      ['ZADD', 1, 2],
      ['ZSCORE ZRANK ZREVRANK', 0, 0],
      ['ZINCRBY', 1, 0],
      ['ZMSCORE GEOPOS GEOHASH GEODIST', 0, 1],
    ],
  },
  streams: {
    commands: /^X/,
    // Below every id that the server makes.
    write: (key, elements) =>
      elements.map(({ index, value }) => ['XADD', key, `0-${index + 1}`, 'field', value]),
    hasMembers: true,
  },
  hyperloglogs: {
    commands: /^PF/,
    write: (key, elements) => [['PFADD', key, ...elements.map(member)]],
    hasMembers: true,
  },
  documents: {
    commands: /^JSON\./,
    write: (key, [element]) => [['JSON.SET', key, '$', JSON.stringify({ field: element?.value ?? '' })]],
    hasMembers: false,
  },
  // What a script makes of its keys is not known here.
  'keys of a script': { commands: /^$/, write: undefined, hasMembers: false },
  // Other modules: the contents of their keys are not known here. They come last, after all keys that are written.
  'keys of modules': {
    commands: /^([A-Z]+\.|V(ADD|REM|SIM|DIM|CARD|EMB|LINKS|INFO|SETATTR|GETATTR|RANDMEMBER|ISMEMBER|RANGE)$)/,
    write: undefined,
    hasMembers: false,
  },
} as const satisfies Readonly<Record<string, FamilyRow>>;

export type Family = keyof typeof rows;

const families = Object.keys(rows) as readonly Family[];

/** The name of a family in a config: "sortedSets". */
export function typeName(family: Family): string {
  return family.replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The types whose keys poolbench can write. */
export const typeNames: readonly string[] = families
  .filter(family => familyRow(family).write !== undefined)
  .map(typeName);

/** The row of a family. */
export function familyRow(family: Family): FamilyRow {
  return rows[family];
}

/** Commands on keys of any type. */
const onAnyType = new Set(
  'WATCH DEL UNLINK EXISTS TOUCH TYPE DUMP RESTORE OBJECT MEMORY RENAME RENAMENX COPY PERSIST TTL PTTL EXPIRE PEXPIRE EXPIREAT PEXPIREAT EXPIRETIME PEXPIRETIME'.split(
    ' ',
  ),
);

/** Types of which SORT sorts the elements. */
const sortable: ReadonlySet<Family | undefined> = new Set(['lists', 'sets', 'sorted sets'] as const);

function ownFamily(name: string): Family | undefined {
  if (onAnyType.has(name) || scriptCommands.has(name)) return undefined;
  return families.find(family => familyRow(family).commands?.test(name)) ?? 'strings';
}

/** That of the first command which a script calls, as far as its text is known. */
function familyOfRequest(request: ParsedRequest): Family | undefined {
  // A command without keys has no family.
  if (keysOf({ requests: [request] }) === 0) return undefined;
  const { name, script } = request;
  if (script === undefined) return ownFamily(name);
  return callsOf(script).flatMap(call => (call === undefined ? [] : (ownFamily(call) ?? [])))[0];
}

/** A request that the commands of a mix send. */
export interface RequestOfMix {
  readonly request: ParsedRequest;
  /** Of its keys. */
  readonly family: Family;
  /** Whether the request is for keys of that family only; otherwise it takes the nearest. */
  readonly isOwn: boolean;
  /** The command's index in the mix. */
  readonly command: number;
}

/**
 * The requests of a mix, with the family of each. A request on keys of any type (EXPIRE, DEL, TTL, FCALL …) is for the
 * keys of the nearest one before it that has its own family; without one, of the first one after it; otherwise for
 * strings. SORT is for lists, unless the nearest are sets or sorted sets.
 */
export function requestsOf(commands: readonly { readonly command: string }[]): RequestOfMix[] {
  const requests = commands.flatMap(({ command: text }, command) =>
    parseCommand(text).requests.map(request => ({
      request,
      command,
      own: request.name.startsWith('SORT') ? undefined : familyOfRequest(request),
    })),
  );
  const isSort = ({ request }: (typeof requests)[number]) => request.name.startsWith('SORT');
  const first = requests.find(({ own }) => own !== undefined)?.own;
  let near = first ?? (requests.some(isSort) ? 'lists' : 'strings');
  return requests.map(one => {
    near = one.own ?? near;
    const family = isSort(one) && !sortable.has(near) ? 'lists' : near;
    return { request: one.request, command: one.command, family, isOwn: one.own !== undefined };
  });
}

/** The family of each request of a mix. */
export function familiesOf(commands: readonly { readonly command: string }[]): Family[] {
  return requestsOf(commands).map(({ family }) => family);
}

/** The families that the commands use, in the order of their key numbers. Without commands, that of a script. */
export function familiesInUse(commands: readonly { readonly command: string }[]): Family[] {
  if (commands.length === 0) return ['keys of a script'];
  const used = new Set(familiesOf(commands));
  if (commands.some(({ command }) => parseCommand(command).requests.some(readsKeysOfElements)))
    used.add(familyOfElements);
  return families.filter(family => used.has(family));
}

/**
 * Commands that only read, by how their answer says that there is no such key: by null; by null, an empty aggregate or
 * 0; or in no way that a client can see without building values, or only some of the time.
 */
const reads = new Map(
  (
    [
      ['null', 'GET HGET LINDEX ZSCORE ZRANK ZREVRANK DUMP JSON.GET'],
      [
        'empty',
        'EXISTS HGETALL HKEYS HVALS HLEN HRANDFIELD LRANGE LLEN SMEMBERS SCARD SRANDMEMBER ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANGEBYLEX ZREVRANGEBYLEX ZCARD ZRANDMEMBER XRANGE XREVRANGE XLEN PFCOUNT',
      ],
      [
        'unseen',
        'MGET STRLEN GETRANGE SUBSTR GETBIT BITCOUNT BITPOS TTL PTTL EXPIRETIME PEXPIRETIME TYPE OBJECT MEMORY HMGET HEXISTS HSTRLEN HSCAN LPOS SISMEMBER SMISMEMBER SSCAN SINTER SUNION SDIFF ZCOUNT ZLEXCOUNT ZMSCORE ZSCAN GEODIST GEOPOS GEOHASH GEOSEARCH XINFO XREAD SORT_RO LCS ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD EVAL_RO EVALSHA_RO FCALL_RO JSON.MGET JSON.TYPE',
      ],
    ] as const
  ).flatMap(([answer, names]) => names.split(' ').map(name => [name, answer] as const)),
);

/** Whether it only reads keys that the prefill writes: then the hit share decides which keys it is for. */
export function readsPrefilledKeys(name: string): boolean {
  return reads.has(name);
}

/**
 * Whether a replica can answer it, because it only reads. Excludes commands that run a script, because scripts are loaded on
 * primaries only, and PFCOUNT, which can write its count into the key.
 */
export function replicaCanAnswer(name: string): boolean {
  return reads.has(name) && !scriptCommands.has(name) && name !== 'PFCOUNT';
}

/** Commands that take what they read. */
const takesOrNull = new Set('GETEX GETDEL LPOP RPOP SPOP BLPOP BRPOP BZPOPMIN BZPOPMAX'.split(' '));

/** Whether its null means that there is no such key, field or member, and nothing else. */
export function nullIsMiss(name: string): boolean {
  return takesOrNull.has(name) || reads.get(name) === 'null' || emptyIsMiss(name);
}

/** Whether an empty aggregate, or 0, means that there is no such key. */
export function emptyIsMiss(name: string): boolean {
  return reads.get(name) === 'empty';
}

/** The constant arguments of a request after its first key; undefined where something is filled in. */
function constantArgs({ args }: ParsedRequest): (string | undefined)[] {
  const first = args.findIndex(parts => parts[0]?.kind === 'key');
  return args.slice(first + 1).map(constantText);
}

/** The names of fields or members in a request: undefined where one is filled in. Null if it names none. */
function namesIn({ family, request }: RequestOfMix): (string | undefined)[] | null {
  const place = familyRow(family).names?.find(([commands]) => commands.split(' ').includes(request.name));
  if (place === undefined) return null;
  const [, first, step] = place;
  return constantArgs(request).filter((_, index) =>
    step === 0 ? index === first : index >= first && (index - first) % step === 0,
  );
}

/** The fields or members that commands of the mix name, which every key of the family has from the start. */
export function namedElements(commands: readonly { readonly command: string }[], family: Family): string[] {
  const names = requestsOf(commands).flatMap(one => (one.family === family ? (namesIn(one) ?? []) : []));
  return [...new Set(names.filter(name => name !== undefined))];
}

/** The family of the keys that elements name. Their values are numbers, by which SORT can sort. */
export const familyOfElements = 'counters' satisfies Family;

function readsKeysOfElements({ args }: ParsedRequest): boolean {
  return args.flat().some(({ kind }) => kind === 'keyOfElement');
}

/**
 * Returns the text of an element that must be a number, by index and name; undefined if any text will do. HINCRBY needs a
 * number in the field that it names. SORT without ALPHA or BY sorts numbers. With `{key:*}` each element is a key's number.
 *
 * @param counters the keys of the counters
 */
export function elementNumbers(
  commands: readonly { readonly command: string }[],
  family: Family,
  counters: { readonly firstKey: number; readonly keys: number },
): (index: number, name: string | undefined) => string | undefined {
  const own = requestsOf(commands).filter(one => one.family === family);
  const sorts = own.filter(({ request }) => request.name.startsWith('SORT')).map(({ request }) => request);
  const counted = new Set(
    own.flatMap(one => (/^HINCRBY/.test(one.request.name) ? (namesIn(one) ?? []) : [])),
  );
  if (sorts.some(readsKeysOfElements))
    return index => keyName('', counters.firstKey + (index % counters.keys));
  const areSorted = sorts.some(
    ({ args }) => !args.some(word => /^(alpha|by)$/i.test(constantText(word) ?? '')),
  );
  return (index, name) => {
    if (areSorted) return String((index * elementStep) % maxElement);
    return name !== undefined && counted.has(name) ? '0' : undefined;
  };
}

/** Two primes, so that the numbers of elements are unordered and distinct. */
const elementStep = 7919;
const maxElement = 1_000_003;

/** The place of a consumer group's name among a request's arguments, from 0. XGROUP CREATE makes its group itself. */
const groupPlace: readonly (readonly [place: number, beginning: RegExp])[] = [
  [1, /^(XREADGROUP|XACK|XPENDING|XCLAIM|XAUTOCLAIM) /],
  [2, /^(XGROUP (CREATECONSUMER|DELCONSUMER|SETID|DESTROY)|XINFO CONSUMERS) /],
];

/** The consumer groups that commands of the mix name, which every stream has from the start. */
export function namedGroups(commands: readonly { readonly command: string }[]): string[] {
  const groups = requestsOf(commands).flatMap(({ request: { name, args } }) => {
    const beginning = `${name} ${constantText(args[0])?.toUpperCase()} `;
    const place = groupPlace.find(([, pattern]) => pattern.test(beginning))?.[0];
    return place === undefined ? [] : (constantText(args[place]) ?? []);
  });
  return [...new Set(groups)];
}

/** Commands that leave a key's type, size and time to live as the prefill has made them. */
const overwriting = new Set(
  'MSET GETSET SETNX MSETNX INCR DECR INCRBY DECRBY INCRBYFLOAT LSET PERSIST TOUCH PFADD PFMERGE XPENDING'.split(
    ' ',
  ),
);
/** The same, as long as they write fields or members that the keys have. */
const overwritingNamed = new Set('HSET HMSET HSETNX HINCRBY HINCRBYFLOAT SADD ZADD ZINCRBY'.split(' '));

/** The names of the commands that change keys, elements or times to live; a script is assumed to. */
export function changingCommands(commands: readonly { readonly command: string }[]): string[] {
  if (commands.length === 0) return ['its script'];
  const changing = requestsOf(commands).flatMap(one => {
    const { request } = one;
    const { name, script } = request;
    if (keysOf({ requests: [request] }) === 0 || name === 'WATCH') return [];
    if (reads.has(name) || overwriting.has(name)) return [];
    // A script is known by what it calls, if its text says that.
    if (script !== undefined && callsOf(script).every(call => call !== undefined && reads.has(call)))
      return [];
    const words = constantArgs(request).map(arg => arg?.toUpperCase());
    if (name === 'SET' && !words.some(word => /^(EX|PX|EXAT|PXAT)$/.test(word ?? ''))) return [];
    if (/^(SORT|GEORADIUS)/.test(name) && !words.some(word => /^STORE(DIST)?$/.test(word ?? ''))) return [];
    const names = overwritingNamed.has(name) ? namesIn(one) : null;
    return names?.every(one => one !== undefined) ? [] : [name];
  });
  return [...new Set(changing)];
}

/**
 * The names of the reads whose hits can be predicted: their reply shows whether the key exists, and all arguments
 * except the key are constant. In a workload whose records grow, all reads.
 */
export function foreseeableReads(
  commands: readonly { readonly command: string }[],
  { growth, hitShare }: { readonly growth: unknown; readonly hitShare: number },
): ReadonlySet<string> {
  const foreseeable = new Set<string>();
  const others = new Set<string>();
  for (const { command } of commands) {
    const parsed = parseCommand(command);
    const answer = reads.get(parsed.name);
    const isForeseeable =
      (answer === 'null' || answer === 'empty') &&
      (keysOf(parsed) === 1 || hitShare === 1) &&
      (growth !== null ||
        parsed.requests.every(({ args }) =>
          args.flat().every(({ kind }) => kind === 'text' || kind === 'key'),
        ));
    (isForeseeable ? foreseeable : others).add(parsed.name);
  }
  return new Set([...foreseeable].filter(name => !others.has(name)));
}
