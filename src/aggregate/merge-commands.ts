import type { CommandSample } from '../workers/contract.ts';
import { sumByCode } from './accounting.ts';
import { mergeLatencies } from './histogram.ts';
import type { RoundResult } from './result.ts';

/** Each command of a mix over all threads, in the order of the mix, and the reads among them that found a value. */
export function mergeCommands(samples: readonly CommandSample[]): Pick<RoundResult, 'commands' | 'hits'> {
  const byName = new Map<string, CommandSample[]>();
  for (const sample of samples) byName.set(sample.name, [...(byName.get(sample.name) ?? []), sample]);
  const reads = samples.filter(({ tellsMisses }) => tellsMisses);
  return {
    hits: reads.length === 0 ? null : sum(reads, ({ completed, misses }) => completed - misses),
    commands: [...byName].map(([name, ofName]) => ({
      name,
      completed: sum(ofName, ({ completed }) => completed),
      failed: sumByCode(ofName.map(({ failed }) => failed)),
      misses: sum(ofName, ({ misses }) => misses),
      service: mergeLatencies(ofName.map(({ service }) => service)).summary,
      response: mergeLatencies(ofName.map(({ response }) => response)).summary,
    })),
  };
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0);
}
