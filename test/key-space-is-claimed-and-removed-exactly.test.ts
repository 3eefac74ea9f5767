import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Control, connectControl } from '../src/main/target/control.ts';
import {
  claimKeySpace,
  keyName,
  leftoverPrefixes,
  prefill,
  removeKeySpace,
} from '../src/main/target/key-space.ts';
import { preflight } from '../src/main/target/preflight.ts';
import { parseAddress } from '../src/main/target/url.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;
let control: Control;

beforeAll(async () => {
  server = await startRedis();
  control = await connectControl(parseAddress(server.url), { timeoutMs: 5000 });
});

beforeEach(async () => {
  // The test's own server: nobody else's keys are here.
  await control.call('FLUSHALL');
});

afterAll(async () => {
  control?.close();
  await server?.stop();
});

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
  expect(await leftoverPrefixes(control)).toEqual(['poolbench:7.1:', 'poolbench:7:']);
  await removeKeySpace(control, first);
  expect((await claimKeySpace(control, { seed: 7, keys: 1 })).prefix).toBe('poolbench:7:');
  await expect(
    Promise.all(Array.from({ length: 101 }, () => claimKeySpace(control, { seed: 8, keys: 1 }))),
  ).rejects.toMatchObject({ code: 'TARGET_NOT_AVAILABLE' });
});

test('every key is prefilled with bytes drawn from the seed, and exactly those are removed', async () => {
  const space = await claimKeySpace(control, { seed: 1, keys: 2500 });
  const others = ['poolbench:1:other', keyName(space.prefix, 2500), 'poolbench:10:00000001', 'mine'];
  for (const key of others) await control.call('SET', key, 'v');
  expect(await prefill(control, space, { seed: 1, valueBytes: 33 })).toEqual([]);
  expect(Number(await control.call('DBSIZE'))).toBe(2500 + 1 + others.length);
  expect(await control.call('STRLEN', 'poolbench:1:00002499')).toBe(33);
  const value = await control.call('GET', 'poolbench:1:00000000');
  expect(await control.call('GET', 'poolbench:1:00000001')).not.toBe(value);

  expect(await removeKeySpace(control, space)).toBe(2500);
  expect(await allKeys()).toEqual([...others].sort());

  await prefill(control, await claimKeySpace(control, { seed: 1, keys: 1 }), { seed: 1, valueBytes: 33 });
  expect(await control.call('GET', 'poolbench:1:00000000')).toBe(value);
});

test('a server that does not know UNLINK is asked to DEL', async () => {
  const old = await startRedis({ args: ['--rename-command', 'UNLINK', ''] });
  const oldControl = await connectControl(parseAddress(old.url), { timeoutMs: 5000 });
  const space = await claimKeySpace(oldControl, { seed: 1, keys: 1500 });
  await prefill(oldControl, space, { seed: 1, valueBytes: 0 });
  expect(await removeKeySpace(oldControl, space)).toBe(1500);
  expect(await oldControl.call('DBSIZE')).toBe(0);
  oldControl.close();
  await old.stop();
});

test('a read-only replica and a full memory give one warning, not an end', async () => {
  await control.call('REPLICAOF', '127.0.0.1', '1');
  const space = await claimKeySpace(control, { seed: 1, keys: 3000 });
  expect(space.warnings).toEqual([expect.stringMatching(/refuses writes: READONLY/)]);
  expect(await prefill(control, space, { seed: 1, valueBytes: 8 })).toEqual([
    expect.stringMatching(/READONLY/),
  ]);
  expect(await removeKeySpace(control, space)).toBe(0);
  expect((await preflight({ control }, { connections: 1, keys: 1, valueBytes: 1 })).join()).toMatch(
    /read-only replica: writes will fail with READONLY/,
  );
  await control.call('REPLICAOF', 'NO', 'ONE');

  await control.call('CONFIG', 'SET', 'maxmemory', 1);
  const full = await claimKeySpace(control, { seed: 2, keys: 10 });
  expect(full.warnings).toEqual([expect.stringMatching(/OOM/)]);
  expect(await prefill(control, full, { seed: 2, valueBytes: 8 })).toEqual([expect.stringMatching(/OOM/)]);
  await control.call('CONFIG', 'SET', 'maxmemory', 0);
});
