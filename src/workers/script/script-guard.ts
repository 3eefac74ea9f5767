import { keyDigits } from '../../pool/client/batch.ts';
import type { CommandGuard } from '../../pool/connection.ts';
import {
  hasOneKeyInFront,
  placesOfKeys,
  reasonToRefuse,
  scriptCommands,
  statNameOf,
} from '../workload/command-rules.ts';
import { ScriptFault } from './script-fault.ts';

/** How often a command was sent that the server counts under one name. */
interface Count {
  sent: number;
  /** Whether none was in a transaction, whose commands the server counts only when it runs them. */
  isApart: boolean;
}

/** What a command's name says. */
interface Rule {
  /** In capitals. */
  readonly name: string;
  readonly hasOneKeyInFront: boolean;
  /** Undefined if the server counts its subcommands. */
  readonly count: Count | undefined;
}

/** The coordinator and the pools send these, too. */
const sentByOthers = new Set(['ping', 'info']);

/**
 * Checks each command of a script before it is sent: refuses commands that a load must never send, and keys that are
 * not the run's own, by the tables of the templates, and counts the rest.
 */
export class ScriptGuard {
  readonly #keyPrefix: string;
  readonly #keys: number;
  readonly #rules = new Map<string, Rule>();
  /** By the name in commandstats. */
  readonly #counts = new Map<string, Count>();

  /** @param keys numbers of the run's keys */
  constructor(keyPrefix: string, keys: number) {
    this.#keyPrefix = keyPrefix;
    this.#keys = keys;
  }

  /** For one connection, which can be in a transaction. */
  forConnection(): CommandGuard {
    let isInTransaction = false;
    return (given, args, first) => {
      const rule = this.#rules.get(given) ?? this.#makeRule(given);
      const { name } = rule;
      const fault = rule.hasOneKeyInFront
        ? this.#faultOfKey(name, args[first])
        : this.#faultOf(name, args.slice(first).map(textOf));
      if (fault !== undefined) return fault;
      if (name === 'EXEC' || name === 'DISCARD') isInTransaction = false;
      const count = rule.count ?? this.#countOf(statNameOf(name, textOf(args[first])));
      if (isInTransaction) count.isApart = false;
      else count.sent++;
      if (name === 'MULTI') isInTransaction = true;
      return undefined;
    };
  }

  /**
   * How often each command was sent, by its name in commandstats; null where the server's count is another, as it was sent in
   * a transaction, or as a script of the server's can call it.
   */
  get sent(): Readonly<Record<string, number | null>> {
    const isScript = (name: string) => scriptCommands.has(name.toUpperCase());
    const counts = [...this.#counts].filter(
      ([name, { sent, isApart }]) => !sentByOthers.has(name) && (sent > 0 || !isApart),
    );
    const runScripts = counts.some(([name]) => isScript(name));
    return Object.fromEntries(
      counts.map(([name, { sent, isApart }]) => [
        name,
        isApart && (isScript(name) || !runScripts) ? sent : null,
      ]),
    );
  }

  #makeRule(given: string): Rule {
    const name = given.toUpperCase();
    const isCounted = statNameOf(name, '') === name.toLowerCase();
    const rule = {
      name,
      hasOneKeyInFront: hasOneKeyInFront(name),
      count: isCounted ? this.#countOf(name.toLowerCase()) : undefined,
    };
    this.#rules.set(given, rule);
    return rule;
  }

  #countOf(statName: string): Count {
    const count = this.#counts.get(statName) ?? { sent: 0, isApart: true };
    this.#counts.set(statName, count);
    return count;
  }

  #faultOf(name: string, args: readonly string[]): ScriptFault | undefined {
    const reason = reasonToRefuse(name, args);
    if (reason !== undefined) return new ScriptFault('COMMAND_REFUSED', `${name} was not sent: ${reason}`);
    try {
      for (const place of placesOfKeys(name, args)) {
        const fault = this.#faultOfKey(name, args[place - 1]);
        if (fault !== undefined) return fault;
      }
    } catch (error) {
      return new ScriptFault('COMMAND_REFUSED', `${name} was not sent: expected ${(error as Error).message}`);
    }
    return undefined;
  }

  /** The server refuses a command that lacks a key. */
  #faultOfKey(name: string, key: unknown): ScriptFault | undefined {
    if (key === undefined || this.#isOwn(textOf(key))) return undefined;
    return new ScriptFault(
      'FOREIGN_KEY',
      `${name} was not sent: expected a key that key() returns, found ${JSON.stringify(textOf(key).slice(0, 100))}`,
    );
  }

  #isOwn(key: string): boolean {
    const first = this.#keyPrefix.length;
    if (key.length !== first + keyDigits || !key.startsWith(this.#keyPrefix)) return false;
    let number = 0;
    for (let at = first; at < key.length; at++) {
      const digit = key.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) return false;
      number = number * 10 + digit;
    }
    return number < this.#keys;
  }
}

/** Clients take text, bytes and numbers. */
function textOf(arg: unknown): string {
  return typeof arg === 'string' ? arg : Buffer.isBuffer(arg) ? arg.toString('latin1') : String(arg);
}
