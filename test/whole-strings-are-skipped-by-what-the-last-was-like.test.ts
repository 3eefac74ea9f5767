import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WholeStrings } from '../src/pool/client/whole-strings.ts';

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
    { seed: 1, numRuns: 150 },
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
