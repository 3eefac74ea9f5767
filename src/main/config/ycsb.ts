import type { KeyChoice, WeightedCommand } from '../../workers/contract.ts';
import { readsAndWrites } from '../../workers/workload/plain-workload.ts';

export const ycsbNames = ['A', 'B', 'C', 'F'] as const;
export type YcsbName = (typeof ycsbNames)[number];

interface Preset {
  readonly keyChoice: KeyChoice;
  readonly commands: readonly WeightedCommand[];
}

const zipfian = { kind: 'zipfian', exponent: 0.99 } as const;

/**
 * The core workloads of YCSB (B. F. Cooper et al., Benchmarking Cloud Serving Systems with YCSB, 2010) as far as Redis
 * strings can say them: a record is one string. F reads, changes and writes a record in two requests; here it is one,
 * SET with GET, as an application of Redis would do it. D reads the latest records of a growing set, and E scans
 * ranges of keys: neither is here.
 */
export const ycsbPresets: Readonly<Record<YcsbName, Preset>> = {
  A: { keyChoice: zipfian, commands: readsAndWrites(0.5) },
  B: { keyChoice: zipfian, commands: readsAndWrites(0.95) },
  C: { keyChoice: zipfian, commands: [{ command: 'GET {key}', weight: 1 }] },
  F: {
    keyChoice: zipfian,
    commands: [
      { command: 'GET {key}', weight: 0.5 },
      { command: 'SET {key} {value} GET', weight: 0.5 },
    ],
  },
};
