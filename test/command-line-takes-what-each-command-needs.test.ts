import { afterEach, expect, test, vi } from 'vitest';
import { parseCommandLine } from '../src/main/cli/parse-command-line.ts';

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
  ['check', '--resume=a'],
  ['search', '--resume=a'],
  ['check', '--json'],
  ['versus', '--url=redis://a'],
  ['versus', '--target=a.json'],
  ['report', '--force'],
  ['compare', '--rounds=3'],
  ['report', '--json'],
  ['run', '--as=memtier'],
  ['compare', '--scenario=a'],
])('%s has no use for %s', (command, option) => {
  const flag = option.split('=', 1)[0] ?? '';
  expect(() => parseCommandLine([command, 'a.json', 'b.json', option])).toThrow(
    `expected no ${flag} with ${command}, which has no use for it`,
  );
});

test('a run that is resumed has its config', () => {
  expect(parseCommandLine(['run', '--resume', 'a', '--target', 'b.json', '--json'])).toEqual({
    command: 'resume',
    folder: 'a',
    options: { target: 'b.json', json: true },
  });
  expect(() => parseCommandLine(['run', 'a.json', '--resume', 'a'])).toThrow('expected no CONFIG');
  expect(() => parseCommandLine(['run', '--resume', 'a', '--quick', '--out=b'])).toThrow(
    'expected no --quick, --out with --resume',
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

test('whatever makes a load can be scraped while it lasts', () => {
  for (const args of [
    ['run', 'a.json'],
    ['versus', 'a.json', 'b.json'],
    ['claims', 'redis'],
    ['search', 'a.json'],
  ]) {
    expect(parseCommandLine([...args, '--prometheus', '9400'])).toMatchObject({
      options: { prometheus: '9400' },
    });
  }
});

test.each([
  [
    ['a.json', 'b.json'],
    /expected one CONFIG, found a\.json b\.json; to set them side by side: .* versus a\.json b\.json$/m,
  ],
  [['report', 'a', 'b'], /expected one RESULT, found a b; to set them side by side: .* compare a b$/m],
  [['search', 'a.json', 'b.json'], /expected one CONFIG, found a\.json b\.json$/m],
  [['chek', 'a.json'], 'found chek; did you mean check?'],
  [['redis'], /or the path of a config, found redis$/m],
  [['a.json', '--round', '5'], 'there is no option --round; did you mean --rounds?'],
  [['a.json', '--zzzzzz'], /there is no option --zzzzzz$/m],
  [['chekc', 'a.json'], 'found chekc; did you mean check?'],
  [['--resume', 'results/a'], /found none; to go on with a run: .* run --resume results\/a$/m],
  [['a.json', '-x'], /there is no option -x$/m],
  [['a.json', '--help=yes'], 'expected --help without a value'],
  [['a.json', '--rounds'], 'expected a value behind --rounds'],
  [['a.json', '--seed', '-5'], 'expected a value behind --seed; one that starts with - is written --seed=-1'],
  [['a.json', '--quick=yes'], 'expected --quick without a value'],
])('%j is wrong, and what may have been meant is said', (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

test('options that npm took for its own, because -- was forgotten, are not dropped in silence', () => {
  vi.stubEnv('npm_lifecycle_event', 'start');
  vi.stubEnv('npm_config_quick', 'true');
  vi.stubEnv('npm_config_rounds', '5');
  expect(() => parseCommandLine(['configs/redis.json'])).toThrow(
    'npm took --rounds --quick for an option of its own: write -- before',
  );
  expect(parseCommandLine(['configs/redis.json', '--quick'])).toMatchObject({ options: { quick: true } });
  vi.stubEnv('npm_lifecycle_event', 'test');
  expect(parseCommandLine(['configs/redis.json'])).toMatchObject({ command: 'run' });
});
