import { expect, test } from 'vitest';
import { mergeCommands } from '../../../src/aggregate/stats/merge.ts';
import { keyName } from '../../../src/pool/client/batch.ts';
import type { WorkloadTask } from '../../../src/workers/contract.ts';
import { keyRanges } from '../../../src/workers/workload/keys.ts';
import { type Running, startBothServers } from '../../support/both-servers.ts';
import { type AnyClient, loadedNames } from '../../support/connections.ts';
import { plainWorkload } from '../../support/plain-workload.ts';
import { accounted, runOne, stopAfter } from '../../support/threads.ts';

const keys = 500;
const workload: WorkloadTask = {
  ...plainWorkload({ keys, valueBytes: 16, readShare: 0.5 }),
  keyChoice: { kind: 'zipfian', exponent: 0.9 },
  values: [10, 100, 1000].map(bytes => ({ weight: 1, value: { bytes } })),
  commands: [
    { command: 'GET {key}', weight: 50 },
    { command: 'MGET {key} {key}', weight: 5 },
    { command: 'SETEX {key} {number:1000-2000} {value}', weight: 20 },
    { command: 'INCRBY {key} {number:1-1000}', weight: 10 },
    { command: 'ZADD {key} {number:1-9} member-{counter}', weight: 5 },
    { command: 'OBJECT ENCODING {key}', weight: 3 },
    { command: 'ECHO {value}', weight: 3 },
  ],
  hitShare: 0.8,
  apart: true,
};

const statNames: Readonly<Record<string, string>> = { OBJECT: 'object|encoding' };

const running = startBothServers();

/** Covers every pair of server and client, server and batch size, and client and batch size. */
const arms: readonly { name: string; client: AnyClient; pipeline: number }[] = [
  { name: 'redis', client: 'wire', pipeline: 1 },
  { name: 'redis', client: 'ioredis', pipeline: 10 },
  { name: 'valkey', client: 'wire', pipeline: 10 },
  { name: 'valkey', client: 'ioredis', pipeline: 1 },
  ...loadedNames.map(client => ({ name: 'redis', client, pipeline: 10 })),
];

test.each(arms)('$name, $client, batches of $pipeline', async ({ name, client, pipeline }) => {
  const { server, control } = running.get(name) as Running;
  const keyPrefix = `${client}-${pipeline}:`;
  await control.pipeline(
    Array.from({ length: keys }, (_, key) => ['SET', keyName(keyPrefix, key), 'prefilled'] as const),
  );
  await control.call('CONFIG', 'RESETSTAT');
  const pools = [{ workers: 4, keys }];
  const task = { client, pipeline, pools, keyPrefix, workload, seconds: 10 };
  const sample = await runOne(server.port, task, stopAfter(1000));
  const stats = await control.info('commandstats');

  expect(sample.failed).toEqual({});
  expect(accounted(sample)).toBe(sample.issued);
  const { commands, hits } = mergeCommands(sample.commands);
  expect(commands.reduce((sum, { completed }) => sum + completed, 0)).toBe(sample.completed);
  expect(commands.reduce((sum, { misses }) => sum + misses, 0)).toBe(sample.misses);
  for (const command of commands) {
    const counted = stats.get(`cmdstat_${statNames[command.name] ?? command.name.toLowerCase()}`);
    // A rare command may not have come, and then has no line.
    const calls = Number(/calls=(\d+)/.exec(counted ?? '')?.[1] ?? 0);
    expect([command.name, calls]).toEqual([command.name, command.completed]);
    expect(command.response.count).toBe(command.completed);
    expect(command.service.count).toBe(command.completed);
  }

  const gets = commands.find(command => command.name === 'GET');
  const reads = gets?.completed ?? 0;
  expect(hits).toBe(reads - (gets?.misses ?? 0));
  // Of a binomial: five standard deviations.
  expect(Math.abs((hits ?? 0) - 0.8 * reads)).toBeLessThan(5 * Math.sqrt(reads * 0.8 * 0.2) + 1);

  // What is there are keys of ours, in the ranges of their families, and those that were written have their time to live.
  const { families, written } = keyRanges(workload);
  expect(families.map(({ family }) => family)).toEqual(['strings', 'counters', 'sorted sets']);
  const [, names] = (await control.call('SCAN', '0', 'MATCH', `${keyPrefix}*`, 'COUNT', 100_000)) as [
    string,
    string[],
  ];
  const numbers = names.map(one => Number(one.slice(keyPrefix.length)));
  expect(Math.max(...numbers)).toBeLessThan(written);
  const lives = await control.pipeline(names.map(one => ['TTL', one]));
  const ttls = lives.map(outcome => Number('value' in outcome ? outcome.value : 0));
  expect(ttls.filter(ttl => ttl > 0).length).toBeGreaterThan(0);
  expect(
    ttls.every((ttl, index) => ttl === -1 || ((numbers[index] ?? 0) < keys && ttl > 900 && ttl <= 2000)),
  ).toBe(true);
});
