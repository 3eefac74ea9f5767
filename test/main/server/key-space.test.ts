import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { claimKey, isTaken } from '../../../src/main/server/claim.ts';
import { type Control, connectControl } from '../../../src/main/server/control.ts';
import { claimKeySpace, removeInserted, removeKeySpace } from '../../../src/main/server/key-space.ts';
import { leave } from '../../../src/main/server/other-servers.ts';
import { preflight, surveyDatabase } from '../../../src/main/server/preflight.ts';
import { parseAddress } from '../../../src/main/server/url.ts';
import { keyName } from '../../../src/pool/client/batch.ts';
import { randomValue } from '../../../src/workers/workload/values.ts';
import { patient } from '../../support/connections.ts';
import { plainWorkload } from '../../support/plain-workload.ts';
import { prefill } from '../../support/prefill.ts';
import { shareServer, startRedis, type TestServer } from '../../support/servers.ts';

describe('key space is claimed and removed exactly', () => {
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

  function plain({ keys }: { keys: number }, seed: number, valueBytes: number) {
    return { seed, workload: plainWorkload({ keys, valueBytes, readShare: 0.5 }) };
  }

  async function allKeys(): Promise<string[]> {
    return String(await control.call('KEYS', '*'))
      .split(',')
      .sort();
  }

  test('the same seed gives the same prefix, unless a run is using it', async () => {
    const first = await claimKeySpace(control, { seed: 7, keys: 1 });
    expect(first.prefix).toBe('poolbench:7:');
    const second = await claimKeySpace(control, { seed: 7, keys: 1 });
    expect(second.prefix).toBe('poolbench:7.1:');
    expect((await surveyDatabase(control)).prefixes).toEqual(['poolbench:7.1:', 'poolbench:7:']);
    await removeKeySpace(control, first);
    expect((await claimKeySpace(control, { seed: 7, keys: 1 })).prefix).toBe('poolbench:7:');
    // Of two runs that want the last one free, one gets it.
    const taken = Array.from({ length: 99 }, (_, run) => `poolbench:8${run === 0 ? '' : `.${run}`}:`);
    await control.pipeline(taken.map(prefix => ['SET', claimKey(prefix), 'a token']));
    const claims = [1, 2].map(() => claimKeySpace(control, { seed: 8, keys: 1 }));
    const outcomes = await Promise.allSettled(claims);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    expect(failed).toMatchObject({ reason: { code: 'TARGET_NOT_AVAILABLE' } });
    const claimed = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(claimed).toMatchObject([{ value: { prefix: 'poolbench:8.99:' } }]);
  });

  test('every key is prefilled with the value that the load writes, and exactly those are removed', async () => {
    const space = await claimKeySpace(control, { seed: 1, keys: 2500 });
    const others = ['poolbench:1:other', keyName(space.prefix, 2500), 'poolbench:10:00000001', 'mine'];
    for (const key of others) await control.call('SET', key, 'v');
    expect(await prefill(control, space, plain(space, 1, 33))).toEqual([]);
    expect(Number(await control.call('DBSIZE'))).toBe(2500 + 1 + others.length);
    expect(await control.call('STRLEN', 'poolbench:1:00002499')).toBe(33);
    // Printable: another kind of value would cost a client more to decode.
    expect(await control.call('GET', 'poolbench:1:00000000')).toBe(randomValue(33, 1));

    expect(await removeKeySpace(control, space)).toEqual({ removed: 2500, left: 0 });
    expect(await allKeys()).toEqual([...others].sort());
  });

  test('a server that does not know UNLINK is asked to DEL', async () => {
    const old = await startRedis({ args: ['--rename-command', 'UNLINK', ''] });
    const oldControl = await connectControl(parseAddress(old.url), patient);
    const space = await claimKeySpace(oldControl, { seed: 1, keys: 1500 });
    await prefill(oldControl, space, plain(space, 1, 0));
    expect(await removeKeySpace(oldControl, space)).toEqual({ removed: 1500, left: 0 });
    expect(await oldControl.call('DBSIZE')).toBe(0);
    oldControl.close();
    await old.stop();
  });

  test('a read-only replica and a full memory give one warning, not an end', async () => {
    await control.call('REPLICAOF', '127.0.0.1', '1');
    const space = await claimKeySpace(control, { seed: 1, keys: 3000 });
    expect(space.warnings).toEqual([expect.stringMatching(/refuses writes: READONLY/)]);
    expect(await prefill(control, space, plain(space, 1, 8))).toEqual([expect.stringMatching(/READONLY/)]);
    expect(await removeKeySpace(control, space)).toEqual({ removed: 0, left: 0 });
    expect(
      (
        await preflight(
          { control },
          { threads: 1, sockets: 1, connections: 1, keys: 1, valueBytes: 1 },
          { force: true },
        )
      ).join(),
    ).toMatch(/READONLY/);
    await control.call('REPLICAOF', 'NO', 'ONE');

    await control.call('CONFIG', 'SET', 'maxmemory', 1);
    const full = await claimKeySpace(control, { seed: 2, keys: 10 });
    expect(full.warnings).toEqual([expect.stringMatching(/OOM/)]);
    expect(await prefill(control, full, plain(full, 2, 8))).toEqual([expect.stringMatching(/OOM/)]);
    await control.call('CONFIG', 'SET', 'maxmemory', 0);
  });

  test('without a claim the keys are under a prefix that no other run of the seed has', async () => {
    const holder = await claimKeySpace(control, { seed: 5, keys: 10 });
    expect(holder.claimed).toBe(true);
    await prefill(control, holder, plain(holder, 5, 8));
    await control.call('CONFIG', 'SET', 'maxmemory', 1);
    const spaces = [1, 2].map(() => claimKeySpace(control, { seed: 5, keys: 10 }));
    const [one, other] = await Promise.all(spaces);
    await control.call('CONFIG', 'SET', 'maxmemory', 0);
    if (one === undefined || other === undefined) throw new Error('expected two key spaces');
    for (const { claimed, prefix } of [one, other]) {
      expect(claimed).toBe(false);
      expect(prefix).toMatch(/^poolbench:5\.[0-9a-f]{8}:$/);
    }
    expect(one.prefix).not.toBe(other.prefix);

    // Memory may be free again by then.
    expect(await prefill(control, one, plain(one, 5, 8))).toEqual([]);
    expect(await removeKeySpace(control, one)).toEqual({ removed: 10, left: 0 });
    expect(await removeKeySpace(control, holder)).toEqual({ removed: 10, left: 0 });
    expect(await control.call('DBSIZE')).toBe(0);
  });

  test('keys under a prefix that another run has claimed since are left alone, and so is its claim', async () => {
    const rights = ['on', '>pw', '~poolbench:*', '+@all', '-eval'];
    await control.call('ACL', 'SETUSER', 'unscripted', 'reset', ...rights);
    const unscripted = await connectControl(parseAddress(server.url.replace('//', '//unscripted:pw@')), {
      timeoutMs: 5000,
    });
    onTestFinished(async () => {
      unscripted.close();
      await control.call('ACL', 'DELUSER', 'unscripted');
    });
    for (const own of [control, unscripted]) {
      const first = await claimKeySpace(own, { seed: 9, keys: 1500 });
      // A restart without persistence does the same.
      await control.call('FLUSHALL');
      const second = await claimKeySpace(control, { seed: 9, keys: 1500 });
      expect(second.prefix).toBe(first.prefix);
      await prefill(control, second, plain(second, 9, 8));
      const growing = {
        ...plainWorkload({ keys: 10, valueBytes: 8, readShare: 0.5 }),
        growth: 'latest',
      } as const;
      const inserted = [{ share: { firstKey: 0, keys: 10 }, records: 5 }];
      expect(await removeInserted(own, first, growing, inserted)).toContain('another run');
      expect(await removeKeySpace(own, first)).toEqual({ removed: 0, left: 0, taken: true });
      expect(await control.call('DBSIZE')).toBe(1501);
      expect(await removeKeySpace(own, second)).toEqual({ removed: 1500, left: 0 });
      expect(await control.call('DBSIZE')).toBe(0);
    }
  });

  test('a claim that is gone is claimed again, and its keys are removed', async () => {
    const space = await claimKeySpace(control, { seed: 9, keys: 10 });
    await control.call('FLUSHALL');
    expect(await isTaken(control, space)).toBe(false);
    expect((await claimKeySpace(control, { seed: 9, keys: 10 })).prefix).toBe('poolbench:9.1:');
    await control.call('SET', keyName(space.prefix, 3), 'written by the load since');
    await control.call('DEL', claimKey(space.prefix));
    expect(await removeKeySpace(control, space)).toEqual({ removed: 1, left: 0 });
    expect(await allKeys()).toEqual(['poolbench:9.1:claim']);
  });

  test('keys that the server does not let go are counted, with its reason, and keep their claim', async () => {
    const rights = ['on', '>pw', '~poolbench:*', '+set', '+ping', '+select'];
    await control.call('ACL', 'SETUSER', 'writer', 'reset', ...rights);
    const writer = await connectControl(parseAddress(server.url.replace('//', '//writer:pw@')), {
      timeoutMs: 5000,
    });
    onTestFinished(async () => {
      writer.close();
      await control.call('ACL', 'DELUSER', 'writer');
    });
    const space = await claimKeySpace(writer, { seed: 6, keys: 1500 });
    await prefill(writer, space, plain(space, 6, 8));
    const refused = { removed: 0, left: 1500, reason: expect.stringMatching(/^NOPERM.*del/i) };
    expect(await removeKeySpace(writer, space)).toEqual(refused);
    expect((await surveyDatabase(control)).prefixes).toEqual(['poolbench:6:']);

    await control.call('REPLICAOF', '127.0.0.1', '1');
    const readOnly = { removed: 0, left: 1500, reason: expect.stringMatching(/^READONLY/) };
    expect(await removeKeySpace(control, space)).toEqual(readOnly);
    await control.call('REPLICAOF', 'NO', 'ONE');

    await control.call('ACL', 'SETUSER', 'writer', '+del');
    expect(await removeKeySpace(writer, space)).toEqual({ removed: 1500, left: 0 });
    expect(await control.call('DBSIZE')).toBe(0);
  });
});

const connectTo = ({ url }: TestServer) => connectControl(parseAddress(`${url}/1`), patient);

describe('preflight warns before the load', () => {
  let server: TestServer;
  let control: Control;
  const needs = { threads: 1, sockets: 1, connections: 10, keys: 1000, valueBytes: 32 };
  const careful = { force: false };

  beforeAll(async () => {
    server = await shareServer('valkey');
    control = await open();
  });

  afterAll(() => control?.close());

  const open = () => connectTo(server);

  test('a quiet, empty server gives no warning', async () => {
    expect(await preflight({ control }, needs, careful)).toEqual([]);
  });

  test('the other sides of a run are no other clients of the server that they share', async () => {
    const [own, elsewhere] = [await open(), await connectTo(await shareServer('redis'))];
    onTestFinished(() => elsewhere.close());
    const beside = [own, elsewhere];
    expect(await preflight({ control }, needs, { force: false, beside })).toEqual([]);
    await leave(own);
    const stranger = await open();
    onTestFinished(() => leave(stranger));
    expect(await preflight({ control }, needs, { force: false, beside: [elsewhere] })).toEqual([
      expect.stringMatching(/^1 other client/),
    ]);
  });

  test('the warnings name what would disturb the figures', async () => {
    const other = await open();
    onTestFinished(() => other.close());
    await claimKeySpace(control, { seed: 3, keys: 1 });
    await control.call('CONFIG', 'SET', 'save', '3600 1', 'appendonly', 'yes', 'maxmemory', '1100kb');
    const warnings = await preflight({ control }, needs, careful);
    await control.call('CONFIG', 'SET', 'save', '', 'appendonly', 'no', 'maxmemory', '0');
    await control.call('DEL', 'poolbench:3:claim');
    const expected = [
      /^1 other client/,
      /writes to disk \(append-only file, snapshots \(save 3600 1\)\)/,
      /the keys need about 0\.1 MiB, but .* of 1\.1 MiB of maxmemory are already used \(policy noeviction\)/,
      /other poolbench runs \(poolbench:3:\).* resumed \(run --resume\).* unlink$/,
    ];
    expect(warnings).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(warnings[index]).toMatch(pattern);
  });

  test('a server that admits fewer clients than the plan needs is an error with the numbers', async () => {
    await control.call('CONFIG', 'SET', 'maxclients', 20);
    onTestFinished(async () => {
      await control.call('CONFIG', 'SET', 'maxclients', 10_000);
    });
    expect(await preflight({ control }, { ...needs, connections: 19 }, careful)).toEqual([]);
    await expect(preflight({ control }, { ...needs, connections: 20 }, careful)).rejects.toMatchObject({
      code: 'TARGET_TOO_SMALL',
      message: expect.stringMatching(/\b20 connections .*\b20 clients .*\b1, .*\b19 .*maxclients 37/),
    });
  });

  test.runIf(process.platform === 'linux')(
    'too low a limit of open files is an error with the numbers',
    async () => {
      await control.call('CONFIG', 'SET', 'maxclients', 10_000);
      const unlimited = {
        call: control.call.bind(control),
        info: async () => new Map(),
        address: control.address,
      };
      // A server that tells no maxclients leaves the decision to this process's own limit.
      const server = { value: control.server };
      const blind = Object.assign(Object.create(control, { server }), unlimited);
      await expect(
        preflight({ control: blind }, { ...needs, sockets: 2 ** 31 }, careful),
      ).rejects.toMatchObject({
        code: 'TARGET_TOO_SMALL',
        message: expect.stringMatching(/this process may open \d+ files, and needs \d+ .*\(ulimit -n \d+\)/),
      });
    },
  );
});
