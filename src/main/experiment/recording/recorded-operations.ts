import { reasonToRefuse, scriptCommands } from '../../../workers/workload/command-rules.ts';
import { type Family, type RequestOfMix, requestsOf } from '../../../workers/workload/families.ts';
import { elementSlot, formOf, type KeyWord, numberSlot, type RequestForm } from './command-forms.ts';
import { linesOf, parseMonitorLine, type RecordedCommand, scriptSource } from './monitor-text.ts';

/** Operations that differ only in their keys, values and numbers. */
export interface OperationForm {
  /** MULTI for a transaction. */
  readonly name: string;
  /** A template with slots (command-forms.ts). */
  readonly text: string;
  /** The smallest and the largest number in each slot of one. */
  readonly ranges: { readonly from: number; readonly to: number }[];
  /** The family of each of its keys; undefined: the commands are for keys of any. */
  readonly families: readonly (Family | undefined)[];
}

/** One command, or a transaction. */
export interface RecordedOperation {
  readonly form: OperationForm;
  /**
   * Its keys, by numbers that are given to them in the order in which they occur. A key that occurs several times in a transaction
   * is there once, because the template has a label for it.
   */
  readonly keys: readonly number[];
  /** The family of each key. */
  readonly families: readonly Family[];
  /** When it was recorded, in seconds since 1970; for a transaction, when it ended, because its commands run then. */
  readonly at: number;
  /** Size of its first value, if it has one. */
  readonly bytes: number | undefined;
}

/** Commands of one name that cannot be replayed. */
interface LeftOut {
  count: number;
  readonly reason: string;
}

/** The part of a recording that can be replayed, and what cannot. */
export interface Recording {
  readonly operations: readonly RecordedOperation[];
  /** How often values of each size occur, in bytes. */
  readonly sizes: ReadonlyMap<number, number>;
  /** By family: the mean number of different fields or members in the commands on a key. Only families that have any. */
  readonly elements: ReadonlyMap<Family, number>;
  /** Commands of clients. */
  readonly commands: number;
  /** From the first to the last of them. */
  readonly seconds: number;
  readonly clients: number;
  readonly databases: number;
  /** Commands that scripts ran. */
  readonly insideScripts: number;
  /** Lines that are no commands. */
  readonly unreadable: number;
  /** By name. */
  readonly leftOut: ReadonlyMap<string, Readonly<LeftOut>>;
}

/** A transaction with more commands is not replayed as one. */
const maxRequests = 32;

/** @param text as MONITOR shows it; each character is one byte */
export function readRecording(text: string): Recording {
  const found = { insideScripts: 0, unreadable: 0, commands: 0 };
  const clients = new Set<string>();
  const databases = new Set<number>();
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

  function* commands(): Generator<RecordedCommand> {
    for (const line of linesOf(text)) {
      const command = parseMonitorLine(line);
      if (command === undefined) {
        // Some tools also save the reply to MONITOR.
        if (!/^\+?(OK)?\r?$/.test(line)) found.unreadable++;
      } else if (command.source === scriptSource) found.insideScripts++;
      else {
        found.commands++;
        clients.add(command.source);
        databases.add(command.database);
        first = Math.min(first, command.at);
        last = Math.max(last, command.at);
        yield command;
      }
    }
  }

  const collected = new Collector();
  for (const requests of operationsIn(commands())) collected.add(requests);
  const { sizes, leftOut } = collected;
  return {
    ...{ operations: collected.operations(), elements: collected.elements(), sizes, leftOut },
    ...found,
    seconds: Math.max(0, last - first),
    clients: clients.size,
    databases: databases.size,
  };
}

/** Groups the commands of each transaction, from WATCH or MULTI to EXEC; every other command is a group of its own. */
function* operationsIn(commands: Iterable<RecordedCommand>): Generator<readonly RecordedCommand[]> {
  const begun = new Map<string, RecordedCommand[]>();
  for (const command of commands) {
    const { source } = command;
    const name = nameOf(command);
    const requests = begun.get(source);
    if (requests === undefined) {
      if (name === 'WATCH' || name === 'MULTI') begun.set(source, [command]);
      else yield [command];
      continue;
    }
    requests.push(command);
    const isTransaction = name === 'EXEC' && requests.some(one => nameOf(one) === 'MULTI');
    const isOver = /^(EXEC|DISCARD|UNWATCH|RESET)$/.test(name) || requests.length > maxRequests;
    if (!isOver) continue;
    begun.delete(source);
    if (isTransaction) yield requests;
    else for (const one of requests) yield [one];
  }
  for (const requests of begun.values()) for (const one of requests) yield [one];
}

const nameOf = ({ words }: RecordedCommand) => words[0]?.toUpperCase() ?? '';

const ofTransactions = /^(MULTI|EXEC|WATCH|UNWATCH|DISCARD)$/;

/** Collects the operations of a recording. */
class Collector {
  readonly sizes = new Map<number, number>();
  readonly leftOut = new Map<string, LeftOut>();
  readonly #operations: Omit<RecordedOperation, 'families'>[] = [];
  readonly #forms = new Map<string, OperationForm>();
  /** By database and name. */
  readonly #keys = new Map<string, number>();
  /** By number of the key and name. */
  readonly #elements = new Set<string>();
  /** How many of them each key has. */
  readonly #elementsOf = new Map<number, number>();

  elements(): Map<Family, number> {
    const familyOf = this.#familiesOfKeys();
    const sums = new Map<Family, { keys: number; elements: number }>();
    for (const [key, count] of this.#elementsOf) {
      const family = familyOf[key];
      if (family === undefined) continue;
      const sum = sums.get(family) ?? { keys: 0, elements: 0 };
      sum.keys++;
      sum.elements += count;
      sums.set(family, sum);
    }
    return new Map([...sums].map(([family, { keys, elements }]) => [family, elements / keys]));
  }

  /**
   * The operations. The family of a key is that of a command on it. If no command shows it (DEL), it is the family with most
   * accesses.
   */
  operations(): RecordedOperation[] {
    const familyOf = this.#familiesOfKeys();
    const accesses = new Map<Family, number>();
    for (const { keys } of this.#operations)
      for (const key of keys) {
        const family = familyOf[key];
        if (family !== undefined) accesses.set(family, (accesses.get(family) ?? 0) + 1);
      }
    const [[main] = ['strings' as const]] = [...accesses].sort(([, a], [, b]) => b - a);
    return this.#operations.map(operation => ({
      ...operation,
      families: operation.keys.map((key, index) => operation.form.families[index] ?? familyOf[key] ?? main),
    }));
  }

  /** The family of each key; undefined if no command shows it. */
  #familiesOfKeys(): (Family | undefined)[] {
    const familyOf: (Family | undefined)[] = [];
    for (const { form, keys } of this.#operations)
      for (const [index, key] of keys.entries()) familyOf[key] ??= form.families[index];
    return familyOf;
  }

  add(commands: readonly RecordedCommand[]): void {
    const requests = commands.flatMap(({ words, at }) => formOf(words, at) ?? []);
    const database = commands[0]?.database ?? 0;
    const names = requests.map(request =>
      request.words.flatMap(word => (typeof word === 'string' ? [] : `${database} ${word.key}`)),
    );
    const all = names.flat();
    const labelled = requests.length > 1 ? repeated(all) : [];
    const form =
      requests.length < commands.length || isIncomplete(commands)
        ? undefined
        : this.#formOf(requests, database, labelled);
    if (form === undefined) {
      this.#leaveOut(commands);
      return;
    }
    const sizes = requests.flatMap(request => request.sizes);
    this.#operations.push({
      form,
      keys: (labelled.length > 0 ? [...new Set(all)] : all).map(name => this.#numberOf(name)),
      at: commands.at(-1)?.at ?? 0,
      bytes: sizes[0],
    });
    for (const [index, { elements }] of requests.entries()) {
      const [key] = names[index] ?? [];
      if (elements.length === 0 || key === undefined) continue;
      const number = this.#numberOf(key);
      const before = this.#elements.size;
      for (const element of elements) this.#elements.add(`${number} ${element}`);
      const added = this.#elements.size - before;
      this.#elementsOf.set(number, (this.#elementsOf.get(number) ?? 0) + added);
    }
    for (const size of sizes) this.sizes.set(size, (this.sizes.get(size) ?? 0) + 1);
    for (const [index, number] of requests.flatMap(({ numbers }) => numbers).entries()) {
      const range = form.ranges[index] ?? { from: number, to: number };
      form.ranges[index] = { from: Math.min(range.from, number), to: Math.max(range.to, number) };
    }
  }

  #numberOf(key: string): number {
    const number = this.#keys.get(key) ?? this.#keys.size;
    this.#keys.set(key, number);
    return number;
  }

  /**
   * @param labelled keys that occur several times, by database and name
   * @returns undefined if it is no command of a workload
   */
  #formOf(
    requests: readonly RequestForm[],
    database: number,
    labelled: readonly string[],
  ): OperationForm | undefined {
    const placeholder = ({ key }: KeyWord) => {
      const label = labelled.indexOf(`${database} ${key}`);
      return label < 0 ? '{key}' : `{key:${label + 1}}`;
    };
    const text = requests
      .map(({ words }) => words.map(word => (typeof word === 'string' ? word : placeholder(word))).join(' '))
      .join('; ');
    const known = this.#forms.get(text);
    if (known !== undefined) return known;
    const families = keyFamilies(text);
    if (families === undefined) return undefined;
    const name = requests.length === 1 ? (requests[0]?.name ?? '') : 'MULTI';
    const form = { name, text, ranges: [], families };
    this.#forms.set(text, form);
    return form;
  }

  #leaveOut(commands: readonly RecordedCommand[]): void {
    const isTransaction = commands.length > 1;
    const [first] = commands;
    const name = isTransaction || first === undefined ? 'MULTI' : nameOf(first);
    const reason = isTransaction
      ? 'a transaction that is empty, or has a command that cannot be replayed'
      : reasonToLeaveOut(name, first?.words.slice(1) ?? []);
    const row = this.leftOut.get(name) ?? { count: 0, reason };
    row.count++;
    this.leftOut.set(name, row);
  }
}

function reasonToLeaveOut(name: string, args: readonly string[]): string {
  if (ofTransactions.test(name)) return 'the recording does not have the whole transaction';
  if (/^S?PUBLISH$/.test(name)) return 'MONITOR does not show who listens; add it with workload.subscribers';
  if (scriptCommands.has(name)) return 'the script can use other keys than those that are passed to it';
  return reasonToRefuse(name, args) ?? 'not among the commands that can be replayed';
}

/** Whether it is part of a transaction, or a transaction that was not executed, whose commands MONITOR does not show. */
function isIncomplete(commands: readonly RecordedCommand[]): boolean {
  const names = commands.map(nameOf);
  return names.length === 1 ? ofTransactions.test(names.join()) : names.at(-2) === 'MULTI';
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) < index))];
}

/** The family of each different key of a template; undefined for those of a command that takes any. Undefined if it is none. */
function keyFamilies(text: string): (Family | undefined)[] | undefined {
  const command = text.replaceAll(numberSlot, '1').replaceAll(elementSlot, '1');
  const labels = new Set<string>();
  let requests: readonly RequestOfMix[];
  try {
    requests = requestsOf([{ command }]);
  } catch {
    return undefined;
  }
  return requests.flatMap(({ request, family, isOwn }) =>
    request.args.flat().flatMap(part => {
      if (part.kind !== 'key' || (part.label !== undefined && labels.has(part.label))) return [];
      if (part.label !== undefined) labels.add(part.label);
      return [isOwn ? family : undefined];
    }),
  );
}
