import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../src/main/experiment/read-config.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolbench-configs-'));
  await writeFile(join(folder, 'valkey.json'), '{}');
  await writeFile(join(folder, 'night.json'), '{}');
  await writeFile(join(folder, 'schema.json'), '{}');
});
afterAll(() => rm(folder, { recursive: true }));

test('a misspelt config gets a suggestion and the list of its neighbours', async () => {
  const path = join(folder, 'valky.json');
  await expect(readConfig(path)).rejects.toMatchObject({
    code: 'CONFIG_MISSING',
    exitCode: 2,
    message: `There is no config ${path}. Did you mean ${join(folder, 'valkey.json')}? In ${folder} there are: night.json, valkey.json.`,
  });
});

test('where there is no such folder, the configs of ./configs are listed', async () => {
  await expect(readConfig('nowhere/redis.json')).rejects.toMatchObject({
    code: 'CONFIG_MISSING',
    message: expect.stringMatching(
      /^There is no config nowhere\/redis\.json\. Did you mean configs\/redis\.json\? In configs there are: .*smoke\.json/,
    ),
  });
});

test('a folder is not a config, but may hold some', async () => {
  await expect(readConfig(folder)).rejects.toMatchObject({
    code: 'CONFIG_MISSING',
    message: `Expected a config file, found a folder: ${folder}. In ${folder} there are: night.json, valkey.json.`,
  });
});

test('the faults of a file are told under its path', async () => {
  const path = join(folder, 'night.json');
  await expect(readConfig(path)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(
      `${path} is not a valid config, 3 faults:\n  ${path}:1:1: name: missing;`,
    ),
  });
});
