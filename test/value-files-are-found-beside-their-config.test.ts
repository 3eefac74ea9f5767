import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/main/experiment/read-config.ts';
import { workloadTask } from '../src/main/experiment/workload-task.ts';

async function writeConfig(path: string): Promise<{ folder: string; config: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'values.txt'), 'one\ntwo\n');
  const workload = { valueBytes: { kind: 'file', path } };
  const target = { server: 'redis', url: 'redis://h' };
  const config = join(folder, 'a.json');
  await writeFile(config, JSON.stringify({ name: 'a', target, scenarios: [{}], workload }));
  return { folder, config };
}

test('a relative path begins at the folder of the config', async () => {
  const { folder, config } = await writeConfig('data/values.txt');
  const { workload } = await readConfig(config);
  expect(workload.valueBytes).toEqual({ kind: 'file', path: join(folder, 'data', 'values.txt') });
  expect(workloadTask(workload).values.map(({ value }) => value)).toEqual([{ text: 'one' }, { text: 'two' }]);
});

test('what is not there is told with the path that was looked for', async () => {
  const { config } = await writeConfig('other.txt');
  await expect(readConfig(config)).rejects.toThrow(
    /workload\.valueBytes\.path: expected a file that can be read \(ENOENT\), found ".*"/,
  );
});

test('a file that changes after the config was read changes nothing', async () => {
  const { folder, config } = await writeConfig('data/values.txt');
  const { workload } = await readConfig(config);
  const before = workloadTask(workload);
  await writeFile(join(folder, 'data', 'values.txt'), 'three\n');
  expect(workloadTask(workload)).toEqual(before);
  await rm(join(folder, 'data'), { recursive: true });
  expect(workloadTask(workload)).toEqual(before);
});
