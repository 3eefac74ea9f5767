import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { parseCommandLine } from '../../../src/main/cli/command-line.ts';
import { completions } from '../../../src/main/cli/commands.ts';
import { renderCompletion, shells } from '../../../src/main/cli/completion.ts';
import { renderHelp } from '../../../src/main/cli/help.ts';
import { init } from '../../../src/main/cli/init.ts';
import { readConfig } from '../../../src/main/experiment/read-config.ts';
import { clientNames } from '../../../src/pool/presets.ts';

describe('a URL in the place of a config', () => {
  const url = 'redis://my-host:6379';

  test('is the server, with flags that say what is asked', () => {
    for (const [args, command] of [
      [[url], 'run'],
      [['run', url], 'run'],
      [['check', url], 'check'],
    ] as const) {
      expect(parseCommandLine([...args, '--pools', '1,2', '--rounds', '6'])).toMatchObject({
        command,
        operands: [url],
        options: { url, rounds: '6', asked: { pools: '1,2' } },
      });
    }
  });

  test('stands before POOLBENCH_URL', () => {
    vi.stubEnv('POOLBENCH_URL', 'redis://another');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(parseCommandLine([url])).toMatchObject({ options: { url } });
  });

  test.each([
    [['a.json', '--pools', '1'], /expected a URL with --pools, found a\.json/],
    [['a.json', '--save', 'b.json'], /expected a URL with --save/],
    [['search', 'a.json', '--workers', '1'], /search does not take --workers/],
    [['compare', 'a', 'b', '--client', 'wire'], /compare does not take --client/],
    [[url, '--url', url], /no --url with a URL/],
    [[url, '--target', 'a.json'], /no --target with a URL/],
    [[url, '--pols', '1'], /did you mean --pools\?/],
    [['127.0.0.1:7711'], /found 127\.0\.0\.1:7711 \(did you mean redis:\/\/127\.0\.0\.1:7711\?\)$/],
    [['check', 'my-host:6379/2', '--quick'], /\(did you mean redis:\/\/my-host:6379\/2\?\)$/],
    [['rediss:/my-host:6379/2'], /\(did you mean rediss:\/\/my-host:6379\/2\?\)$/],
    [['redis//my-host'], /\(did you mean redis:\/\/my-host\?\)$/],
    [['http://my-host:6379/'], /\(did you mean redis:\/\/my-host:6379\?\)$/],
    [['redis//me:secret@my-host'], /a config or a redis:\/\/ URL, found redis\/\/me@my-host\n/],
    [['record', 'me:secret@my-host'], /a config or a redis:\/\/ URL, found me@my-host\n/],
    [['unix:/run/redis.sock'], /\(did you mean unix:\/\/\/run\/redis\.sock\?\)$/],
    [['::1'], /\(did you mean redis:\/\/\[::1\]\?\)$/],
    [['claims', 'localhost'], /\(did you mean redis:\/\/localhost\?\)$/],
    [
      ['search', 'redis://me:s3cret@h:1'],
      /\(did you mean .* search configs\/examples\/search\.json --url redis:\/\/me@h:1\?\)$/,
    ],
    [['versus', url, 'a.json'], /\(did you mean .* check redis:\/\/my-host:6379 --save FILE, .*\?\)$/],
    [['report', url], /^expected report RESULT, found a URL/],
    [[url, 'redis://other'], /expected one CONFIG, .* check redis:\/\/my-host:6379 --save FILE/],
    [['completion', 'bsh'], /found bsh \(did you mean bash\?\)$/],
  ])('%j is refused', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) }),
    );
  });
});

describe('flags of redis-benchmark and memtier_benchmark are answered with the line to type', () => {
  test.each([
    [
      '-h my-host -p 6380 -c 50 -n 100000 -P 16 -d 100 -t get,set',
      'redis://my-host:6380 --workers 50 --pipeline 16 --value-bytes 100 --read-share 0.5',
    ],
    ['-h my-host -t 4 -P resp2 -c50', 'redis://my-host:6379 --pools 4 --workers 50'],
    ['-p 7000 -t lpush', 'redis://127.0.0.1:7000'],
    ['-h ::1', 'redis://[::1]:6379'],
    ['redis://h -c 5', 'URL --workers 5'],
    ['--host my-host --port=6380 --pools 1,2', 'redis://my-host:6380 --pools 1,2'],
    [
      '--server h --clients 50 --threads 4 --data-size 9 --ratio 1:3',
      'redis://h:6379 --workers 50 --pools 4 --value-bytes 9 --read-share 0.75',
    ],
    ['redis://h --clients ioredis,wire --pools 1,2', 'URL --client ioredis,wire --pools 1,2'],
    ['check --host my-host --quick', 'check redis://my-host:6379 --quick'],
    ['search a.json --host my-host', 'search a.json --url redis://my-host:6379'],
  ])('%s', (typed, line) => {
    let message = '';
    try {
      parseCommandLine(typed.split(' '));
    } catch (error) {
      message = String(error);
    }
    expect(message.split('\n')[1]?.replaceAll("'", '')).toMatch(
      new RegExp(`${line.replace(/[[\]]/g, '\\$&')}$`),
    );
  });

  test('a line that was typed parses, and a password is not repeated', () => {
    expect(() => parseCommandLine(['-h', 'h', '-a', 's3cret'])).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/redis:\/\/:PASSWORD@h:6379(?!.*s3cret)/s) }),
    );
    const line = [
      'redis://h:6379',
      '--workers',
      '50',
      '--pipeline',
      '16',
      '--value-bytes',
      '9',
      '--read-share',
      '1',
    ];
    expect(parseCommandLine(line)).toMatchObject({ command: 'run' });
  });

  test('an option of the command itself is none of theirs', () => {
    const line = ['agent', '--control', 'redis://c', '--allow-target', 'h:1', '--threads', '2'];
    expect(parseCommandLine(line)).toMatchObject({ command: 'agent', options: { threads: '2' } });
  });

  test('-h alone, or beside a command or a config, still asks for help', () => {
    for (const args of [['-h'], ['-h', 'run'], ['run', '-h'], ['-h', 'a.json'], ['redis://h', '-h']])
      expect(parseCommandLine(args)).toEqual({ command: 'help' });
  });
});

/** What a shell offers for the last of the words. */
type Complete = (words: readonly string[]) => string[];

/** The tests' own PATH has no shell but sh. */
const env = { ...process.env, PATH: inject('usersPath') };
const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0'], { env }).status === 0;

describe('completion', () => {
  let folder: string;
  const fileOf = (shell: string) => join(folder, `completion.${shell}`);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    for (const shell of shells) await writeFile(fileOf(shell), renderCompletion(shell, completions()));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const inBash: Complete = words => {
    const quoted = words.map(word => `'${word}'`).join(' ');
    const { stdout, stderr } = spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        `source '${fileOf('bash')}'; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _poolbench; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ],
      { encoding: 'utf8', cwd: 'configs', env },
    );
    expect(stderr).toBe('');
    return stdout.split('\n').filter(line => line !== '');
  };

  const inFish: Complete = words => {
    const { stdout } = spawnSync(
      'fish',
      ['--no-config', '-c', `source '${fileOf('fish')}'; complete -C '${words.join(' ')}'`],
      {
        encoding: 'utf8',
        cwd: 'configs',
        env,
      },
    );
    return stdout.split('\n').flatMap(line => (line === '' ? [] : (line.split('\t')[0] ?? [])));
  };

  const cases: [string[], string[]][] = [
    [['poolbench', 'che'], ['check']],
    [['poolbench', 'redis://h', '--cli'], ['--client']],
    [['poolbench', 'redis://h', '--client', ''], [...clientNames]],
    [['poolbench', 'check', 'a.json', '--res'], []],
    [['poolbench', 'run', '--res'], ['--resume']],
    [['poolbench', 'compare', '--fo'], ['--force']],
    [['poolbench', 'completion', 'f'], ['fish']],
    [['poolbench', 'report', 'a', '--as', ''], ['memtier']],
    [['poolbench', 'check', 'smo'], ['smoke.json']],
    [['poolbench', 'run', 'a.json', '--target', 'smo'], ['smoke.json']],
    [['poolbench', 'run', 'a.json', '--rounds', ''], []],
  ];
  for (const [shell, complete] of [
    ['bash', inBash],
    ['fish', inFish],
  ] as const)
    test.skipIf(!has(shell)).each(cases)(`${shell} completes %j`, (words, offered) => {
      expect(complete(words)).toEqual(offered);
    });

  test.skipIf(!has('bash'))('bash splits --client=w at its =', () => {
    expect(inBash(['poolbench', 'redis://h', '--client', '=', 'w'])).toEqual(['wire']);
    expect(inBash(['poolbench', 'redis://h', '--client', '='])).toEqual(clientNames);
  });

  test('every command, and every option of the help, is in the script of each shell', () => {
    const named = [...renderHelp().matchAll(/^ {2}--([a-z-]+) /gm)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(30);
    for (const shell of shells) {
      const text = renderCompletion(shell, completions());
      for (const name of named) expect(text).toMatch(new RegExp(`(?:--|-l )${name}\\b`));
      for (const { name } of completions().commands) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });

  for (const shell of shells)
    test.skipIf(!has(shell))(`${shell} can read its script`, () => {
      const { status, stderr } = spawnSync(shell, ['-n', fileOf(shell)], {
        encoding: 'utf8',
        env,
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    });
});

describe('init', () => {
  async function answer(...lines: string[]) {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'made.json');
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => {
      stderr.mockRestore();
    });
    const code = await init(path, Readable.from(lines.map(line => `${line}\n`)));
    return { code, path, experiment: await readConfig(path) };
  }

  test('empty answers, or none at all, take the defaults', async () => {
    for (const lines of [['', '', '', ''], []]) {
      const { code, experiment } = await answer(...lines);
      expect(code).toBe(0);
      expect(experiment).toMatchObject({
        target: { url: 'redis://localhost:6379' },
        scenarios: [{ client: ['ioredis'], pools: [1, 2], workers: [50, 100] }],
      });
    }
  });

  test('answers are in the config', async () => {
    const { experiment } = await answer('redis://h:1', 'pipeline 1,20', '30', 'wire');
    expect(experiment).toMatchObject({
      target: { url: 'redis://h:1' },
      scenarios: [{ client: ['wire'], pipeline: [1, 20], workers: [30] }],
      compare: ['pipeline'],
    });
  });

  test('clients that are compared are not asked for once more', async () => {
    const { experiment } = await answer('', 'client', '20');
    expect(experiment).toMatchObject({ scenarios: [{ client: ['ioredis', 'wire'], workers: [20] }] });
  });

  test('no question is asked if the file exists', async () => {
    const { path } = await answer('');
    const stderr = vi.mocked(process.stderr.write).mockClear();
    await expect(init(path, Readable.from(['\n']))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/already exists/),
    });
    expect(stderr).not.toHaveBeenCalled();
  });

  test.each([
    [['http://h'], /^URL: /],
    [['', 'clent'], /did you mean client\?/],
    [['', '', 'many'], /^--workers: /],
    [['', '', '', 'wir'], /did you mean "wire"\?/],
  ])('%j ends with what is wrong', async (lines, message) => {
    await expect(answer(...lines)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message),
    });
  });
});
