import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Outcome, runPoolbench } from './support/poolbench.ts';

/** Nothing here gets as far as its target: this one must not matter. */
const target = { server: 'redis', url: 'redis://bench:s3cret@127.0.0.1:1/0' };
const workers = [{ workers: 4 }];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let configs = 0;
async function write(config: unknown): Promise<string> {
  const path = join(folder, `config-${++configs}.json`);
  await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
}

/** One message that begins with who speaks, no stack trace, no password, nothing on standard output. */
function expectRefused({ code, stdout, stderr }: Outcome, ...messages: (RegExp | string)[]): void {
  expect(stderr).toMatch(/^poolbench: /);
  for (const message of messages) expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at |defect|s3cret/m);
  expect(stdout).toBe('');
  expect(code, stderr).toBe(2);
}

test.each<[string, unknown, (RegExp | string)[]]>([
  ['that is no JSON', `{\n  "name": "x",\n  "target": oops\n}`, [/:3:13: /]],
  [
    'with unknown keys, wrong types and impossible values, all told at once',
    {
      name: '../x',
      target: { server: 'memcached', url: 'http://bench:s3cret@h' },
      scenarios: [{ workers: 0, pipeline: [1, 0] }],
      seconds: 'five',
      worker: 3,
    },
    [
      '7 faults',
      /name.*letters/,
      /target\.server.*"redis" or "valkey" or "dragonfly".*"memcached"/,
      /target\.url.*redis:\/\//,
      /workers.*from 1 to.*\b0\b/,
      /pipeline.*from 1 to/,
      /seconds.*number.*"five"/,
      /\bworker\b/,
    ],
  ],
  [
    'with more pools than workers',
    { name: 'x', target, scenarios: [{ workers: 2, pools: 4 }] },
    [/scenarios\[0\]/, /\b2\b/, /\b4\b/],
  ],
])('a config %s', async (_, config, messages) => {
  expectRefused(await runPoolbench([await write(config)]), ...messages);
});

test('a config that is not there', async () => {
  expectRefused(await runPoolbench([join(folder, 'missing.json')]), /missing\.json/);
});

test.each<[string[], (RegExp | string)[]]>([
  [[], ['--help']],
  [['check'], [/check CONFIG/, '--help']],
  [
    ['CONFIG', '--fast'],
    [/--fast/, '--help'],
  ],
  [
    ['CONFIG', '--rounds', 'many', '--seconds', '0', '--url', 'redis://bench:s3cret@h:0'],
    [/--rounds.*whole number.*"many"/, /--seconds.*from 0\.05 to/, /--url.*port/],
  ],
])('a command line: %j', async (args, messages) => {
  const config = await write({ name: 'x', target, scenarios: workers });
  expectRefused(await runPoolbench(args.map(arg => (arg === 'CONFIG' ? config : arg))), ...messages);
});

test('a results folder that cannot be written is told before the target is looked for', async () => {
  const config = await write({ name: 'x', target, scenarios: workers });
  const file = await write('a file, not a folder');
  const outcome = await runPoolbench([config, '--out', join(file, 'results')]);
  expectRefused(outcome, /--out DIR/);
});

test('nothing of this leaves a results folder behind', async () => {
  const config = await write({ name: 'x', target, scenarios: workers });
  const out = join(folder, 'results');
  // Gets as far as the target, where nothing listens.
  expect((await runPoolbench([config, '--out', out])).code).toBe(3);
  expect(await readdir(out)).toEqual([]);
});
