import type { WorkloadTask } from '../contract.ts';

/** The load that a config asks for if it does not say otherwise: GET and SET of values of one size, keys even. */
export function plainWorkload({
  keys,
  valueBytes,
  readShare,
}: {
  readonly keys: number;
  readonly valueBytes: number;
  readonly readShare: number;
}): WorkloadTask {
  return {
    keys,
    keyChoice: { kind: 'uniform' },
    values: [{ weight: 1, value: { bytes: valueBytes } }],
    compressibleShare: 0,
    commands: readsAndWrites(readShare),
    hitShare: 1,
    growth: null,
    apart: false,
  };
}

/** GET by its share, the rest SET. Both are there even if one is never sent. */
export function readsAndWrites(readShare: number): WorkloadTask['commands'] {
  return [
    { command: 'GET {key}', weight: readShare },
    { command: 'SET {key} {value}', weight: 1 - readShare },
  ];
}
