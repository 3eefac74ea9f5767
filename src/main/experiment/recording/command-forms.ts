import { placesOfKeys } from '../../../workers/workload/command-rules.ts';
import { maxNumber } from '../../../workers/workload/command-templates.ts';

/** Placeholder in a form for a number that differs between operations. */
export const numberSlot = '\0';
/** Placeholder in a form for the number of a field or member, or for a score. */
export const elementSlot = '\x01';

/** A key in a form. */
export interface KeyWord {
  readonly key: string;
}

/**
 * What is kept of a recorded request: its name, words of the protocol, numbers with a known meaning, and the sizes of
 * values; no names of fields, members and groups, no scores and no values.
 */
export interface RequestForm {
  readonly name: string;
  /** The words of a template, with slots. Keys are what they were in the recording. */
  readonly words: readonly (string | KeyWord)[];
  /** For each slot of a number. */
  readonly numbers: readonly number[];
  /** In bytes, of each value. */
  readonly sizes: readonly number[];
  /** Names of fields or members, which are only counted. */
  readonly elements: readonly string[];
}

/**
 * The arguments of each command beside its keys, whose places the templates know. A word in small letters is a role of the
 * table below, with `?` one that may be absent; (…) repeats; […] are words of the protocol in any order, each with what
 * follows it. Commands that are not here cannot be replayed: SETBIT and SETRANGE, for example, whose offsets are drawn, would
 * make every key as long as the longest.
 */
const grammar: readonly (readonly [args: string, names: string])[] = [
  [
    '',
    'GET GETDEL MGET STRLEN INCR DECR DEL UNLINK EXISTS TOUCH TYPE TTL PTTL PERSIST EXPIRETIME PEXPIRETIME DUMP HGETALL HKEYS HVALS HLEN LLEN RPOPLPUSH SCARD SMEMBERS SINTER SUNION SDIFF SINTERSTORE SUNIONSTORE SDIFFSTORE ZCARD PFCOUNT PFMERGE XLEN TIME DBSIZE WATCH MULTI EXEC',
  ],
  ['value', 'SETNX GETSET APPEND ECHO'],
  ['value?', 'PING'],
  ['value [NX XX GET KEEPTTL EX n PX n EXAT time PXAT time]', 'SET'],
  ['[EX n PX n EXAT time PXAT time PERSIST]', 'GETEX'],
  ['n value', 'SETEX PSETEX LREM'],
  ['(value)', 'MSET MSETNX LPUSH RPUSH LPUSHX RPUSHX PFADD'],
  ['one', 'INCRBY DECRBY INCRBYFLOAT'],
  ['n', 'GETBIT LINDEX'],
  ['n n', 'GETRANGE LRANGE LTRIM ZREMRANGEBYRANK'],
  ['n? n? [BYTE BIT]', 'BITCOUNT'],
  ['n [NX XX GT LT]', 'EXPIRE PEXPIRE'],
  ['time [NX XX GT LT]', 'EXPIREAT PEXPIREAT'],
  ['[ENCODING IDLETIME REFCOUNT]', 'OBJECT'],
  ['[USAGE SAMPLES n]', 'MEMORY'],
  ['field', 'HGET HEXISTS HSTRLEN'],
  ['(field)', 'HMGET HDEL'],
  ['(field value)', 'HSET HMSET'],
  ['field value', 'HSETNX'],
  ['counter one', 'HINCRBY HINCRBYFLOAT'],
  ['n? [WITHVALUES]', 'HRANDFIELD'],
  ['cursor [MATCH pattern COUNT n NOVALUES]', 'HSCAN SSCAN ZSCAN'],
  ['n?', 'LPOP RPOP SRANDMEMBER SPOP ZPOPMIN ZPOPMAX'],
  ['[LEFT RIGHT]', 'LMOVE'],
  ['[BEFORE AFTER] value value', 'LINSERT'],
  ['value [RANK n COUNT n MAXLEN n]', 'LPOS'],
  ['(member)', 'SADD SREM SMISMEMBER ZREM ZMSCORE'],
  ['member', 'SISMEMBER SMOVE ZSCORE'],
  ['member [WITHSCORE]', 'ZRANK ZREVRANK'],
  ['keys [LIMIT n]', 'SINTERCARD ZINTERCARD'],
  ['keys [AGGREGATE SUM MIN MAX WITHSCORES]', 'ZUNION ZINTER ZDIFF ZUNIONSTORE ZINTERSTORE ZDIFFSTORE'],
  ['[NX XX GT LT CH INCR] (score member)', 'ZADD'],
  ['one member', 'ZINCRBY'],
  ['bound bound', 'ZCOUNT ZREMRANGEBYSCORE'],
  ['bound bound [WITHSCORES LIMIT n n]', 'ZRANGEBYSCORE ZREVRANGEBYSCORE'],
  ['edge edge [BYSCORE REV WITHSCORES LIMIT n n]', 'ZRANGE'],
  ['n n [WITHSCORES]', 'ZREVRANGE'],
  ['n? [WITHSCORES]', 'ZRANDMEMBER'],
  ['[NOMKSTREAM MAXLEN n? ~ n = n LIMIT n] id (name value)', 'XADD'],
  ['[MAXLEN n? ~ n = n LIMIT n]', 'XTRIM'],
  ['first last [COUNT n]', 'XRANGE'],
  ['last first [COUNT n]', 'XREVRANGE'],
];

/** A part of a grammar. */
type Step =
  | { readonly role: Role; readonly optional: boolean }
  | { readonly repeated: readonly Role[] }
  | { readonly options: ReadonlyMap<string, readonly Step[]> };

/** A request while its form is being made. */
interface Draft {
  readonly words: string[];
  readonly numbers: number[];
  readonly sizes: number[];
  readonly elements: string[];
  /** When it was recorded, in seconds since 1970. */
  readonly at: number;
  /** Whether its unit of time is the millisecond. */
  isMs: boolean;
  readonly isByScore: boolean;
}

/** A number that is drawn in a replay. A negative one stays as it is: it counts from the end, or changes the direction. */
function takeNumber(text: string, { numbers }: Draft): string | undefined {
  if (/^-\d{1,10}$/.test(text)) return String(Number(text));
  if (!/^\d{1,10}$/.test(text) || Number(text) > maxNumber) return undefined;
  numbers.push(Number(text));
  return numberSlot;
}

/** A bound of scores. The keys that poolbench writes have scores from 0 on, one for each member. */
const takeBound = (text: string) => (/^[-+]inf$/i.test(text) ? text.toLowerCase() : elementSlot);

/** The replacement of an argument, by its role; undefined if it does not fit the role. */
const roles = {
  value: (text, { sizes }) => {
    sizes.push(text.length);
    return '{value}';
  },
  n: takeNumber,
  /** A point in time: the time from the request until then is kept. */
  time: (text, { at, isMs, numbers }) => {
    const left = isMs ? Number(text) - at * 1000 : Number(text) - at;
    if (Number.isNaN(left)) return undefined;
    numbers.push(Math.min(maxNumber, Math.max(1, Math.round(left))));
    return numberSlot;
  },
  one: () => '1',
  field: (text, { elements }) => {
    elements.push(text);
    return `f${elementSlot}`;
  },
  /** A field that holds a number. The fields that poolbench writes do not. */
  counter: (text, { elements }) => {
    elements.push(text);
    return `n${elementSlot}`;
  },
  member: (text, { elements }) => {
    elements.push(text);
    return `m${elementSlot}`;
  },
  /** A field of an entry of a stream. */
  name: () => 'field',
  score: () => elementSlot,
  bound: takeBound,
  edge: (text, draft) => (draft.isByScore ? takeBound(text) : takeNumber(text, draft)),
  cursor: () => '0',
  pattern: () => '*',
  /** The number of keys. */
  keys: text => (/^\d{1,4}$/.test(text) ? String(Number(text)) : undefined),
  id: () => '*',
  first: () => '-',
  last: () => '+',
} as const satisfies Readonly<Record<string, (text: string, draft: Draft) => string | undefined>>;

type Role = keyof typeof roles;

const stepsOf = new Map(
  grammar.flatMap(([args, names]) => {
    const steps = parseSteps(args);
    return names.split(' ').map(name => [name, steps] as const);
  }),
);

/** The commands that can be replayed. */
export const replayable: readonly string[] = [...stepsOf.keys()];

/** In a replay a point in time would be in the past. */
const relativeTo: Readonly<Record<string, string>> = {
  EXPIREAT: 'EXPIRE',
  PEXPIREAT: 'PEXPIRE',
  EXAT: 'EX',
  PXAT: 'PX',
};

/**
 * The form of a recorded request.
 *
 * @param at when it was recorded, in seconds since 1970
 * @returns undefined if it cannot be replayed
 */
export function formOf([given = '', ...args]: readonly string[], at: number): RequestForm | undefined {
  const name = given.toUpperCase();
  const steps = stepsOf.get(name);
  if (steps === undefined) return undefined;
  const places = keyPlaces(name, args);
  if (places === undefined) return undefined;
  const others = args.filter((_, index) => !places.has(index + 1));
  const isByScore = others.some(text => text.toUpperCase() === 'BYSCORE');
  const draft: Draft = {
    words: [],
    numbers: [],
    sizes: [],
    elements: [],
    at,
    isMs: name.startsWith('P'),
    isByScore,
  };
  let next = 0;
  for (const step of steps) {
    const end = takeStep(step, others, next, draft);
    if (end === undefined) return undefined;
    next = end;
  }
  if (next < others.length) return undefined;
  const { words, numbers, sizes, elements } = draft;
  let other = 0;
  const inOrder = args.map((key, index) => (places.has(index + 1) ? { key } : (words[other++] ?? '')));
  const replayed = relativeTo[name] ?? name;
  return { name: replayed, words: [replayed, ...inOrder], numbers, sizes, elements };
}

/** The places of the keys among the arguments, from 1; undefined if the arguments do not have them. */
function keyPlaces(name: string, args: readonly string[]): ReadonlySet<number> | undefined {
  try {
    const places = placesOfKeys(name, args);
    return Math.max(0, ...places) > args.length ? undefined : places;
  } catch {
    return undefined;
  }
}

/** Takes the arguments of a step from `at` on. @returns where the next step begins; undefined if they do not fit */
function takeStep(step: Step, args: readonly string[], at: number, draft: Draft): number | undefined {
  if ('role' in step) {
    const text = args[at];
    const word = text === undefined ? undefined : roles[step.role](text, draft);
    if (word === undefined) return step.optional ? at : undefined;
    draft.words.push(word);
    return at + 1;
  }
  let next = at;
  if ('repeated' in step) {
    while (next < args.length)
      for (const role of step.repeated) {
        const end = takeStep({ role, optional: false }, args, next, draft);
        if (end === undefined) return undefined;
        next = end;
      }
    return next;
  }
  for (;;) {
    const option = args[next]?.toUpperCase() ?? '';
    const following = step.options.get(option);
    if (following === undefined) return next;
    draft.words.push(relativeTo[option] ?? option);
    draft.isMs = option.startsWith('P');
    next++;
    for (const one of following) {
      const end = takeStep(one, args, next, draft);
      if (end === undefined) return undefined;
      next = end;
    }
  }
}

function parseSteps(args: string): Step[] {
  const parts = args.matchAll(/\[(?<options>.*?)\]|\((?<repeated>.*?)\)|(?<role>\S+)/g);
  return [...parts].map(({ groups = {} }): Step => {
    const { options, repeated, role = '' } = groups;
    if (repeated !== undefined) return { repeated: repeated.split(' ').map(roleOf) };
    if (options !== undefined) return { options: parseOptions(options.split(' ')) };
    return parseRole(role);
  });
}

function parseOptions(words: readonly string[]): Map<string, Step[]> {
  const options = new Map<string, Step[]>();
  let following: Step[] = [];
  for (const word of words) {
    if (/^[a-z]/.test(word)) following.push(parseRole(word));
    else {
      following = [];
      options.set(word, following);
    }
  }
  return options;
}

function parseRole(word: string): Step {
  return { role: roleOf(word.replace('?', '')), optional: word.endsWith('?') };
}

function roleOf(word: string): Role {
  if (!(word in roles)) throw new Error(`expected a role in the grammar of recorded commands, found ${word}`);
  return word as Role;
}
