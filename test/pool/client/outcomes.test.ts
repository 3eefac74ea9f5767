import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Batch, keyName } from '../../../src/pool/client/batch.ts';
import type { Connection } from '../../../src/pool/connection.ts';
import {
  allClients,
  answeringClients,
  commands,
  GET,
  INCR,
  loopback,
  openConnection,
  SET,
  sendBatch,
} from '../../support/connections.ts';
import { startProxy } from '../../support/proxy.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { shareServer, type TestServer } from '../../support/servers.ts';

let server: TestServer;
let redis: Redis;

beforeAll(async () => {
  server = await shareServer();
  redis = new Redis(server.port);
});

afterAll(() => redis?.disconnect());

describe('outcomes of batches', () => {
  beforeEach(async () => {
    await redis.flushall();
  });

  describe.each(allClients)('%s', client => {
    test('completed commands, misses and errors of a batch are counted separately', async () => {
      const connection = await openConnection(client, loopback(server.port));
      const sentBefore = connection.sent;
      const outcome = await sendBatch(connection, [
        [SET, 1],
        [GET, 1],
        [INCR, 1],
        [GET, 2],
        [INCR, 1],
        [GET, 99_999_999],
        [INCR, 3],
      ]);
      expect(outcome).toMatchObject({ completed: 5, misses: 2, failures: { ERR: 2 } });

      // What one batch came to is no part of the next.
      const later = await sendBatch(connection, [
        [GET, 1],
        [GET, 2],
      ]);
      expect(later).toMatchObject({ completed: 2, misses: 1, failures: {} });
      expect([outcome.doneCalls(), later.doneCalls()]).toEqual([1, 1]);
      expect(connection.sent - sentBefore).toBe(2);
      expect(connection.settled).toBe(connection.sent);
      expect(connection.alive).toBe(true);
    });

    test('a batch of one counts like any other', async () => {
      const connection = await openConnection(client, loopback(server.port));
      expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({
        completed: 1,
        misses: 1,
        failures: {},
      });
      expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({
        completed: 1,
        misses: 0,
        failures: {},
      });
      expect(await sendBatch(connection, [[INCR, 1]])).toMatchObject({ completed: 0, failures: { ERR: 1 } });
    });

    test('replies in single bytes, and batches of thousands, count the same', async () => {
      const proxy = await startProxy(server.port);
      const connection = await openConnection(client, loopback(proxy.port));
      await sendBatch(connection, [[SET, 1]]);
      const many = Array.from({ length: 5000 }, (_, index) => [index % 3, index % 2] as const);
      const wholes = await sendBatch(connection, many);
      proxy.fragmentBytes = 1;
      const few = [...many.slice(0, 40)];
      const fragments = await sendBatch(connection, few);
      expect(wholes.completed + (wholes.failures.ERR ?? 0)).toBe(5000);
      expect(wholes.failures.ERR).toBeGreaterThan(1000);
      expect(fragments).toEqual({ ...(await replay(few)), doneCalls: expect.any(Function) });

      async function replay(operations: typeof few) {
        proxy.fragmentBytes = Number.POSITIVE_INFINITY;
        const { doneCalls: _, ...outcome } = await sendBatch(connection, operations);
        return outcome;
      }
    });

    test('PING is answered, and an error to it rejects with the text', async () => {
      const connection = await openConnection(client, loopback(server.port));
      await connection.ping();
      expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1 });

      const { port } = await startScriptedServer((request, reply) => {
        reply(request[0]?.toUpperCase() === 'PING' ? '-LOADING the data set\r\n' : '+OK\r\n');
      });
      const loading = await openConnection(client, loopback(port));
      await expect(loading.ping()).rejects.toThrow('LOADING the data set');
      expect(loading.alive).toBe(true);
    });

    test.each([
      ['-OOM command not allowed\r\n', 'OOM'],
      ["-READONLY You can't write against a read only replica.\r\n", 'READONLY'],
      ['-ERR\r\n', 'ERR'],
    ])('an error reply counts under its first word: %j', async (error, code) => {
      const { port } = await startScriptedServer((request, reply) => {
        const command = request[0]?.toUpperCase();
        reply(command === 'SET' ? error : command === 'GET' ? '$-1\r\n' : '+OK\r\n');
      });
      const connection = await openConnection(client, loopback(port));
      const outcome = await sendBatch(connection, [
        [GET, 1],
        [SET, 1],
        [GET, 1],
      ]);
      expect(outcome).toMatchObject({ completed: 2, misses: 2, failures: { [code]: 1 } });
      expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({
        completed: 0,
        failures: { [code]: 1 },
      });
    });
  });
});

describe('clients report which commands missed or failed', () => {
  beforeAll(async () => {
    for (let key = 0; key < 10; key++) await redis.set(keyName(commands.keyPrefix, key), 'some text');
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

  describe.each(answeringClients)('%s', client => {
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
        // Each run uses the batch again; with hundreds of commands, a few runs are enough.
        { numRuns: size > 100 ? 6 : 30, seed: 1 },
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
        { numRuns: 5, seed: 2 },
      );
    });
  });
});
