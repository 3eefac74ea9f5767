import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadSample, PoolShare } from '../src/workers/contract.ts';
import { startRedis, type TestServer } from './support/servers.ts';
import { accounted, runThread } from './support/threads.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.stop());

const singles = { workers: 6, pipeline: 1 };
const batches = { workers: 2, pipeline: 100 };
const rest = { minIdle: 1, firstKey: 0, keys: 100 };

test.each<[string, PoolShare[]]>([
  ['in one pool', [{ groups: [singles, batches], connections: 8, ...rest }]],
  [
    'in pools of their own',
    [
      { groups: [singles], connections: 6, ...rest },
      { groups: [batches], connections: 2, ...rest },
    ],
  ],
])('%s: two loads, each with its own account, latencies and series', async (_, pools) => {
  const sample = await runThread(server.port, { pools });
  const [ofSingles, ofBatches] = sample.loads as [LoadSample, LoadSample];
  expect(sample.loads.map(load => load.pipeline)).toEqual([1, 100]);
  for (const load of sample.loads) {
    expect(load.completed).toBeGreaterThan(0);
    expect(accounted(load)).toBe(load.issued);
    expect(load.series.reduce((sum, second) => sum + second.completed, 0)).toBe(load.completed);
  }
  expect(ofBatches.completed % 100).toBe(0);
  expect(ofBatches.completed).toBeGreaterThan(ofSingles.completed);
  expect(sample.allServedMs).toBeGreaterThan(0);
});
