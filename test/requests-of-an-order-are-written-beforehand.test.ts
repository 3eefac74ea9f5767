import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batch, type CommandSet, KEY, keyName } from '../src/pool/client/batch.ts';
import { RequestEncoder } from '../src/pool/client/request-encoder.ts';
import { encodeRequest, RequestTemplates } from '../src/pool/client/request-templates.ts';

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
  ['too long to be kept in a row', { keyPrefix: 'k'.repeat(200_000), commands, order }],
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
