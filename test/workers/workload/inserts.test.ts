import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { workloadTask } from '../../../src/main/experiment/workload.ts';
import {
  claimKeySpace,
  type KeySpace,
  removeInserted,
  removeKeySpace,
} from '../../../src/main/server/key-space.ts';
import { keyName } from '../../../src/pool/client/batch.ts';
import type { WorkloadTask } from '../../../src/workers/contract.ts';
import { keyRanges } from '../../../src/workers/workload/keys.ts';
import { type Running, startBothServers } from '../../support/both-servers.ts';
import { prefill } from '../../support/prefill.ts';
import { accounted, type PlainSample, runOne, stopAfter } from '../../support/threads.ts';

/** More than one pipeline of those that write and remove them, for each pool. */
const keys = 2400;

const running = startBothServers();

function taskOf(workload: object): WorkloadTask {
  const config = { name: 'c', target: { server: 'any', url: 'redis://h' }, scenarios: [{}], workload };
  return workloadTask(parseConfig(JSON.stringify(config), 'c.json').workload);
}

/** Each pool has half of the keys. */
const shares = (keys: number) => [0, keys / 2].map(firstKey => ({ firstKey, keys: keys / 2 }));

function poolsOf({ inserted }: PlainSample) {
  return shares(keys).map((share, pool) => ({ share, records: inserted[pool] ?? 0 }));
}

function drive(
  name: string,
  client: 'ioredis' | 'wire',
  pipeline: number,
  parts: Parts,
): Promise<PlainSample> {
  const { server } = running.get(name) as Running;
  const task = {
    ...{ client, pipeline, keyPrefix: parts.space.prefix, workload: parts.workload, seconds: 10 },
    pools: shares(parts.workload.keys).map(share => ({ workers: 8, ...share })),
  };
  return runOne(server.port, task, stopAfter(2000));
}

interface Parts {
  readonly workload: WorkloadTask;
  readonly space: KeySpace;
}

async function claim({ control }: Running, workload: WorkloadTask): Promise<Parts> {
  const space = await claimKeySpace(control, { seed: 1, keys: keyRanges(workload).written });
  return { workload, space };
}

/** Operations of a sample by command, all of which were answered. */
function completedOf(sample: PlainSample): Record<string, number> {
  expect(sample.failed).toEqual({});
  expect(accounted(sample)).toBe(sample.issued);
  return Object.fromEntries(sample.commands.map(({ name, completed }) => [name, completed]));
}

/** Of a binomial: five standard deviations. */
function expectInsertShare(inserts: number, all: number): void {
  expect(Math.abs(inserts - 0.05 * all)).toBeLessThan(5 * Math.sqrt(all * 0.05 * 0.95) + 1);
}

const arms = [
  { name: 'redis', client: 'wire', pipeline: 1 },
  { name: 'redis', client: 'ioredis', pipeline: 10 },
  { name: 'valkey', client: 'wire', pipeline: 10 },
  { name: 'valkey', client: 'ioredis', pipeline: 1 },
] as const;

test.each(arms)('D: $name, $client, batches of $pipeline', async ({ name, client, pipeline }) => {
  const { control } = running.get(name) as Running;
  const parts = await claim(running.get(name) as Running, taskOf({ ycsb: 'D', keys }));
  const { workload, space } = parts;
  await prefill(control, space, { seed: 1, workload });

  const sample = await drive(name, client, pipeline, parts);
  const { GET = 0, SET = 0 } = completedOf(sample);
  expectInsertShare(SET, GET + SET);
  // Nothing is read before it is there.
  expect(sample.misses).toBe(0);
  expect(sample.inserted.reduce((sum, records) => sum + records, 0)).toBe(SET);
  // Each insert is another key, beside those of before and the claim.
  expect(await control.call('DBSIZE')).toBe(keys + SET + 1);

  expect(await removeInserted(control, space, workload, poolsOf(sample))).toBeUndefined();
  expect(await control.call('DBSIZE')).toBe(keys + 1);
  expect(await removeKeySpace(control, space)).toEqual({ removed: keys, left: 0 });
  expect(await control.call('DBSIZE')).toBe(0);
});

test.each(arms)('E: $name, $client, batches of $pipeline', async ({ name, client, pipeline }) => {
  const { control } = running.get(name) as Running;
  const valueBytes = { kind: 'range', from: 1, to: 20 };
  const parts = await claim(running.get(name) as Running, taskOf({ ycsb: 'E', keys, valueBytes }));
  const { workload, space } = parts;
  const index = keyName(space.prefix, 0);
  expect(await prefill(control, space, { seed: 1, workload })).toEqual([]);

  const sample = await drive(name, client, pipeline, parts);
  const { ZRANGEBYSCORE = 0, ZADD = 0 } = completedOf(sample);
  expectInsertShare(ZADD, ZRANGEBYSCORE + ZADD);
  expect(sample.inserted.reduce((sum, records) => sum + records, 0)).toBe(ZADD);
  expect(await control.call('ZCARD', index)).toBe(keys + ZADD);
  // A record is its number and its value.
  const some = (await control.call('ZRANGE', index, 0, 999, 'WITHSCORES')) as string[];
  for (let i = 0; i < some.length; i += 2) expect(some[i]).toMatch(new RegExp(`^${some[i + 1]}:.{1,20}$`));

  expect(await removeInserted(control, space, workload, poolsOf(sample))).toBeUndefined();
  expect(await control.call('ZCARD', index)).toBe(keys);
  expect(await removeKeySpace(control, space)).toEqual({ removed: 1, left: 0 });
  expect(await control.call('DBSIZE')).toBe(0);
});

test('E: what is inserted a second time is the same record', async () => {
  const { control } = running.get('redis') as Running;
  const valueBytes = { kind: 'range', from: 1, to: 20 };
  const parts = await claim(running.get('redis') as Running, taskOf({ ycsb: 'E', keys: 16, valueBytes }));
  await prefill(control, parts.space, { seed: 1, workload: parts.workload });
  const sample = await drive('redis', 'wire', 10, parts);
  const { ZADD = 0 } = completedOf(sample);
  expect(ZADD).toBeGreaterThan(32);
  expect(await control.call('ZCARD', keyName(parts.space.prefix, 0))).toBe(32);
  await removeKeySpace(control, parts.space);
});
