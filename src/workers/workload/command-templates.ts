import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import {
  blockingTime,
  checkArguments,
  exampleTransaction,
  keyPlaces,
  reasonNotInLoad,
  scriptCommands,
  statNameOf,
  type Texts,
} from './command-rules.ts';

/** A part of an argument: text, or a placeholder that is filled for each operation. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  /** Bytes that are no UTF-8: always a whole argument. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Keys with the same label are the same key in an operation. Without a label, each is another one. */
  | { readonly kind: 'key'; readonly label?: string }
  /** In SORT: the key that each element names. */
  | { readonly kind: 'keyOfElement' }
  | { readonly kind: 'value' }
  | { readonly kind: 'counter' }
  /** The number of the record that the command is for; only presets have it. */
  | { readonly kind: 'record' }
  | { readonly kind: 'number'; readonly from: number; readonly to: number };

type Word = readonly TemplatePart[];

/** One request of a command, parsed. */
export interface ParsedRequest {
  readonly name: string;
  readonly args: readonly Word[];
  /** The text of the script that it runs, if the command has it. */
  readonly script?: string;
  /** Max time that it holds its connection, in milliseconds, if it waits for other clients. */
  readonly blocksMs?: number;
}

/** A command of a config, parsed. */
export interface ParsedCommand {
  /** As results have it; of a transaction MULTI. */
  readonly name: string;
  /** Its name in the server's commandstats: `get`, `object|encoding`. A transaction is counted by its EXEC. */
  readonly statName: string;
  /** What one operation sends: one request, or all of a transaction. */
  readonly requests: readonly ParsedRequest[];
  /** The consumer group for which the operation acknowledges what it has read. */
  readonly acknowledges?: string;
}

/** Max of a number in {number:from-to}. */
export const maxNumber = 2 ** 32 - 1;
const placeholders = '{key}, {key:label}, {value}, {counter} and {number:from-to}';
const doubledBraces = 'double a brace of the text itself: {{ or }}';
const exampleCommand = 'a command such as "SET {key} {value} EX {number:10-60}"';

/**
 * Reads a command such as `SET {key} {value} EX {number:10-60}`: words between blanks, quoted as in redis-cli, with
 * placeholders in them; a literal brace is doubled. A transaction begins with MULTI or WATCH and ends with EXEC, and
 * its requests are separated by semicolons. After XREADGROUP, `; XACK` acknowledges what it has read.
 *
 * @throws RangeError whose message says what is expected
 */
export function parseCommand(text: string): ParsedCommand {
  const isTransaction = /^\s*(multi|watch)\b.*;/is.test(text);
  const isAcknowledged = /^\s*xreadgroup\b.*;/is.test(text);
  const requests = splitRequests(text, isTransaction || isAcknowledged);
  if (isTransaction) return parseTransaction(requests);
  const request = parseRequest(requests[0] ?? []);
  if (requests.length > 1) return parseAcknowledged(request, requests.slice(1));
  const { name, args } = request;
  return { name, statName: statNameOf(name, constantText(args[0])), requests: [request] };
}

/** As {@link parseCommand}, for a command that a user has written: without the placeholder of presets. */
export function parseGivenCommand(text: string): ParsedCommand {
  const parsed = parseCommand(text);
  if (parsed.requests.some(({ args }) => args.flat().some(({ kind }) => kind === 'record')))
    throw new RangeError(`placeholders ${placeholders}, no {record}`);
  return parsed;
}

/** The number of different keys in an operation. */
export function keysOf({ requests }: Pick<ParsedCommand, 'requests'>): number {
  let keys = 0;
  const labels = new Set<string>();
  for (const part of requests.flatMap(({ args }) => args.flat())) {
    if (part.kind === 'keyOfElement') keys++;
    if (part.kind !== 'key') continue;
    if (part.label === undefined) keys++;
    else labels.add(part.label);
  }
  return keys + labels.size;
}

/** Whether it publishes a message. @param name in capitals; MULTI for a transaction */
export function isPublish(name: string): boolean {
  return name === 'PUBLISH' || name === 'SPUBLISH';
}

/** The text of an argument, if it is the same in all operations. */
export function constantText(word: Word | undefined): string | undefined {
  let all = '';
  for (const part of word ?? [])
    if (part.kind === 'text') all += part.text;
    else return undefined;
  return word === undefined ? undefined : all;
}

/** The scripts that must be loaded before the requests can be sent: those given to EVALSHA instead of a hash. */
export function scriptsToLoad(requests: readonly ParsedRequest[]): string[] {
  const scripts = requests.flatMap(({ name, script }) =>
    script !== undefined && name.startsWith('EVALSHA') ? script : [],
  );
  return [...new Set(scripts)];
}

/** The commands that a script calls, in the order of its text; undefined for each that only running it would show. */
export function callsOf(script: string): (string | undefined)[] {
  const calls = script.matchAll(/\b(?:redis|server)\.p?call\s*\(\s*(?:(["'])([\w.]+)\1)?/g);
  return [...calls].map(([, , name]) => name?.toUpperCase());
}

/**
 * Whether the server's count of the commands is that of the operations: it also counts what runs inside transactions,
 * scripts and functions, under the same names.
 *
 * @param functions the libraries that FCALL can call
 */
export function serverCountsApart(commands: readonly ParsedCommand[], functions: readonly string[]): boolean {
  const counted = new Set(commands.map(({ statName }) => withoutSubcommand(statName)));
  // A script can call no script.
  const isCallable = [...counted].some(name => !scriptCommands.has(name));
  return calledInside(commands, functions).every(name =>
    name === undefined ? !isCallable : !counted.has(name),
  );
}

/**
 * Names of all commands that the server counts for these, including those that run inside them, in capitals and without
 * subcommands. Null if the text does not show what runs inside.
 *
 * @param functions as of `serverCountsApart`
 */
export function countedNames(
  commands: readonly ParsedCommand[],
  functions: readonly string[],
): ReadonlySet<string> | null {
  const names = new Set(commands.map(({ statName }) => withoutSubcommand(statName)));
  for (const name of calledInside(commands, functions)) {
    if (name === undefined) return null;
    names.add(name);
  }
  return names;
}

/** A name of commandstats in capitals. */
export function withoutSubcommand(statName: string): string {
  return statName.replace(/\|.*/, '').toUpperCase();
}

/** The commands inside transactions, scripts and functions; undefined for each one whose text does not show them. */
function calledInside(
  commands: readonly ParsedCommand[],
  functions: readonly string[],
): (string | undefined)[] {
  return commands.flatMap(({ requests, acknowledges }) => [
    ...(acknowledges === undefined ? [] : ['XACK']),
    ...(requests.length === 1 ? [] : requests.slice(0, -1).map(({ name }) => name)),
    ...requests.flatMap(({ name, script }) => {
      if (!scriptCommands.has(name)) return [];
      if (name.startsWith('FCALL')) return functions.length === 0 ? [undefined] : functions.flatMap(callsOf);
      return script === undefined ? [undefined] : callsOf(script);
    }),
  ]);
}

function parseTransaction(requests: readonly (readonly Word[])[]): ParsedCommand {
  const names = requests.map(([word]) => constantText(word)?.toUpperCase());
  const start = names.indexOf('MULTI');
  if (start < 0 || names.indexOf('EXEC') !== requests.length - 1)
    throw new RangeError(`a transaction such as ${exampleTransaction}`);
  const parsed = requests.map((words, index): ParsedRequest => {
    const name = names[index] ?? '';
    if (index === start || index === requests.length - 1) {
      if (words.length > 1) throw new RangeError(`no arguments of ${name}`);
      return { name, args: [] };
    }
    if (name === 'WATCH' && index > start) throw new RangeError('WATCH before MULTI');
    return parseRequest(words, name === 'WATCH');
  });
  return { name: 'MULTI', statName: 'exec', requests: parsed };
}

function parseAcknowledged(request: ParsedRequest, behind: readonly (readonly Word[])[]): ParsedCommand {
  const { name, args } = request;
  const [words, ...more] = behind;
  if (more.length > 0 || words?.length !== 1 || constantText(words[0])?.toUpperCase() !== 'XACK')
    throw new RangeError(
      'XACK alone after XREADGROUP and a semicolon: it acknowledges all entries of the reply',
    );
  if (args.some(word => /^noack$/i.test(constantText(word) ?? '')))
    throw new RangeError('XREADGROUP without NOACK before XACK (nothing is to be acknowledged)');
  return {
    name,
    statName: name.toLowerCase(),
    requests: [request],
    acknowledges: constantText(args[1]) ?? '',
  };
}

function parseRequest([word, ...words]: readonly Word[], isWatch = false): ParsedRequest {
  const name = constantText(word)?.toUpperCase() ?? '';
  if (!/^[A-Z][A-Z0-9_.-]*$/.test(name)) throw new RangeError(exampleCommand);
  const { args, script } = withHash(name, words);
  const texts = args.map(constantText);
  const refused = reasonNotInLoad(name, texts);
  if (refused !== undefined && !isWatch) throw new RangeError(`no ${name} (${refused})`);
  // Beside a placeholder, too.
  const pieces = args.flat().map(part => (part.kind === 'text' ? part.text : undefined));
  checkArguments(name, texts, pieces);
  checkKeys(name, args, texts);
  const blocksMs = blockingTime(name, texts);
  return {
    name,
    args,
    ...(script === undefined ? {} : { script }),
    ...(blocksMs === undefined ? {} : { blocksMs }),
  };
}

/** EVALSHA can have the script itself instead of its hash: it is then loaded before the load. */
function withHash(
  name: string,
  args: readonly Word[],
): { args: readonly Word[]; script: string | undefined } {
  if (!name.startsWith('EVAL')) return { args, script: undefined };
  const [first, ...rest] = args;
  const script = constantText(first);
  if (!name.startsWith('EVALSHA')) return { args, script };
  if (script === undefined)
    throw new RangeError(`a script, or the 40 digits of its SHA1, as argument 1 of ${name}`);
  if (/^[\da-f]{40}$/i.test(script)) return { args, script: undefined };
  const hash = createHash('sha1').update(script).digest('hex');
  return { args: [[{ kind: 'text', text: hash }], ...rest], script };
}

/**
 * What text consists of: outside of quotes, in double and in single ones. The first group that matches says what it is.
 * Like sdssplitargs of Redis, except for the braces.
 */
const tokens = {
  none: /(?<brace>\{\{|\}\})|\{(?<placeholder>[^{}]*)\}|(?<opening>["'])|(?<blank>\s+)|(?<separator>;)|(?<text>[^\s{}"';]+)/y,
  double:
    /(?<brace>\{\{|\}\})|\{(?<placeholder>[^{}]*)\}|(?<closing>")|\\x(?<hex>[\da-fA-F]{2})|\\(?<escaped>[\s\S])|(?<text>[^{}"\\]+)/y,
  single:
    /(?<brace>\{\{|\}\})|\{(?<placeholder>[^{}]*)\}|(?<closing>')|\\(?<escaped>')|(?<text>[^{}'\\]+|\\)/y,
} as const;

/** The meaning of these after a backslash; any other character stands for itself. */
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** Cuts text into words, and at each semicolon outside of quotes into requests, if it has several. */
function splitRequests(text: string, hasSeveral: boolean): Word[][] {
  const requests: Word[][] = [[]];
  let word: WordParts | undefined;
  let quotes: keyof typeof tokens = 'none';
  let at = 0;
  const endWord = () => {
    if (word !== undefined) requests.at(-1)?.push(word.end());
    word = undefined;
  };
  while (at < text.length) {
    const token: RegExp = tokens[quotes];
    token.lastIndex = at;
    const found = token.exec(text)?.groups;
    if (found === undefined) throw new RangeError(`placeholders ${placeholders}; ${doubledBraces}`);
    at = token.lastIndex;
    const { brace, placeholder, opening, closing, blank, separator, hex, escaped, text: plain } = found;
    if (blank !== undefined) endWord();
    else if (separator !== undefined && hasSeveral) {
      endWord();
      requests.push([]);
    } else {
      word ??= new WordParts();
      if (placeholder !== undefined) word.add(parsePlaceholder(placeholder));
      else if (opening !== undefined) quotes = opening === '"' ? 'double' : 'single';
      else if (closing !== undefined) {
        quotes = 'none';
        if (at < text.length && !/\s/.test(text.charAt(at)) && !(hasSeveral && text[at] === ';'))
          throw new RangeError('a space after the closing quote');
      } else if (hex !== undefined) word.addBytes(Buffer.from(hex, 'hex'));
      else if (escaped !== undefined) word.addBytes(Buffer.from(escapes[escaped] ?? escaped));
      else word.addBytes(Buffer.from(brace?.charAt(0) ?? plain ?? separator ?? ''));
    }
  }
  if (quotes !== 'none')
    throw new RangeError(
      `a closing quote; a quote of the text itself goes into quotes of the other kind, such as "it's"`,
    );
  endWord();
  if (hasSeveral && requests.at(-1)?.length === 0) requests.pop();
  return requests;
}

/** The parts of a word that is being read. */
class WordParts {
  readonly #parts: TemplatePart[] = [];
  #bytes: Buffer[] = [];

  addBytes(bytes: Buffer): void {
    this.#bytes.push(bytes);
  }

  add(part: TemplatePart): void {
    this.#endText();
    this.#parts.push(part);
  }

  end(): Word {
    this.#endText();
    if (this.#parts.length > 1 && this.#parts.some(({ kind }) => kind === 'bytes'))
      throw new RangeError('text in UTF-8 around a placeholder; other bytes only as a whole argument');
    return this.#parts;
  }

  #endText(): void {
    if (this.#bytes.length === 0) return;
    const bytes = Buffer.concat(this.#bytes);
    this.#bytes = [];
    this.#parts.push(isUtf8(bytes) ? { kind: 'text', text: bytes.toString() } : { kind: 'bytes', bytes });
  }
}

function parsePlaceholder(inside: string): TemplatePart {
  if (inside === 'key' || inside === 'value' || inside === 'counter' || inside === 'record')
    return { kind: inside };
  if (inside === 'key:*') return { kind: 'keyOfElement' };
  const label = /^key:(\w+)$/.exec(inside)?.[1];
  if (label !== undefined) return { kind: 'key', label };
  const range = /^number:(\d+)-(\d+)$/.exec(inside);
  if (range === null) throw new RangeError(`placeholders ${placeholders}, no {${inside}}; ${doubledBraces}`);
  const [from, to] = [Number(range[1]), Number(range[2])];
  if (from > to || to > maxNumber)
    throw new RangeError(`a range of numbers from 0 to ${maxNumber}, the smaller one first, no {${inside}}`);
  return { kind: 'number', from, to };
}

/** Every key must be a placeholder: anything else would be a foreign key. */
function checkKeys(name: string, args: readonly Word[], texts: Texts): void {
  const isKey = (parts: Word) => parts.length === 1 && parts[0]?.kind === 'key';
  const expected = keyPlaces(name, texts);
  for (const place of expected) {
    const parts = args[place - 1];
    if (parts !== undefined && isKey(parts)) continue;
    throw new RangeError(`{key} as argument ${place} of ${name} (poolbench touches only its own keys)`);
  }
  for (const [index, parts] of args.entries()) {
    if (parts.some(part => part.kind === 'keyOfElement') && !isPattern(name, parts, texts[index - 1]))
      throw new RangeError(
        `{key:*} only as the whole pattern of BY or GET in SORT, but argument ${index + 1} has one`,
      );
    if (expected.has(index + 1) || !parts.some(part => part.kind === 'key')) continue;
    const where =
      expected.size === 0 ? 'no {key}' : `{key} only as a whole argument where ${name} takes a key`;
    throw new RangeError(`${where}, but argument ${index + 1} has one`);
  }
}

function isPattern(name: string, parts: Word, before: string | undefined): boolean {
  return name.startsWith('SORT') && parts.length === 1 && /^(by|get)$/i.test(before ?? '');
}
