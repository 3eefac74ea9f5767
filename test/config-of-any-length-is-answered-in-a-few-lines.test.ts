import { expect, test } from 'vitest';
import { PoolbenchError } from '../src/main/errors.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';

const many = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => item(i)).join();

test.each([
  [
    '20 MB of one text',
    `{"name":"${'a'.repeat(20e6)}"}`,
    /expected at most 1048576 characters, found 20000011/,
  ],
  ['nothing but blanks', ' '.repeat(5e6), /found 5000000/],
  ['a million of text', `{"name":"${'a'.repeat(1e6)}"}`, /name: expected 1 to 64 letters.*found "a{39}…"/],
  ['a million levels', '['.repeat(1e6), /at most 100 levels/],
  ['a million commas', `[${','.repeat(1e6)}`, /a\.json:1:2: .*found ','/],
  ['hundreds of thousands of values', `[${many(300_000, () => '0')}]`, /at most 100000 values/],
  ['keys that are given again and again', `{${many(9000, () => '"a":0')}}`, /a: this key is given twice/],
  [
    'thousands of keys',
    `{${many(50_000, i => `"k${i}":0`)}}`,
    /unknown key "k0"; known keys: .*unknown key "k45"; .*\n {2}and \d+ more\n/s,
  ],
  ['a key without end', `{"${'k'.repeat(1e6)}":0}`, /unknown key "k{39}…"; known keys:/],
  [
    'thousands of faults',
    `{"name":"a","target":{"server":"redis","url":"redis://a"},"scenarios":[${many(1000, i => `{"workers":-${i + 1}}`)}]}`,
    /1000 faults:\n.*and 950 more\n/s,
  ],
])('%s', (_what, text, says) => {
  let found: unknown;
  try {
    parseConfig(text, 'a.json');
  } catch (error) {
    found = error;
  }
  if (!(found instanceof PoolbenchError)) throw found ?? new Error('expected it to be refused');
  expect(found.code).toBe('CONFIG_INVALID');
  expect(found.message).toMatch(says);
  expect(found.message.length).toBeLessThan(20_000);
});
