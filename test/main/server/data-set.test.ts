import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { mergeCommands } from '../../../src/aggregate/stats/merge.ts';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { workload as workloadSchema, workloadTask } from '../../../src/main/experiment/workload.ts';
import { Control, connectControl } from '../../../src/main/server/control.ts';
import { DataSet } from '../../../src/main/server/data-set.ts';
import type { KeySpace } from '../../../src/main/server/key-space.ts';
import { parseAddress } from '../../../src/main/server/url.ts';
import { keyName } from '../../../src/pool/client/batch.ts';
import { clientNames, loopback, patient } from '../../support/connections.ts';
import { shareServer, startRedis, type TestServer } from '../../support/servers.ts';
import { runOne, stopAfter } from '../../support/threads.ts';

const space: KeySpace = { prefix: 'poolbench:1:', keys: 1, token: 'a token', claimed: true, warnings: [] };

function taskOf(config: object) {
  return workloadTask(workloadSchema.parse(config));
}

const mixOf = (...commands: string[]) => ({ commands: commands.map(command => ({ command })) });

/** Of every family. */
const everything = mixOf(
  'GET {key}',
  'INCR {key}',
  'HGETALL {key}',
  'HGET {key} name',
  'LRANGE {key} 0 -1',
  'SMEMBERS {key}',
  'ZRANGE {key} 0 -1',
  'XRANGE {key} - +',
  'PFCOUNT {key}',
);

describe('data set', () => {
  let server: TestServer;
  let control: Control;

  beforeAll(async () => {
    server = await shareServer();
    control = await connectControl(parseAddress(server.url), patient);
  });
  beforeEach(async () => {
    // The test's own server: nobody else's keys are here.
    await control.call('FLUSHALL');
  });
  afterAll(() => control?.close());

  function open(config: object, of = control) {
    const warnings: string[] = [];
    const parts = { seed: 1, workload: taskOf(config), warn: (line: string) => warnings.push(line) };
    return { data: new DataSet(of, space, parts), warnings };
  }

  test('keys of every family that the mix uses are written, with as many elements as the config says', async () => {
    const { data, warnings } = open({ keys: 30, members: 4, valueBytes: 50, ...everything });
    await data.write();
    expect(warnings).toEqual([]);
    expect(await control.call('DBSIZE')).toBe(8 * 30);
    const key = (family: number) => keyName(space.prefix, family * 30 + 29);
    const types = await Promise.all([0, 1, 2, 3, 4, 5, 6].map(family => control.call('TYPE', key(family))));
    expect(types).toEqual(['string', 'string', 'hash', 'list', 'set', 'zset', 'stream']);
    expect(await control.call('STRLEN', key(0))).toBe(50);
    expect(await control.call('GET', key(1))).toBe('0');
    expect(await control.call('HKEYS', key(2))).toEqual(['name', 'f1', 'f2', 'f3']);
    expect(await control.call('HSTRLEN', key(2), 'name')).toBe(50);
    for (const [size, family] of [
      ['LLEN', 3],
      ['SCARD', 4],
      ['ZCARD', 5],
      ['XLEN', 6],
      ['PFCOUNT', 7],
    ] as const)
      expect([size, await control.call(size, key(family))]).toEqual([size, 4]);
  });

  test('a type with a number of keys and elements of its own has these, and what follows comes behind it', async () => {
    const types = { strings: { keys: 7 }, hashes: { keys: 2, members: 6 }, lists: { members: 3 } };
    const { data, warnings } = open({ keys: 30, members: 4, types, ...everything });
    await data.write();
    expect(warnings).toEqual([]);
    expect(await control.call('DBSIZE')).toBe(7 + 2 + 6 * 30);
    const call = (command: string, number: number) => control.call(command, keyName(space.prefix, number));
    expect(await call('TYPE', 6)).toBe('string');
    expect(await call('INCR', 7)).toBe(1);
    expect(await call('HLEN', 37)).toBe(6);
    expect(await call('HLEN', 38)).toBe(6);
    expect(await call('LLEN', 39)).toBe(3);
    expect(await call('SCARD', 69)).toBe(4);
    expect(await data.ready('a measurement')).toMatchObject({ missing: 0, sampled: 7 + 2 + 6 * 30 });
  });

  test('elements that are too large for one request are written in several', async () => {
    const { data, warnings } = open({
      keys: 1,
      members: 12,
      valueBytes: 1_000_000,
      ...mixOf('LRANGE {key} 0 -1'),
    });
    await data.write();
    expect(warnings).toEqual([]);
    expect(await control.call('LLEN', keyName(space.prefix, 0))).toBe(12);
  });

  test.each(clientNames.flatMap(client => ([2, 3] as const).map(protocol => ({ client, protocol }))))(
    '$client, RESP$protocol: reads of what is there are hits, reads of what is not are misses, in every family',
    async ({ client, protocol }) => {
      const workload = taskOf({ keys: 50, hitShare: 0.5, ...everything });
      await open({ keys: 50, hitShare: 0.5, ...everything }).data.write();
      const options = {
        client,
        workload,
        keyPrefix: space.prefix,
        address: loopback(server.port, { protocol }),
      };
      const pools = [{ keys: 50 }];
      const half = { ...options, pools, pipeline: 20, seconds: 10 };
      const sample = await runOne(server.port, half, stopAfter(2000));
      expect(sample.failed).toEqual({});
      const { commands } = mergeCommands(sample.commands);
      for (const { name, completed, misses } of commands.filter(({ name }) => name !== 'INCR')) {
        // Of a binomial: five standard deviations.
        const tolerance = (5 * Math.sqrt(completed * 0.25) + 1) / completed;
        expect([name, misses / completed]).toEqual([name, expect.closeTo(0.5, -Math.log10(2 * tolerance))]);
      }
      const all = { ...options, pools, workload: { ...workload, hitShare: 1 }, seconds: 10 };
      const { commands: whole } = mergeCommands((await runOne(server.port, all, stopAfter(500))).commands);
      expect(whole.map(({ misses }) => misses)).toEqual(whole.map(() => 0));
    },
  );

  test('EXPIRE beside HSET sets the time to live of the hashes', async () => {
    const config = { keys: 20, ...mixOf('HSET {key} f {value}', 'EXPIRE {key} {number:100-200}') };
    await open(config).data.write();
    const pools = [{ keys: 20 }];
    const task = { workload: taskOf(config), keyPrefix: space.prefix, pools, seconds: 10 };
    await runOne(server.port, task, stopAfter(500));
    const names = Array.from({ length: 20 }, (_, number) => keyName(space.prefix, number));
    const types = await Promise.all(names.map(name => control.call('TYPE', name)));
    expect(new Set(types)).toEqual(new Set(['hash']));
    const ttls = await Promise.all(names.map(name => control.call('TTL', name)));
    expect(ttls.filter(ttl => Number(ttl) > 0).length).toBeGreaterThan(0);
  });

  test('keys that are missing before a measurement are written again, and told with figures', async () => {
    const { data, warnings } = open({ keys: 120, ...everything });
    await data.write();
    expect(await data.ready('round 1 of a')).toEqual({ state: 'asPlanned', sampled: 800, missing: 0 });
    await control.call('FLUSHALL');
    expect(await data.ready('round 2 of a')).toEqual({ state: 'restored', sampled: 800, missing: 800 });
    expect(warnings).toEqual([expect.stringMatching(/round 2 of a.*800 of 800/)]);
    expect(await control.call('DBSIZE')).toBe(8 * 120);
    expect(await data.ready('round 3 of a')).toEqual({ state: 'asPlanned', sampled: 800, missing: 0 });
  });

  test('what a scan of an index needs is missing if one record is', async () => {
    const { data } = open({ keys: 300, ycsb: 'E' });
    await data.write();
    await control.call('ZPOPMIN', keyName(space.prefix, 0));
    expect(await data.ready('round 1')).toEqual({ state: 'restored', sampled: 300, missing: 1 });
    expect(await control.call('ZCARD', keyName(space.prefix, 0))).toBe(300);
  });

  test('a mix that removes, adds or expires begins every measurement with the same data', async () => {
    const mix = mixOf('GET {key}', 'DEL {key}', 'LPUSH {key} {value}', 'EXPIRE {key} 1');
    const { data, warnings } = open({ keys: 20, members: 3, ...mix });
    await data.write();
    await control.call('DEL', keyName(space.prefix, 3));
    await control.call('LPUSH', keyName(space.prefix, 25), 'more');
    await control.call('EXPIRE', keyName(space.prefix, 26), 100);
    expect(await data.ready('round 1')).toEqual({ state: 'rewritten', sampled: 40, missing: 1 });
    expect(await control.call('EXISTS', keyName(space.prefix, 3))).toBe(1);
    expect(await control.call('LLEN', keyName(space.prefix, 25))).toBe(3);
    expect(await control.call('TTL', keyName(space.prefix, 26))).toBe(-1);
    expect(warnings).toEqual([]);
  });

  test('data that are too large to be written again each time are told, and are not as planned', async () => {
    const { data, warnings } = open({ keys: 100, valueBytes: 700_000, ...mixOf('GET {key}', 'DEL {key}') });
    await data.write();
    expect(warnings).toEqual([expect.stringMatching(/by DEL\b.*no verdict/)]);
    await control.call('DEL', keyName(space.prefix, 3));
    expect(await data.ready('round 1')).toEqual({ state: 'notAsPlanned', sampled: 100, missing: 1 });
    expect(await control.call('DBSIZE')).toBe(99);
  });

  test('keys of a module that poolbench cannot write are told, and are not there before any measurement', async () => {
    const { data, warnings } = open({ keys: 10, ...mixOf('GET {key}', 'BF.ADD {key} {value}') });
    await data.write();
    expect(warnings).toEqual([expect.stringMatching(/keys of BF\.ADD /)]);
    expect(await control.call('DBSIZE')).toBe(10);
    await control.call('SET', keyName(space.prefix, 13), 'left by a measurement');
    expect(await data.ready('round 1')).toMatchObject({ state: 'rewritten', sampled: 10 });
    expect(await control.call('DBSIZE')).toBe(10);
  });

  test('a server that refuses the keys has no planned data, and is not asked again', async () => {
    await control.call('CONFIG', 'SET', 'maxmemory', 1);
    onTestFinished(async () => {
      await control.call('CONFIG', 'SET', 'maxmemory', 0);
    });
    const { data, warnings } = open({ keys: 5 });
    await data.write();
    expect(await data.ready('round 1')).toMatchObject({ state: 'notAsPlanned' });
    expect(await data.ready('round 2')).toMatchObject({ state: 'notAsPlanned' });
    expect(warnings).toEqual([expect.stringMatching(/OOM/)]);
  });

  test('a server that was restarted is noticed, and its data written again', async () => {
    const first = await startRedis();
    const own = await connectControl(parseAddress(first.url), patient);
    onTestFinished(() => own.close());
    const { data, warnings } = open({ keys: 50 }, own);
    await data.write();
    await first.stop();
    expect(await data.ready('round 2')).toBeNull();
    const second = await startRedis({ port: first.port });
    onTestFinished(() => second.stop());
    expect(await data.ready('round 3')).toEqual({ state: 'restored', sampled: 50, missing: 50 });
    expect(warnings).toEqual([expect.stringMatching(/restarted or replaced.*50 of 50/)]);
    expect(await own.call('DBSIZE')).toBe(50);
  });

  test('a server that is lost while its data is written again is written to again, though nearly all keys are there', async () => {
    const keys = 1001;
    const first = await startRedis();
    const own = await connectControl(parseAddress(first.url), patient);
    onTestFinished(() => own.close());
    const { data } = open({ keys }, own);
    await data.write();
    await first.stop();
    const second = await startRedis({ port: first.port });
    onTestFinished(() => second.stop());
    const pipeline = vi.spyOn(own, 'pipeline');
    const whole = Control.prototype.pipeline.bind(own);
    pipeline.mockImplementation(async requests => {
      // The last request, for a key that no sample looks for.
      if (requests.some(([name, key]) => name === 'SET' && key === keyName(space.prefix, keys - 1)))
        throw new PoolbenchError('TARGET_LOST', 'as if it did not answer');
      return await whole(requests);
    });
    expect(await data.ready('round 1')).toBeNull();
    pipeline.mockRestore();
    expect(await data.ready('round 2')).toMatchObject({ state: 'restored' });
    expect(await own.call('DBSIZE')).toBe(keys);
  });
});
