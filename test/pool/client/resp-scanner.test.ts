import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RespScanner } from '../../../src/pool/client/resp-scanner.ts';
import { WholeStrings } from '../../../src/pool/client/whole-strings.ts';
import { PoolError } from '../../../src/pool/errors.ts';
import { cutBy, line, sizes, stream, value } from '../../support/resp-values.ts';

describe('counting replies', () => {
  /** More replies than there are: the scan ends with the bytes. */
  const all = Number.MAX_SAFE_INTEGER;

  interface Scanned {
    readonly replies: number;
    readonly nils: number;
    readonly errors: readonly { code: string; message: string }[];
  }

  /** Scans as a connection does: out of a buffer that still holds what came before. */
  function scan(chunks: readonly Buffer[]): Scanned {
    const errors: { code: string; message: string }[] = [];
    let nils = 0;
    const scanner = new RespScanner((code, message) => errors.push({ code, message }), {
      null: () => nils++,
    });
    const buffer = Buffer.alloc(Math.max(1, ...chunks.map(chunk => chunk.length)) + 64, '+stale\r\n');
    let replies = 0;
    for (const chunk of chunks) {
      chunk.copy(buffer);
      replies += scanner.scan(buffer, 0, chunk.length, all);
    }
    return { replies, nils, errors };
  }

  test('replies, nulls and errors are the same for every cut of every type', () => {
    fc.assert(
      fc.property(stream, sizes, (items, sizes) => {
        const replies = items.filter(item => !item.push).map(item => item.value);
        const expected: Scanned = {
          replies: replies.length,
          nils: replies.filter(reply => reply.nil).length,
          errors: replies.flatMap(reply => reply.error ?? []),
        };
        const bytes = Buffer.concat(items.map(item => item.value.bytes));
        expect(scan([bytes])).toEqual(expected);
        expect(scan(cutBy(bytes, [1]))).toEqual(expected);
        expect(scan(cutBy(bytes, sizes))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test('replies are counted in the chunk that completes them, for each place at which two chunks can meet', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), values => {
        const ends = values.map((_, index) =>
          values.slice(0, index + 1).reduce((sum, value) => sum + value.bytes.length, 0),
        );
        const bytes = Buffer.concat(values.map(value => value.bytes));
        const places = Array.from({ length: bytes.length + 1 }, (_, at) => at);
        const counted = places.map(at => {
          const scanner = new RespScanner(() => {});
          const before = scanner.scan(bytes.subarray(0, at), 0, at, all);
          return [before, scanner.scan(bytes.subarray(at), 0, bytes.length - at, all)];
        });
        const before = places.map(at => ends.filter(end => end <= at).length);
        expect(counted.join(' ')).toBe(before.map(count => [count, ends.length - count]).join(' '));
      }),
      { numRuns: 60 },
    );
  });

  test('a scan that should stop after some replies stops there, and continues from there to the same end', () => {
    fc.assert(
      fc.property(stream, sizes, fc.integer({ min: 1, max: 5 }), (items, sizes, most) => {
        const bytes = Buffer.concat(items.map(item => item.value.bytes));
        // The ends of replies; pushes behind one are not a part of it.
        const ends: number[] = [];
        let end = 0;
        for (const item of items) {
          end += item.value.bytes.length;
          if (!item.push) ends.push(end);
        }
        let nils = 0;
        const scanner = new RespScanner(() => {}, { null: () => nils++ });
        let before = 0;
        let sought = most;
        let done = 0;
        for (const chunk of cutBy(bytes, sizes)) {
          for (let from = 0; from < chunk.length; from = scanner.at) {
            const replies = scanner.scan(chunk, from, chunk.length, sought);
            done += replies;
            sought -= replies;
            expect(sought).toBeGreaterThanOrEqual(0);
            if (sought === 0) {
              expect(before + scanner.at).toBe(ends[done - 1]);
              sought = most;
            } else expect(scanner.at).toBe(chunk.length);
          }
          before += chunk.length;
        }
        expect(done).toBe(ends.length);
        expect(nils).toBe(scan([bytes]).nils);
      }),
      { numRuns: 100 },
    );
  });

  test('an error in a pipeline is reported with its code and its place', () => {
    const seen: string[] = [];
    const nils: number[] = [];
    const scanner = new RespScanner((code, message) => seen.push(`${code}: ${message}`), {
      null: replies => nils.push(replies),
    });
    const bytes = Buffer.from(
      "+OK\r\n-OOM command not allowed\r\n$-1\r\n-READONLY You can't write\r\n!9\r\nBUSY wait\r\n-\r\n$1\r\nx\r\n",
    );
    expect(scanner.scan(bytes, 0, bytes.length, all)).toBe(7);
    expect(seen).toEqual([
      'OOM: OOM command not allowed',
      "READONLY: READONLY You can't write",
      'BUSY: BUSY wait',
      'ERR: ',
    ]);
    expect(nils).toEqual([2]);
  });

  test('a long error keeps its code and the beginning of its text', () => {
    const message = `MISCONF ${'x'.repeat(2000)}`;
    for (const size of [1, 7, 300, 4096]) {
      const { replies, errors } = scan(cutBy(line('-', message), [size]));
      expect(replies).toBe(1);
      expect(errors[0]?.code).toBe('MISCONF');
      expect(message.startsWith(errors[0]?.message ?? 'none')).toBe(true);
      expect(errors[0]?.message.length).toBeGreaterThanOrEqual(256);
    }
  });

  const protocolError = expect.objectContaining({ code: 'PROTOCOL' });

  test('a byte that starts no reply is a protocol error, wherever a reply may start', () => {
    const types = new Set([...'+-:$*_#,(!=%~>|'].map(mark => mark.charCodeAt(0)));
    for (let byte = 0; byte < 256; byte++) {
      if (types.has(byte)) continue;
      for (const before of ['', '+OK\r\n', '*2\r\n:1\r\n', '$2\r\nok\r\n'])
        expect(() => scan([Buffer.from(before), Buffer.from([byte])])).toThrow(protocolError);
    }
  });

  test('streamed types and lengths that are no number are protocol errors', () => {
    for (const mark of '$*!=%~>|') {
      expect(() => scan([Buffer.from(`${mark}?\r\n`)])).toThrow(protocolError);
      expect(() => scan([Buffer.from(`${mark}1a\r\n`)])).toThrow(protocolError);
      expect(() => scan(cutBy(Buffer.from(`${mark}?\r\n`), [1]))).toThrow(protocolError);
    }
    for (const streamed of [';0\r\n', '.\r\n'])
      expect(() => scan([Buffer.from(streamed)])).toThrow(protocolError);
  });

  test('lengths that nothing can have are protocol errors, the null of RESP2 is none', () => {
    for (const mark of '$*!=%~>|') {
      for (const length of ['-2', '-', '', '1-', '--1', '1\r2', '\n', '4294967296', '9'.repeat(400)])
        expect(() => scan([Buffer.from(`${mark}${length}\r\n`)]), mark + length).toThrow(protocolError);
      const nil = Buffer.from(`${mark}-1\r\n`);
      if ('$*'.includes(mark)) expect(scan([nil])).toMatchObject({ replies: 1, nils: 1 });
      else expect(() => scan([nil]), mark).toThrow(protocolError);
    }
    expect(scan([Buffer.from('$4294967295\r\nx'), Buffer.from('*4294967295\r\n+OK\r\n')]).replies).toBe(0);
  });

  test('no bytes whatever make the scanner throw anything else', () => {
    const garbage = fc.array(fc.constantFrom(...'+-:$*_#,(!=%~>|0129?a\r\n'), { maxLength: 60 });
    fc.assert(
      fc.property(garbage, sizes, (characters, sizes) => {
        try {
          const { replies } = scan(cutBy(Buffer.from(characters.join('')), sizes));
          expect(replies).toBeGreaterThanOrEqual(0);
        } catch (error) {
          if (!(error instanceof PoolError)) throw error;
          expect(error.code).toBe('PROTOCOL');
        }
      }),
      { numRuns: 60 },
    );
  });

  test('hundreds of short replies in one read are each found where they are', () => {
    const common = fc.constantFrom('+OK\r\n', '+QQ\r\n', '$-1\r\n', ...[1, 10, 32, 99, 100].map(bulk));
    fc.assert(
      fc.property(fc.array(common, { minLength: 200, maxLength: 300 }), replies => {
        const nullsAt: number[] = [];
        const scanner = new RespScanner(() => {}, { null: repliesBefore => nullsAt.push(repliesBefore) });
        const bytes = Buffer.from(replies.join(''));
        expect(scanner.scan(bytes, 0, bytes.length, replies.length)).toBe(replies.length);
        expect(scanner.at).toBe(bytes.length);
        expect(nullsAt).toEqual([...replies.keys()].filter(index => replies[index] === '$-1\r\n'));
      }),
      { seed: 1, numRuns: 20 },
    );
  });

  test('empty aggregates and zeros are found where they are, however the bytes are cut', () => {
    const empties = ['*0\r\n', '%0\r\n', '~0\r\n', ':0\r\n'];
    const others = [
      ':10\r\n',
      ':1\r\n',
      ':-2\r\n',
      '*1\r\n:0\r\n',
      '*1\r\n*0\r\n',
      '>0\r\n',
      '$0\r\n\r\n',
      '+0\r\n',
      ',0\r\n',
      '$-1\r\n',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...empties, ...others)),
        fc.integer({ min: 1, max: 9 }),
        (replies, size) => {
          const emptyAt: number[] = [];
          let before = 0;
          const scanner = new RespScanner(() => {}, { empty: replies => emptyAt.push(before + replies) });
          const bytes = Buffer.from(replies.join(''));
          for (let at = 0; at < bytes.length; at += size) {
            const chunk = bytes.subarray(at, at + size);
            before += scanner.scan(chunk, 0, chunk.length, Number.POSITIVE_INFINITY);
          }
          // A push is no reply.
          const counted = replies.filter(reply => reply !== '>0\r\n');
          expect(before).toBe(counted.length);
          expect(emptyAt).toEqual(
            [...counted.keys()].filter(index => empties.includes(counted[index] ?? '')),
          );
        },
      ),
      { seed: 1 },
    );
  });

  /** Of a value that reads like replies, for a scanner that loses its place. */
  function bulk(length: number): string {
    return `$${length}\r\n${'+OK\r\n$1\r\n'.repeat(12).slice(0, length)}\r\n`;
  }
});

describe('whole strings', () => {
  const bulk = (length: number) => `$${length}\r\n${'x'.repeat(length)}\r\n`;
  const other = fc.constantFrom('$-1\r\n', ':1\r\n', '-ERR no\r\n', '*0\r\n', '_\r\n');
  const string = fc.oneof(
    { weight: 3, arbitrary: fc.constant('+OK\r\n') },
    { weight: 3, arbitrary: fc.constantFrom(0, 9, 10, 32, 99, 100, 512, 9_999, 10_000, 100_000).map(bulk) },
    { weight: 1, arbitrary: fc.constantFrom('+\r\n', '+OKAY\r\n', '+PONG\r\n', '+O\r\n') },
  );

  test('as many strings are skipped as stand whole before anything else, whatever came before', () => {
    const chunk = fc.record({
      strings: fc.array(string, { maxLength: 12 }),
      behind: fc.oneof(fc.constant(''), other),
      most: fc.oneof(fc.constant(1000), fc.nat({ max: 12 })),
      /** How much of the last bytes is missing. */
      cut: fc.oneof(fc.constant(0), fc.nat({ max: 20 })),
    });
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 5 }), chunks => {
        const scanned = new WholeStrings();
        const buffer = Buffer.alloc(1_300_000, '+OK\r\n');
        for (const { strings, behind, most, cut } of chunks) {
          const from = 3;
          const end = from + buffer.write(strings.join('') + behind, from, 'latin1');
          const limit = Math.max(from, end - cut);
          let at = from;
          let whole = 0;
          for (const text of strings) {
            if (whole === most || at + text.length > limit) break;
            at += text.length;
            whole++;
          }
          expect(scanned.skip(buffer, from, limit, most)).toBe(whole);
          expect(scanned.at).toBe(at);
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('one wrong byte in a header that is as long as the last is no string like it', () => {
    for (const length of [10, 99, 100, 512, 9_999, 10_000]) {
      const right = Buffer.from(bulk(length));
      const header = String(length).length + 3;
      for (let at = 0; at < header; at++) {
        const scanned = new WholeStrings();
        expect(scanned.skip(right, 0, right.length, 9)).toBe(1);
        const wrong = Buffer.from(right);
        wrong[at] = 0x7f;
        expect([at, scanned.skip(wrong, 0, wrong.length, 9), scanned.at]).toEqual([at, 0, 0]);
      }
    }
    for (let at = 0; at < 5; at++) {
      const wrong = Buffer.from('+OK\r\n');
      wrong[at] = 0x7f;
      // Any text is a string; without its type, or its end, it is none.
      expect([at, new WholeStrings().skip(wrong, 0, 5, 9)]).toEqual([at, at === 0 || at === 4 ? 0 : 1]);
    }
  });
});
