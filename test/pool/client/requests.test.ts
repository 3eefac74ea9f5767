import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Batch, type CommandSet, KEY, keyName } from '../../../src/pool/client/batch.ts';
import { RequestEncoder } from '../../../src/pool/client/request-encoder.ts';
import { encodeRequest, RequestTemplates } from '../../../src/pool/client/request-templates.ts';
import { parseRequests } from '../../support/scripted-server.ts';

describe('bytes of requests', () => {
  const value = 'v'.repeat(300);

  const commandSet = (keyPrefix: string): CommandSet => ({
    keyPrefix,
    commands: [
      { name: 'GET', args: [KEY] },
      { name: 'SET', args: [KEY, value] },
      { name: 'SETEX', args: [KEY, '60', 'short'] },
    ],
  });

  /** The requests that a batch of these operations must be, written out. */
  function expected(keyPrefix: string, operations: readonly (readonly [number, number])[]): string[][] {
    return operations.map(([command, number]) => {
      const key = `${keyPrefix}${String(number).padStart(8, '0')}`;
      return (
        [
          ['GET', key],
          ['SET', key, value],
          ['SETEX', key, '60', 'short'],
        ][command] ?? []
      );
    });
  }

  function fill(operations: readonly (readonly [number, number])[]): Batch {
    const batch = new Batch(operations.length, { done: () => {} });
    for (const [index, [command, key]] of operations.entries()) {
      batch.ownCommands()[index] = command;
      batch.numbers[index] = key;
    }
    return batch;
  }

  function encode(encoder: RequestEncoder, operations: readonly (readonly [number, number])[]): string {
    return encoder.encode(fill(operations)).toString('latin1');
  }

  const key = fc.oneof(
    fc.nat({ max: 99_999_999 }),
    fc.constantFrom(0, 9, 10, 9_999, 10_000, 10_001, 99_999, 100_000, 90_000_009, 99_990_000, 99_999_999),
  );
  const operations = fc.array(fc.tuple(fc.nat({ max: 2 }), key), { minLength: 1, maxLength: 60 });

  test('batches of any depth decode to what was asked for, also when an encoder is used again', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('', 'k:', 'poolbench:run-1:', '0', '00000000', 'GET'),
        fc.array(operations, { minLength: 1, maxLength: 4 }),
        (keyPrefix, batches) => {
          const encoder = new RequestEncoder(new RequestTemplates(commandSet(keyPrefix)));
          for (const batch of batches) {
            const { requests, rest } = parseRequests(encode(encoder, batch));
            expect(rest).toBe('');
            expect(requests).toEqual(expected(keyPrefix, batch));
          }
        },
      ),
    );
  });

  test('bytes that were given away stay as they are, and the next ones are right', () => {
    fc.assert(
      fc.property(fc.array(operations, { minLength: 2, maxLength: 5 }), batches => {
        const encoder = new RequestEncoder(new RequestTemplates(commandSet('k:')));
        const bytes = batches.map(batch => {
          const filled = fill(batch);
          const encoded = encoder.encode(filled);
          encoder.giveAway(filled);
          return encoded;
        });
        for (const [index, batch] of batches.entries()) {
          const { requests, rest } = parseRequests(bytes[index]?.toString('latin1') ?? '');
          expect(rest).toBe('');
          expect(requests).toEqual(expected('k:', batch));
        }
      }),
    );
  });

  test('a batch of ten thousand commands', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => [index % 3, (index * 7919) % 1e8] as const);
    const { requests, rest } = parseRequests(
      encode(new RequestEncoder(new RequestTemplates(commandSet('k:'))), many),
    );
    expect(rest).toBe('');
    expect(requests).toEqual(expected('k:', many));
  });

  test('lengths of a request count bytes, not characters', () => {
    expect(encodeRequest(['AUTH', 'pässword', '']).toString()).toBe(
      '*3\r\n$4\r\nAUTH\r\n$9\r\npässword\r\n$0\r\n\r\n',
    );
  });

  const composed: CommandSet = {
    keyPrefix: 'kä:',
    commands: [
      { name: 'PING', args: [] },
      { name: 'MGET', args: [KEY, KEY, KEY] },
      { name: 'SETEX', args: [KEY, [1], 'ä'] },
      { name: 'ZADD', args: [KEY, [2], ['mémber-', 1, ':', 2, '']] },
      { name: 'GET', args: [KEY] },
      { name: 'ECHO', args: ['kä:00000000'] },
    ],
  };
  const numbers = fc.oneof(
    fc.constantFrom(0, 9, 10, 99, 100, 99_999_999, 2 ** 32 - 1),
    fc.nat({ max: 2 ** 32 - 1 }),
  );

  test('several keys, none, and numbers in decimal without leading zeros', () => {
    const name = (key: number) => `kä:${String(key).padStart(8, '0')}`;
    const written = ([command, a, b, c]: readonly [number, number, number, number]) =>
      [
        ['PING'],
        ['MGET', name(a), name(b % 1e8), name(c % 1e8)],
        ['SETEX', name(a), String(b), 'ä'],
        ['ZADD', name(a), String(c), `mémber-${b}:${c}`],
        ['GET', name(a)],
        ['ECHO', 'kä:00000000'],
      ][command];
    const operation = fc.tuple(fc.nat({ max: 5 }), key, numbers, numbers);
    fc.assert(
      fc.property(
        fc.array(fc.array(operation, { minLength: 1, maxLength: 20 }), { maxLength: 4 }),
        batches => {
          const encoder = new RequestEncoder(new RequestTemplates(composed));
          for (const operations of batches) {
            const batch = new Batch(operations.length, { done: () => {} }, 3);
            for (const [index, [command, a, b, c]] of operations.entries()) {
              batch.ownCommands()[index] = command;
              const isKey = command === 1;
              batch.numbers.set([a, isKey ? b % 1e8 : b, isKey ? c % 1e8 : c], index * 3);
            }
            // Lengths count bytes, so each byte must be a character of its own.
            const expectedBytes = Buffer.concat(operations.map(one => encodeRequest(written(one) ?? [])));
            expect(encoder.encode(batch).toString()).toBe(expectedBytes.toString());
          }
        },
      ),
      { seed: 1 },
    );
  });

  test('requests of few templates are patched in place, those of many copied, and sends the same either way', () => {
    const values = Array.from({ length: 40 }, (_, index) => 'v'.repeat(index * 100));
    const many: CommandSet = {
      keyPrefix: 'k:',
      commands: values.map(text => ({ name: 'SET', args: [KEY, text] })),
    };
    const templates = new RequestTemplates(many);
    expect(templates.areFew).toBe(false);
    const encoder = new RequestEncoder(templates);
    for (const index of [0, 39, 7]) {
      expect(encode(encoder, [[index, 5]])).toBe(
        `*3\r\n$3\r\nSET\r\n$10\r\nk:00000005\r\n$${index * 100}\r\n${values[index]}\r\n`,
      );
    }
  });
});

describe('requests of an order are laid out beforehand', () => {
  const order = Uint16Array.of(0, 1, 1, 0, 2, 1, 0, 0, 2, 1);
  const commands = [
    { name: 'GET', args: [KEY] },
    { name: 'SET', args: [KEY, 'value'] },
    { name: 'SETEX', args: [KEY, '60', 'short'] },
  ] as const;

  interface Piece {
    readonly place: number;
    readonly keys: readonly number[];
  }

  function batchOf({ place, keys }: Piece, follows: Uint16Array): Batch {
    const batch = new Batch(keys.length, { done: () => {} });
    batch.follow(follows, place);
    batch.numbers.set(keys);
    return batch;
  }

  /** The same requests, one by one and as text. */
  function written(set: CommandSet, { place, keys }: Piece): string {
    const requests = keys.map((key, index) => {
      const { name, args } = set.commands[order[(place + index) % order.length] as number] ?? commands[0];
      return encodeRequest([
        name,
        ...args.map(arg => (arg === KEY ? keyName(set.keyPrefix, key) : String(arg))),
      ]);
    });
    return Buffer.concat(requests).toString();
  }

  const key = (most: number) => fc.oneof(fc.nat({ max: most }), fc.constantFrom(0, most));
  /** Short and long, around the end of the order and longer than it, with keys that fill four digits, then eight. */
  const pieces = fc.constantFrom(9_999, 99_999_999).chain(most =>
    fc.array(
      fc.record({
        place: fc.nat({ max: order.length - 1 }),
        keys: fc.array(key(most), { minLength: 1, maxLength: 25 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  );

  test.each([
    ['of one key each', { keyPrefix: 'k:', commands, order }],
    ['too long to be kept in a row', { keyPrefix: 'k'.repeat(110_000), commands, order }],
    [
      'of which one has no key',
      { keyPrefix: 'k:', commands: [commands[0], commands[1], { name: 'PING', args: [] }], order },
    ],
  ] satisfies [string, CommandSet][])('batches that follow an order hold its commands: %s', (_, set) => {
    fc.assert(
      fc.property(pieces, all => {
        const encoder = new RequestEncoder(new RequestTemplates(set));
        for (const piece of all)
          expect(encoder.encode(batchOf(piece, order)).toString()).toBe(written(set, piece));
      }),
      { seed: 1, numRuns: set.keyPrefix.length > 100 ? 3 : 200 },
    );
  });

  test('a batch that follows no order is its own, between others that do', () => {
    const set: CommandSet = { keyPrefix: 'k:', commands, order };
    const encoder = new RequestEncoder(new RequestTemplates(set));
    const before: Piece = { place: 8, keys: [1, 2, 3] };
    expect(encoder.encode(batchOf(before, order)).toString()).toBe(written(set, before));
    const own = new Batch(2, { done: () => {} });
    own.ownCommands().set([2, 2]);
    own.numbers.set([7, 8]);
    expect(encoder.encode(own).toString()).toBe(
      Buffer.concat([7, 8].map(n => encodeRequest(['SETEX', keyName('k:', n), '60', 'short']))).toString(),
    );
    expect(encoder.encode(batchOf(before, order)).toString()).toBe(written(set, before));
  });

  test('bytes of an order that were given away stay as they are, and the next ones are right', () => {
    fc.assert(
      fc.property(pieces, all => {
        const set: CommandSet = { keyPrefix: 'k:', commands, order };
        const encoder = new RequestEncoder(new RequestTemplates(set));
        const bytes = all.map(piece => {
          const batch = batchOf(piece, order);
          const encoded = encoder.encode(batch);
          encoder.giveAway(batch);
          return encoded;
        });
        expect(bytes.map(String)).toEqual(all.map(piece => written(set, piece)));
      }),
      { seed: 1 },
    );
  });
});
