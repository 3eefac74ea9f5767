import { createHash } from 'node:crypto';
import { placesOfKeys } from '../../workers/workload/command-rules.ts';
import { maxNumber, parseGivenCommand } from '../../workers/workload/command-templates.ts';
import type { MemtierCommand } from './memtier-arguments.ts';

/** What `__key__` stands for. */
export interface KeyNumbers {
  readonly prefix: string;
  readonly from: number;
  readonly to: number;
}

/** Commands as a config has them. */
export interface ImportedCommands {
  readonly commands: readonly { readonly command: string; readonly weight: number }[];
  /** Names of keys that the commands contain literally. */
  readonly namedKeys: ReadonlySet<string>;
  /** The patterns by which keys are drawn from a range, for every such key; empty: none is. */
  readonly keyPatterns: readonly string[];
  /** Max requests of one operation; more than 1 only with transactions. */
  readonly requests: number;
  /** The differences from the definition, as sentences. */
  readonly notes: readonly string[];
}

const shownCharacters = 60;

/**
 * Turns commands of memtier_benchmark into templates: a key becomes `{key}`, whatever its name, `__key__` elsewhere a
 * number, and `__data__` a value. MULTI, the commands after it and EXEC become one operation.
 *
 * @param scripts texts that EVALSHA may mean
 */
export function importCommands(
  given: readonly MemtierCommand[],
  keys: KeyNumbers,
  scripts: readonly string[],
): ImportedCommands {
  const commands: { command: string; weight: number }[] = [];
  const namedKeys = new Set<string>();
  const notes: string[] = [];
  const keyPatterns: string[] = [];
  let requests = 1;
  for (const operation of joinTransactions(given)) {
    const templates = new Templates(keys, scripts);
    try {
      const command = operation.map(one => templates.template(one)).join('; ');
      parseGivenCommand(command);
      commands.push({ command, weight: operation[0]?.ratio ?? 1 });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const shown = operation.map(({ words }) => words.join(' ')).join('; ');
      const text = shown.length > shownCharacters ? `${shown.slice(0, shownCharacters)}…` : shown;
      notes.push(`${JSON.stringify(text)} is not sent: expected ${error.message}.`);
      continue;
    }
    for (const name of templates.namedKeys) namedKeys.add(name);
    for (const note of templates.notes) if (!notes.includes(note)) notes.push(note);
    keyPatterns.push(...templates.keyPatterns);
    requests = Math.max(requests, operation.length);
  }
  return { commands, namedKeys, keyPatterns, requests, notes };
}

/** The requests of each operation: all of a transaction, else one. */
function joinTransactions(given: readonly MemtierCommand[]): MemtierCommand[][] {
  const operations: MemtierCommand[][] = [];
  let isOpen = false;
  for (const one of given) {
    const name = one.words[0]?.toUpperCase();
    if (isOpen) operations.at(-1)?.push(one);
    else operations.push([one]);
    if (name === 'MULTI' || name === 'WATCH') isOpen = true;
    if (name === 'EXEC' || name === 'DISCARD') isOpen = false;
  }
  return operations;
}

/** Makes the templates of one operation. */
class Templates {
  readonly namedKeys = new Set<string>();
  readonly notes: string[] = [];
  readonly keyPatterns: string[] = [];
  readonly #keys: KeyNumbers;
  readonly #scripts: readonly string[];

  constructor(keys: KeyNumbers, scripts: readonly string[]) {
    this.#keys = keys;
    this.#scripts = scripts;
  }

  /** @throws RangeError for a command that poolbench does not send */
  template({ words, keyPattern }: MemtierCommand): string {
    const [word = '', ...given] = words;
    const name = word.toUpperCase();
    const args = this.#adapt(name, given);
    const places = placesOfKeys(name, args);
    const templates = args.map((arg, index) => {
      if (!places.has(index + 1)) return this.#argument(arg, keyPattern);
      if (arg.includes('__key__')) this.keyPatterns.push(keyPattern);
      else this.namedKeys.add(arg);
      return '{key}';
    });
    return [name, ...templates].join(' ');
  }

  /** Changes a command because the keys are poolbench's and are written before the load. */
  #adapt(name: string, args: readonly string[]): readonly string[] {
    if (name === 'RESTORE' && !args.some(arg => /^replace$/i.test(arg))) {
      this.notes.push('RESTORE gets the option REPLACE, because all keys exist before the load.');
      return [...args, 'REPLACE'];
    }
    if (name.startsWith('SORT') && args.some(isPattern)) {
      this.notes.push('The patterns of SORT read other keys of poolbench: one for each key.');
      return args.map(arg => (isPattern(arg) ? keyOfElement : arg));
    }
    if (!/^EVAL(SHA)?$/.test(name)) return args;
    const [given = '', count = '0', ...rest] = args;
    const isHash = name === 'EVALSHA';
    const script = isHash ? this.#scripts.find(text => sha1(text) === given.toLowerCase()) : given;
    if (script === undefined)
      throw new RangeError(`the text of the script of ${name}, but the definition does not load it`);
    const passed: string[] = [];
    const text = script.replace(
      /((?:redis|server)\.p?call\s*\(\s*(["'])(\w+)\2\s*,\s*)(["'])([^"']*)\4/g,
      (call, start: string, _, called: string, __, key: string) => {
        if (!placesOfKeys(called.toUpperCase(), [key]).has(1)) return call;
        if (!passed.includes(key)) passed.push(key);
        return `${start}KEYS[${Number(count) + passed.indexOf(key) + 1}]`;
      },
    );
    if (passed.length > 0)
      this.notes.push(
        `The keys that the text of the script names (${passed.join(', ')}) are passed in KEYS.`,
      );
    const [keys, others] = [rest.slice(0, Number(count)), rest.slice(Number(count))];
    return [text, String(Number(count) + passed.length), ...keys, ...passed, ...others];
  }

  #argument(text: string, keyPattern: string): string {
    if (text === keyOfElement) return '{key:*}';
    const { prefix, from, to } = this.#keys;
    const parts = text.split(/(__key__|__data__)/).map(part => {
      if (part === '__data__') return '{value}';
      if (part !== '__key__') return escapeBytes(part);
      const inOrder = /^[PS]/i.test(keyPattern);
      return escapeBytes(prefix) + (inOrder ? '{counter}' : `{number:${from}-${Math.min(to, maxNumber)}}`);
    });
    const all = parts.join('');
    return text === '' || /[\s"';\\]|[^ -~]/.test(text) ? `"${all}"` : all;
  }
}

/** Replaces a pattern of SORT. */
const keyOfElement = '__key_of_element__';
const isPattern = (arg: string) => arg.includes('*');

/** Bytes as they stand in double quotes; without quotes the same, if there is nothing to escape. */
function escapeBytes(bytes: string): string {
  return bytes
    .replace(/[{}]/g, '$&$&')
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -~]/g, byte => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
