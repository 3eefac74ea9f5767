import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Batch, keyName } from '../src/pool/client/batch.ts';
import type { Connection } from '../src/pool/connection.ts';
import { clientNames, commands, GET, INCR, loopback, openConnection, SET } from './support/connections.ts';
import { startRedis, type TestServer } from './support/servers.ts';

let server: TestServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.port);
  for (let key = 0; key < 10; key++) await redis.set(keyName(commands.keyPrefix, key), 'some text');
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

type Operation = readonly [command: number, key: number];

/** Text is under keys below 10, nothing under the others: what became of each command, in one word. */
function expectedOf([command, key]: Operation): string {
  if (command === GET && key >= 10) return 'missed';
  return command === INCR ? 'ERR' : 'fine';
}

function outcomeOf(batch: Batch, index: number): string {
  return batch.failedAs(index) ?? (batch.hasMissed(index) ? 'missed' : 'fine');
}

/** One batch object after another is sent with it, as a worker does, so that nothing may stay from the last time. */
function send(connection: Connection, batch: Batch, operations: readonly Operation[]): void {
  for (const [index, [command, key]] of operations.entries()) {
    batch.ownCommands()[index] = command;
    batch.numbers[index] = key;
  }
  connection.send(batch);
}

const operation = fc.oneof(
  fc.tuple(fc.constant(GET), fc.integer({ min: 0, max: 19 })),
  fc.tuple(fc.constant(SET), fc.integer({ min: 0, max: 9 })),
  fc.tuple(fc.constant(INCR), fc.integer({ min: 0, max: 9 })),
);

describe.each(clientNames)('%s', client => {
  test.each([1, 7, 300])('batches of %i, used again', async size => {
    const connection = await openConnection(client, loopback(server.port));
    let done = () => {};
    const batch = new Batch(size, { done: () => done() });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: size, maxLength: size }), async operations => {
        await new Promise<void>(resolve => {
          done = resolve;
          send(connection, batch, operations);
        });
        const outcomes = operations.map((_, index) => outcomeOf(batch, index));
        expect(outcomes).toEqual(operations.map(expectedOf));
        expect(batch.misses).toBe(outcomes.filter(outcome => outcome === 'missed').length);
        expect(batch.failed).toBe(outcomes.filter(outcome => outcome === 'ERR').length);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  test('batches in flight together', async () => {
    const connection = await openConnection(client, loopback(server.port));
    const sizes = [1, 40, 3, 200, 1];
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(...sizes.map(size => fc.array(operation, { minLength: size, maxLength: size }))),
        async lists => {
          const outcomes = await Promise.all(
            lists.map(
              operations =>
                new Promise<string[]>(resolve => {
                  const batch = new Batch(operations.length, {
                    done: () => resolve(operations.map((_, index) => outcomeOf(batch, index))),
                  });
                  send(connection, batch, operations);
                }),
            ),
          );
          expect(outcomes).toEqual(lists.map(operations => operations.map(expectedOf)));
        },
      ),
      { numRuns: 10, seed: 2 },
    );
  });
});
