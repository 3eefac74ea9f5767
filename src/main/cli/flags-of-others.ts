import { asTypedHere, quote } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { loopbackAddress } from '../local-addresses.ts';

/** What a flag of another tool means here. */
interface Counterpart {
  /**
   * Converts the flag's value: to a part of the URL, or to the words to type; null: no equivalent, as `note` explains.
   */
  readonly as: ((value: string) => { readonly [part in 'host' | 'port' | 'login']?: string } | string) | null;
  readonly note?: string;
  /** Whether such a value needs the note; absent: every value does. */
  needsNote?(value: string): boolean;
}

const isNumber = (value: string) => /^\d+$/.test(value);

/** GET and SET of redis-benchmark's -t, by the fraction of reads. */
const readShares: Readonly<Record<string, string>> = {
  get: '1',
  set: '0',
  'get,set': '0.5',
  'set,get': '0.5',
};

/** The flags of redis-benchmark and memtier_benchmark. Where these two differ, the value tells which one is meant. */
const counterparts: Readonly<Record<string, Counterpart>> = {
  '-h': { as: host => ({ host }) },
  '-p': { as: port => ({ port }) },
  '-a': {
    as: () => ({ login: ':PASSWORD@' }),
    note: '-a: the password is part of the URL; percent-encode "@", ":", "/" and "#" in it',
  },
  '-c': {
    // poolbench's own --client takes names.
    as: clients => (/^[\d,]+$/.test(clients) ? `--workers ${clients}` : `--client ${clients}`),
    needsNote: value => /^[\d,]*$/.test(value),
    note: '-c: a worker is one concurrent caller, for which a pool opens up to 2 connections; memtier_benchmark counts clients per thread, so multiply by its -t',
  },
  '-n': {
    as: null,
    note: '-n: a run does not end after a number of requests; --seconds, --rounds and --budget set its time',
  },
  '-P': {
    as: depth => (isNumber(depth) ? `--pipeline ${depth}` : ''),
    needsNote: value => !isNumber(value),
    note: '-P: in memtier_benchmark this is the protocol, which poolbench detects (target.protocol of a config sets it)',
  },
  '-d': { as: bytes => `--value-bytes ${bytes}` },
  '-t': {
    as: value => {
      if (isNumber(value)) return `--pools ${value}`;
      const share = readShares[value.toLowerCase()];
      return share === undefined ? '' : `--read-share ${share}`;
    },
    note: '-t: a number means threads, and here each pool has one; GET and SET become the fraction of reads; other commands need a config (workload.commands)',
  },
  '--ratio': {
    as: ratio => {
      const [sets = 0, gets = 0] = ratio.split(':').map(Number);
      return sets + gets > 0 ? `--read-share ${Number((gets / (sets + gets)).toFixed(3))}` : '';
    },
  },
  '--test-time': {
    as: null,
    note: '--test-time: --seconds sets the time of one measurement, --budget that of all rounds',
  },
};

/** Long names of the same, of memtier_benchmark and redis-cli. */
const longNames: Readonly<Record<string, string>> = {
  '--host': '-h',
  '--server': '-h',
  '--port': '-p',
  '--password': '-a',
  '--authenticate': '-a',
  '--pass': '-a',
  '--clients': '-c',
  '--requests': '-n',
  '--data-size': '-d',
  '--threads': '-t',
};

/**
 * Users of redis-benchmark or memtier_benchmark may type its flags: the error shows the line to type instead.
 *
 * @param commands names that may follow -h, which is also --help
 * @param own options of the typed commands, which are not flags of another tool
 * @throws PoolbenchError USAGE
 */
export function refuseFlagsOfOthers(
  args: readonly string[],
  commands: readonly string[],
  own: readonly string[],
): void {
  const url: { host?: string; port?: string; login?: string } = {};
  const words: string[] = [];
  const others: string[] = [];
  const found = new Set<string>();
  const notes = new Set<string>();
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    const [, flag = '', attached = ''] = /^(-[A-Za-z]|--[a-z-]+(?==|$))=?(.*)$/s.exec(word) ?? [];
    const counterpart = own.includes(flag.slice('--'.length))
      ? undefined
      : counterparts[longNames[flag] ?? flag];
    if (counterpart === undefined) {
      if (!word.includes('://')) others.push(word);
      continue;
    }
    const next = args[index + 1] ?? '';
    const value = attached || (next.startsWith('-') ? '' : next);
    // -h alone, or with a command or a path, asks for help.
    if (flag === '-h' && (value === '' || commands.includes(value) || /[/]|\.json$/.test(value))) continue;
    if (attached === '' && value !== '') index++;
    found.add(flag);
    const { note, needsNote = () => true } = counterpart;
    if (note !== undefined && needsNote(value)) notes.add(`  ${note}`);
    if (counterpart.as === null || value === '') continue;
    const meant = counterpart.as(value);
    if (typeof meant === 'object') Object.assign(url, meant);
    else if (meant !== '') words.push(meant);
  }
  if (found.size === 0) return;
  const command = commands.includes(others[0] ?? '') ? others.splice(0, 1) : [];
  const config = others[0]?.startsWith('-') === false ? others.splice(0, 1) : [];
  const typed = args.find(word => word.includes('://')) ?? '';
  const ofUrl = URL.canParse(typed) ? new URL(typed) : undefined;
  const { host = ofUrl?.hostname || loopbackAddress(), port = ofUrl?.port || '6379', login = '' } = url;
  const isNamed = Object.keys(url).length > 0 || typed === '';
  const shown = isNamed
    ? quote(`redis://${login}${/^[^[].*:/.test(host) ? `[${host}]` : host}:${port}`)
    : 'URL';
  // A config already defines its question, so only the server can be changed.
  const instead =
    config.length === 0
      ? [shown, ...words]
      : [...config.map(quote), ...(Object.keys(url).length === 0 ? [] : [`--url ${shown}`])];
  throw new PoolbenchError(
    'USAGE',
    [
      `expected no flags of redis-benchmark or memtier_benchmark, found ${[...found].join(', ')}. Type instead:`,
      `  ${asTypedHere(...command, ...instead, ...others.map(quote))}`,
      ...notes,
    ].join('\n'),
  );
}
