import type { WorkloadTask } from '../contract.ts';
import { type Family, families, familyOf, parseCommand } from './command-templates.ts';

/** How the key numbers of a run are shared out. */
export interface KeyRanges {
  /** Families of keys that the commands use; each has as many keys as the workload, one family behind the other. */
  readonly families: readonly Family[];
  /** Keys that the prefill writes, from 0 on: those of the strings, if there are any. */
  readonly prefilled: number;
  /** Of keys that the load inserts, the first; there can be as many as there are keys. */
  readonly inserted: number;
  /** Every key that the prefill or the load can write has a number below this. */
  readonly written: number;
  /** From `written` on, as many numbers as there are keys, for reads that are to find nothing. Nobody writes them. */
  readonly all: number;
}

export function keyRanges({
  keys,
  commands,
  hitShare,
  growth,
}: Pick<WorkloadTask, 'keys' | 'commands' | 'hitShare' | 'growth'>): KeyRanges {
  const used = new Set(commands.map(({ command }) => familyOf(parseCommand(command).name)));
  const inOrder = families.filter(family => used.has(family));
  const inserted = keys * inOrder.length;
  const written = growth === 'index' ? 1 : inserted + (growth === 'latest' ? keys : 0);
  return {
    families: inOrder,
    prefilled: used.has('strings') ? keys : 0,
    inserted,
    written,
    all: written + (hitShare < 1 ? keys : 0),
  };
}

/** Records that there can be at once: of each that was there before the load, inserts can add another one. */
export function maxRecords({ keys, growth }: Pick<WorkloadTask, 'keys' | 'growth'>): number {
  return growth === null ? keys : 2 * keys;
}
