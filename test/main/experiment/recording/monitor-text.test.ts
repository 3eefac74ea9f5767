import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMonitorLine } from '../../../../src/main/experiment/recording/monitor-text.ts';
import { monitorLine } from '../../../support/monitor-lines.ts';

const bytes = fc.uint8Array({ maxLength: 12 }).map(some => String.fromCharCode(...some));
const words = fc.array(fc.oneof(bytes, fc.constantFrom('GET', '"', '\\', '] "', '\\x', '')), {
  minLength: 1,
  maxLength: 5,
});
const port = fc.nat(65_535);
const source = fc.oneof(
  fc.tuple(fc.ipV4(), port).map(([ip, port]) => `${ip}:${port}`),
  fc.tuple(fc.ipV6(), port).map(([ip, port]) => `[${ip}]:${port}`),
  fc.stringMatching(/^unix:\/[\w .[\]/-]{1,40}$/),
  fc.constant('lua'),
);
const shown = fc.record({
  at: fc.nat(4_000_000_000_000).map(micros => micros / 1000),
  database: fc.nat(1000),
  source,
});

test('a line is read as it was written, whatever its bytes, database and address', () => {
  fc.assert(
    fc.property(
      words,
      shown,
      fc.constantFrom('', '\r'),
      fc.constantFrom('', '+'),
      (words, of, end, start) => {
        const parsed = parseMonitorLine(start + monitorLine(words, of) + end);
        expect(parsed).toEqual({ ...of, at: Number(of.at.toFixed(6)), words });
      },
    ),
  );
});

test('a line that is cut is none, or has the first of its words', () => {
  fc.assert(
    fc.property(words, shown, fc.nat(), (words, of, at) => {
      const line = monitorLine(words, of);
      const found = parseMonitorLine(line.slice(0, at % line.length));
      expect(found?.words ?? []).toEqual(words.slice(0, found?.words.length ?? 0));
    }),
  );
});

test.each([
  ['1.0 [0 127.0.0.1:1] "GET" "\\xe2\\x82\\xac\\n\\"\\\\"', ['GET', '\xe2\x82\xac\n"\\']],
  ['1339518083.107412 [0 unix:/run/my redis.sock] "PING"', ['PING']],
  ['1.5 [15 lua] "set" "a b" ""', ['set', 'a b', '']],
  ['OK', undefined],
  ['1.0 [0 127.0.0.1:1]', undefined],
  ['1.0 [0 127.0.0.1:1] GET a', undefined],
  ['1.0 [0 127.0.0.1:1] "GET" "a', undefined],
  ['1.0 [0 127.0.0.1:1] "GET"  "a"', undefined],
  ['1.0 [0 127.0.0.1:1] "GET" "a\\"', undefined],
])('%s', (line, words) => {
  expect(parseMonitorLine(line)?.words).toEqual(words);
});
