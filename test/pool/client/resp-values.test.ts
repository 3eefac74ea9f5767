import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRequest } from '../../../src/pool/client/request-templates.ts';
import {
  ErrorReply,
  type RespLimits,
  RespReader,
  RespSyntaxError,
  type RespValue,
} from '../../../src/pool/client/resp-values.ts';
import { failureCode } from '../../../src/pool/errors.ts';
import { anyText } from '../../support/any-text.ts';
import { cutBy, sizes, stream, value } from '../../support/resp-values.ts';

function readAll(chunks: readonly Buffer[], limits: RespLimits = { maxBytes: 1 << 20 }): RespValue[] {
  const reader = new RespReader(bytes => bytes.toString('latin1'), limits);
  const values: RespValue[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let read = reader.read(); read !== undefined; read = reader.read()) values.push(read);
  }
  return values;
}

const readText = (text: string, limits?: RespLimits) => readAll([Buffer.from(text)], limits);

test('values of every type are the same for every cut, and pushes and attributes are none', () => {
  fc.assert(
    fc.property(stream, sizes, (items, cuts) => {
      const bytes = Buffer.concat(items.map(item => item.value.bytes));
      const replies = items.filter(item => !item.push).map(item => item.value);
      const whole = readAll([bytes]);
      expect(whole).toHaveLength(replies.length);
      for (const [index, { nil, error }] of replies.entries()) {
        expect(whole[index] === null).toBe(nil === true);
        expect(whole[index] instanceof ErrorReply).toBe(error !== undefined);
        if (error !== undefined) expect(whole[index]).toEqual(new ErrorReply(error.message));
      }
      expect(readAll(cutBy(bytes, [1]))).toEqual(whole);
      expect(readAll(cutBy(bytes, cuts))).toEqual(whole);
    }),
    { numRuns: 100 },
  );
});

test('a value is complete with its last byte, and no earlier', () => {
  fc.assert(
    fc.property(value, ({ bytes }) => {
      expect(readAll([bytes.subarray(0, -1)])).toEqual([]);
      expect(readAll([bytes])).toHaveLength(1);
    }),
  );
});

test('requests come out as they were encoded', () => {
  const binary = anyText({ maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(fc.array(binary, { minLength: 1, maxLength: 5 }), { maxLength: 10 }),
      sizes,
      (requests, cuts) => {
        const reader = new RespReader(bytes => bytes.toString(), { maxBytes: 10_000 });
        const read: unknown[] = [];
        for (const chunk of cutBy(Buffer.concat(requests.map(encodeRequest)), cuts)) {
          reader.push(chunk);
          for (let next = reader.read(); next !== undefined; next = reader.read()) read.push(next);
        }
        expect(read).toEqual(requests);
      },
    ),
  );
});

test.each([
  [':42\r\n', 42],
  [':-1\r\n', -1],
  [':9223372036854775807\r\n', 9223372036854775807n],
  ['(-3492890328409238509324850943850943825024385\r\n', -3492890328409238509324850943850943825024385n],
  [',1.5e3\r\n', 1500],
  [',-inf\r\n', Number.NEGATIVE_INFINITY],
  [',nan\r\n', Number.NaN],
  ['#t\r\n', true],
  ['_\r\n', null],
  ['*-1\r\n', null],
  ['$-1\r\n', null],
  ['=7\r\ntxt:abc\r\n', 'abc'],
  ['!5\r\nERR x\r\n', new ErrorReply('ERR x')],
  ['%2\r\n+a\r\n:1\r\n+b\r\n*0\r\n', ['a', 1, 'b', []]],
  ['|1\r\n+ttl\r\n:1\r\n*2\r\n|0\r\n:1\r\n:2\r\n', [1, 2]],
])('%j is read as the value that it is', (text, expected) => {
  expect(readText(text)).toEqual([expected]);
});

describe('hostile bytes', () => {
  const limits = { maxBytes: 1000 };

  test.each([
    '$1001\r\n',
    '$99999999999999999999\r\n',
    '$-2\r\n',
    '$+3\r\n',
    '$\r\n',
    '$?\r\n',
    '*1000\r\n',
    '%4294967295\r\n',
    '~-1\r\n',
    '$3\r\nabcdef',
    ':12x\r\n',
    ':\r\n',
    ',1e\r\n',
    '#x\r\n',
    'HTTP/1.1 200 OK\r\n',
    `+${'x'.repeat(1001)}`,
    '*1\r\n>0\r\n',
  ])('%j is refused at once', text => {
    expect(() => readText(text, limits)).toThrow(RespSyntaxError);
  });

  test('lists in lists end at the deepest level that is allowed', () => {
    const nested = (levels: number) => `${'*1\r\n'.repeat(levels)}:1\r\n`;
    expect(readText(nested(32))).toHaveLength(1);
    expect(() => readText(nested(33))).toThrow('at most 32 levels');
    expect(() => readText('*1\r\n'.repeat(100_000))).toThrow('at most 32 levels');
  });

  test('a value of many small parts is refused when they exceed its limit together', () => {
    expect(readText(`*3\r\n${'$300\r\n'.concat('x'.repeat(300), '\r\n').repeat(3)}`, limits)).toHaveLength(1);
    expect(() => readText(`*4\r\n${'$300\r\n'.concat('x'.repeat(300), '\r\n').repeat(4)}`, limits)).toThrow(
      'at most 1000 bytes',
    );
    // The limit is one value's, not the stream's.
    expect(readText('+OK\r\n'.repeat(1000), limits)).toHaveLength(1000);
  });

  test('whatever arrives is read, awaited or refused with the code PROTOCOL', () => {
    const start = fc.constantFrom(
      '',
      '*2\r\n',
      '$5\r\n',
      '%1\r\n',
      '|1\r\n',
      '>1\r\n',
      '*1\r\n*1\r\n',
      '!',
      '=3\r\n',
    );
    const rest = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)),
      fc
        .string({ unit: fc.constantFrom(...'*$:+-_,#(!=%~>|0123456789\r\n'), maxLength: 60 })
        .map(text => Buffer.from(text)),
    );
    fc.assert(
      fc.property(start, rest, sizes, (first, bytes, cuts) => {
        const all = Buffer.concat([Buffer.from(first), bytes]);
        const outcome = (chunks: readonly Buffer[]) => {
          try {
            return readAll(chunks, limits);
          } catch (error) {
            expect(failureCode(error)).toBe('PROTOCOL');
            return 'refused';
          }
        };
        expect(outcome(cutBy(all, cuts))).toEqual(outcome([all]));
      }),
      { numRuns: 150 },
    );
  });

  test('a long string that comes in small pieces is joined once, not piece by piece', () => {
    const bytes = Buffer.concat([Buffer.from('$4000000\r\n'), Buffer.alloc(4_000_000), Buffer.from('\r\n')]);
    const startMs = performance.now();
    expect(readAll(cutBy(bytes, [100]), { maxBytes: 5_000_000 })).toHaveLength(1);
    // Joined with every piece it takes minutes.
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});
