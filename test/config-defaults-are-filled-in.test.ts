import { expect, test } from 'vitest';
import { parseConfig } from '../src/main/experiment/read-config.ts';

test('a config needs a name, a target and scenarios; every other key has a default', () => {
  const text = '{"name":"least","target":{"server":"redis","url":"redis://localhost"},"scenarios":[{}]}';
  expect(parseConfig(text, 'least.json')).toEqual({
    name: 'least',
    target: {
      server: 'redis',
      url: 'redis://localhost',
      threads: [],
      protocol: null,
      tls: { ca: null, cert: null, key: null, servername: null, rejectUnauthorized: true },
      sentinel: { master: null, others: [], username: null, password: null },
      cluster: false,
    },
    workload: {
      keys: 10_000,
      valueBytes: 32,
      readShare: 0.5,
      keyChoice: { kind: 'uniform' },
      valueContent: { kind: 'random' },
      commands: [],
      hitShare: 1,
      ycsb: null,
    },
    scenarios: [
      {
        client: ['ioredis'],
        pool: ['optimized'],
        pools: [1],
        workers: [50],
        pipeline: [1],
        poolsPerThread: [1],
        connectionsPerWorker: [2],
        minIdleShare: [0.25],
        healthTtlMs: [1000],
        probe: ['poll'],
        arrival: [{ kind: 'closed' }],
        connects: ['parallel'],
        autoPipelining: [false],
        batch: [{ pool: 'none' }],
        cutEveryMs: [0],
        burst: [false],
      },
    ],
    rounds: 5,
    seconds: 1,
    warmupSeconds: 0.25,
    seed: 1,
    timeoutMs: 5000,
    maxFailedShare: 0.01,
    thresholds: {},
    search: null,
  });
});

test('a single value stands for a list of one', () => {
  const text =
    '\uFEFF{"name":"one","target":{"server":"redis","url":"redis://h"},"workload":{"keys":7},"scenarios":[{"workers":3,"client":"wire"}]}';
  const experiment = parseConfig(text, 'one.json');
  expect(experiment.scenarios[0]).toMatchObject({ workers: [3], client: ['wire'] });
  expect(experiment.workload).toMatchObject({ keys: 7, valueBytes: 32, readShare: 0.5 });
});
