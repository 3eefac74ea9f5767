import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../src/main/server/server-process.ts';
import { keyName } from '../src/pool/client/batch.ts';
import { crc16, KeySlots } from '../src/pool/client/cluster/key-slots.ts';
import { connectObserver } from './support/observed-server.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startRedis({
    args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
  });
});
afterAll(() => server?.stop());

/** What the server says of many keys at once. */
async function slotsOf(redis: Redis, keys: readonly string[]): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.call('CLUSTER', 'KEYSLOT', key);
  return ((await pipeline.exec()) ?? []).map(([error, slot]) => error ?? slot);
}

const number = fc.oneof(
  fc.nat({ max: 99_999_999 }),
  fc.constantFrom(0, 9, 10, 99, 100, 9_999, 10_000, 10_001, 1_000_000, 99_990_000, 99_999_999),
);
/** Braces are what makes and breaks a hash tag. */
const prefix = fc.oneof(
  fc.string({ unit: fc.constantFrom('{', '}', 'a', 'b', ':'), maxLength: 8 }),
  fc.string({ maxLength: 20 }),
  fc.constantFrom('', 'poolbench:1:', '{tag}', '{}', '{', '{{a}}', 'ä{ö}'),
);

test('the slot of any key number under any prefix', async () => {
  const redis = await connectObserver(server.url);
  await fc.assert(
    fc.asyncProperty(prefix, fc.array(number, { minLength: 1, maxLength: 20 }), async (prefix, numbers) => {
      const slots = new KeySlots(prefix);
      const keys = numbers.map(one => keyName(prefix, one));
      expect(numbers.map(one => slots.of(one))).toEqual(await slotsOf(redis, keys));
    }),
    { seed: 16384, numRuns: 200 },
  );
});

test('the check value that is published for CRC-16/XMODEM', () => {
  expect(crc16(Buffer.from('123456789'))).toBe(0x31c3);
});
