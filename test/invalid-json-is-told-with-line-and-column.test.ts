import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../src/main/config/parse-json.ts';
import { PoolbenchError } from '../src/main/errors.ts';

function refusal(text: string): string {
  try {
    parseJson(text, 'a.json');
  } catch (error) {
    if (error instanceof PoolbenchError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  throw new Error('Expected a refusal');
}

test.each([
  ['an empty file', '', '1:1', 'expected a value, found the end of the file'],
  ['an unexpected end', '{\n  "a": [1,\n  2', '3:4', "expected ',' or ']', found the end of the file"],
  [
    'a trailing comma in an object',
    '{\n  "a": 1,\n}',
    '3:1',
    "expected a key after the comma, found '}'; remove the comma",
  ],
  [
    'a trailing comma in a list',
    '[1,]',
    '1:4',
    "expected a value after the comma, found ']'; remove the comma",
  ],
  ['a missing comma', '{\r\n  "a": 1\r\n  "b": 2\r\n}', '3:3', `expected ',' or '}', found '"'`],
  ['a missing colon', '{"a" 1}', '1:6', "expected ':' after the key, found '1'"],
  ['a missing value', '{"a": }', '1:7', "expected a value, found '}'"],
  ['a bare key', '{\n\n a: 1}', '3:2', "expected a key in double quotes, found 'a'"],
  ['single quotes', "{'a': 1}", '1:2', "expected a key in double quotes, found '''"],
  ['a word', '{"a": treu}', '1:7', "expected a value, found 't'"],
  ['a word too long', '[nullx]', '1:6', "expected a number, true, false or null, found 'x' after 'null'"],
  ['a leading zero', '[01]', '1:3', "expected a number, true, false or null, found '1' after '0'"],
  [
    'a number that ends in a dot',
    '[1.]',
    '1:3',
    "expected a number, true, false or null, found '.' after '1'",
  ],
  ['a lonely minus', '[-]', '1:2', "expected a value, found '-'"],
  [
    'a line break in a string',
    '["a\nb"]',
    '1:4',
    'expected the closing quote of a string, found a line break',
  ],
  [
    'a tab in a string',
    '["a\tb"]',
    '1:4',
    'expected the closing quote of a string, found a control character',
  ],
  ['an unknown escape', '["C:\\dir"]', '1:5', 'unknown escape in a string; write a backslash as \\\\'],
  ['an open string', '{"a": "b', '1:9', 'expected the closing quote of a string, found the end of the file'],
  ['a comment', '{\n  // why\n}', '2:3', 'JSON has no comments; remove this one'],
  ['something after the end', '{}\n}', '2:1', "expected the end of the file, found '}'"],
  ['a key given twice', '{"a": {"b": 1,\n"\\u0062": 2}}', '2:1', 'the key "\\u0062" is given twice'],
  ['no end of nesting', '['.repeat(200_000), '1:101', 'expected at most 100 levels of nesting'],
])('%s', (_, text, position, fault) => {
  expect(refusal(text)).toBe(`a.json:${position}: not valid JSON: ${fault}.`);
});

test('valid JSON of any kind is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 1, 2), (text, indent) => {
      const value: unknown = JSON.parse(text);
      const spaced = JSON.stringify(value, null, indent);
      expect(parseJson(spaced, 'a.json')).toEqual(JSON.parse(spaced));
    }),
    { seed: 1 },
  );
});

test('what JSON.parse refuses is refused with a position, whatever character is cut out or put in', () => {
  const damaged = fc.tuple(
    fc.json({ maxDepth: 3 }),
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', '"', ',', '{', '}', '[', '0', '.', '-', '\\', '\n', 'e', ':', 'true'),
  );
  let refused = 0;
  fc.assert(
    fc.property(damaged, ([text, place, cut, put]) => {
      const at = place % (text.length + 1);
      const broken = text.slice(0, at) + put + text.slice(at + cut);
      let expected: unknown;
      try {
        expected = JSON.parse(broken);
      } catch {
        refused++;
        expect(refusal(broken)).toMatch(/^a\.json:\d+:\d+: not valid JSON: /);
        return;
      }
      // A key given twice is the one thing that JSON.parse lets pass.
      let read: unknown;
      try {
        read = parseJson(broken, 'a.json');
      } catch (error) {
        expect((error as Error).message).toContain('given twice');
        return;
      }
      expect(read).toEqual(expected);
    }),
    { numRuns: 2000, seed: 1 },
  );
  expect(refused).toBeGreaterThan(500);
});
