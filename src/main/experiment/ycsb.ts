import type { KeyChoice, WeightedCommand, WorkloadTask } from '../../workers/contract.ts';

export const ycsbNames = ['A', 'B', 'C', 'D', 'E', 'F'] as const;
export type YcsbName = (typeof ycsbNames)[number];

interface Preset {
  readonly keyChoice: KeyChoice;
  readonly commands: readonly WeightedCommand[];
  readonly growth?: WorkloadTask['growth'];
}

const zipfian = { kind: 'zipfian', exponent: 0.99 } as const;

/**
 * The core workloads of YCSB (B. F. Cooper et al., Benchmarking Cloud Serving Systems with YCSB, 2010), with one command
 * for each operation. A record is one string. F reads, changes and writes a record in two requests; here it is one, SET
 * with GET, as an application of Redis would do it. E needs an order of the records that a range can be read from: here
 * they are the members of one sorted set, where YCSB's client for Redis keeps their names in one and reads each of the
 * range by itself.
 */
export const ycsbPresets: Readonly<Record<YcsbName, Preset>> = {
  A: { keyChoice: zipfian, commands: readsAndWrites(0.5) },
  B: { keyChoice: zipfian, commands: readsAndWrites(0.95) },
  C: { keyChoice: zipfian, commands: [{ command: 'GET {key}', weight: 1 }] },
  D: {
    keyChoice: zipfian,
    growth: 'latest',
    commands: [
      { command: 'GET {key}', weight: 0.95 },
      { command: 'SET {key} {value}', weight: 0.05, inserts: true },
    ],
  },
  E: {
    keyChoice: zipfian,
    growth: 'index',
    commands: [
      { command: 'ZRANGEBYSCORE {key} {record} +inf LIMIT 0 {number:1-100}', weight: 0.95 },
      { command: 'ZADD {key} {record} {record}:{value}', weight: 0.05, inserts: true },
    ],
  },
  F: {
    keyChoice: zipfian,
    commands: [
      { command: 'GET {key}', weight: 0.5 },
      { command: 'SET {key} {value} GET', weight: 0.5 },
    ],
  },
};

/** GET in this fraction of the operations, SET in the others. Both are there even if one is never sent. */
export function readsAndWrites(readRatio: number): readonly WeightedCommand[] {
  return [
    { command: 'GET {key}', weight: readRatio },
    { command: 'SET {key} {value}', weight: 1 - readRatio },
  ];
}
