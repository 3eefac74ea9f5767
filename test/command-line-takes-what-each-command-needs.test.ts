import { expect, test } from 'vitest';
import { parseCommandLine } from '../src/main/parse-command-line.ts';

test('versus and compare take two or more', () => {
  expect(parseCommandLine(['versus', 'a.json', 'b.json', '--rounds', '3'])).toMatchObject({
    command: 'versus',
    paths: ['a.json', 'b.json'],
    options: { rounds: '3' },
  });
  expect(parseCommandLine(['compare', 'a', 'b', 'c', '--force'])).toMatchObject({
    command: 'compare',
    paths: ['a', 'b', 'c'],
    options: { force: true },
  });
  for (const [args, message] of [
    [['versus'], /expected versus CONFIG CONFIG…, two or more, found no CONFIG/],
    [['versus', 'a.json'], /two or more, found one: a\.json/],
    [['compare', 'a'], /expected compare RESULT RESULT…, two or more, found one: a/],
  ] as const) {
    expect(() => parseCommandLine(args)).toThrow(message);
  }
});

test.each([
  ['run', '--force'],
  ['check', '--json'],
  ['check', '--force'],
  ['versus', '--url=redis://a'],
  ['versus', '--target=a.json'],
  ['versus', '--force'],
  ['compare', '--rounds=3'],
  ['report', '--json'],
])('%s has no use for %s', (command, option) => {
  const flag = option.split('=', 1)[0] ?? '';
  expect(() => parseCommandLine([command, 'a.json', 'b.json', option])).toThrow(
    `expected no ${flag} with ${command}, which has no use for it`,
  );
});

test('run and check take a target from elsewhere', () => {
  for (const command of ['run', 'check']) {
    expect(parseCommandLine([command, 'a.json', '--target', 'b.json', '--url', 'redis://c'])).toMatchObject({
      path: 'a.json',
      options: { target: 'b.json', url: 'redis://c' },
    });
  }
});
