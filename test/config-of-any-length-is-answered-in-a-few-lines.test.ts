import { expect, test } from 'vitest';
import { parseConfig } from '../src/main/config/read-config.ts';
import { PoolbenchError } from '../src/main/errors.ts';

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
  [
    'thousands of keys',
    `{${many(50_000, i => `"k${i}":0`)}}`,
    /unknown keys "k0", .*"k19", and 49980 more; known are/,
  ],
  ['a key without end', `{"${'k'.repeat(1e6)}":0}`, /unknown key "k{39}…"; known are/],
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
