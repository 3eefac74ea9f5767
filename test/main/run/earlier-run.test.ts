import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { describeFiles } from '../../../src/main/experiment/workload-files.ts';
import { expectSameFiles, expectSameSubject, readLeftRun } from '../../../src/main/run/earlier-run.ts';
import { formatReplay } from '../../../src/workers/workload/replay-file.ts';
import { buildResult } from '../../support/result-builder.ts';

test('a run is not resumed with another version of a client', () => {
  const ofVersion = (version: string) => ({
    ...buildResult([]),
    clients: [{ client: 'node-redis', package: 'redis', version }],
  });
  expect(() => expectSameSubject('run', ofVersion('5.8.0'), ofVersion('5.8.0'))).not.toThrow();
  expect(() => expectSameSubject('run', ofVersion('5.8.0'), ofVersion('6.1.0'))).toThrow(
    /clients of the run, node-redis \(redis 5\.8\.0\), found node-redis \(redis 6\.1\.0\)/,
  );
});

test('a run is resumed only with the texts of the files that it began with', () => {
  const script = { key: 'workload.script', file: 'a.mjs', sha256: 'ab' };
  const replay = { key: 'populations[0].workload.replay', file: 'a.replay', sha256: 'cd' };
  expect(() => expectSameFiles([script, replay], [{ ...script, file: 'b.mjs' }, replay])).not.toThrow();
  // A result from before 0.10 does not have them.
  expect(() => expectSameFiles(undefined, [script])).not.toThrow();
  for (const found of [[script, { ...replay, sha256: 'ef' }], [script], []])
    expect(() => expectSameFiles([script, replay], found)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(/found another text/) }),
    );
});

test('a changed file is named before anything that is derived from it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'a.replay');
  const operations = [0, 1, 2, 3].map(key => ({
    instant: key * key * 1000,
    command: 0,
    size: 0,
    keys: [key],
  }));
  const text = formatReplay(['GET {key}'], operations);
  await writeFile(file, text);
  const config = {
    name: 'replay',
    target: { server: 'any', url: 'redis://h' },
    workload: { keys: 10, commands: [{ command: 'GET {key}' }], replay: 'a.replay' },
    scenarios: [{ client: 'wire', arrival: { kind: 'recorded' } }],
  };
  const experiment = parseConfig(JSON.stringify(config), join(folder, 'config.json'));
  const files = await describeFiles(experiment);
  const result = { ...buildResult([], { files, config: experiment }), complete: false };
  await writeFile(join(folder, 'result.json'), JSON.stringify(result));
  expect((await readLeftRun(folder, {})).plan.sides).toHaveLength(1);
  for (const changed of [
    // In turn: another mean rate, keys that do not fit, commands that do not fit, and no replay.
    formatReplay(['GET {key}'], operations.slice(0, 3)),
    text.replace(/3\n$/, '30\n'),
    text.replace('GET', 'DEL'),
    'another text',
  ]) {
    await writeFile(file, changed);
    await expect(readLeftRun(folder, {})).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/^workload\.replay: .*a\.replay .*SHA-256 [0-9a-f]{64}/),
    });
  }
  await rm(file);
  await expect(readLeftRun(folder, {})).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^workload\.replay: .*a\.replay, found no such file;/),
  });
});
