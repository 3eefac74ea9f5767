import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { describeFiles, expectScripts } from '../../../src/main/experiment/workload-files.ts';
import { formatReplay, untimedHead } from '../../../src/workers/workload/replay-file.ts';
import { writeScript } from '../../support/scripts.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A config beside the files that it names. */
function experiment(folder: string, workload: object, ofPopulations: readonly (object | null)[]) {
  const populations = ofPopulations.map((workload, index) => ({ name: `p${index}`, workload }));
  const target = { server: 'redis', url: 'redis://h' };
  const text = JSON.stringify({ name: 'files', target, workload, scenarios: [{}], populations });
  return parseConfig(text, join(folder, 'config.json'));
}

test('results keep the hashes of all files that the workloads of a config name, each once', async () => {
  const [script, values] = ['export default async () => {};\n', 'one\ntwo\n'];
  const path = await writeScript(script);
  const folder = dirname(path);
  await writeFile(join(folder, 'values.txt'), values);
  const ofValues = { valueBytes: { kind: 'file', path: 'values.txt' } };
  const named = experiment(folder, ofValues, [null, { ...ofValues, script: basename(path) }]);
  expect(await describeFiles(named)).toEqual([
    { key: 'workload.valueBytes.path', file: 'values.txt', sha256: sha256(values) },
    { key: 'populations[1].workload.script', file: basename(path), sha256: sha256(script) },
    { key: 'populations[1].workload.valueBytes.path', file: 'values.txt', sha256: sha256(values) },
  ]);
  expect(await describeFiles(experiment(folder, {}, [null]))).toBeUndefined();
});

test('results keep the length of a recording that has instants; a file that cannot be read is named', async () => {
  const folder = dirname(await writeScript(''));
  const at = (instant: number) => ({ instant, command: 0, size: 0, keys: [1] });
  const timed = formatReplay(['GET {key}'], [at(0), at(1_000_000), at(2_000_000)]);
  const untimed = `${untimedHead}\n0 0 1\n`;
  await writeFile(join(folder, 'timed.replay'), timed);
  await writeFile(join(folder, 'untimed.replay'), untimed);
  const replayed = (replay: string) => ({ commands: [{ command: 'GET {key}' }], replay });
  const named = experiment(folder, replayed('timed.replay'), [replayed('untimed.replay')]);
  expect(await describeFiles(named)).toEqual([
    { key: 'workload.replay', file: 'timed.replay', sha256: sha256(timed), recordedSeconds: 3 },
    { key: 'populations[0].workload.replay', file: 'untimed.replay', sha256: sha256(untimed) },
  ]);
  await rm(join(folder, 'untimed.replay'));
  await expect(describeFiles(named)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(
      /^populations\[0\]\.workload\.replay: expected the file .*untimed\.replay, found no such file; restore it/,
    ),
  });
});

test("a script that cannot be used is named by its key, a population's too", async () => {
  const path = await writeScript('export const other = 1;\n');
  const named = experiment(dirname(path), {}, [{ script: basename(path) }]);
  await expect(expectScripts(named)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^populations\[0\]\.workload\.script: expected a module/),
  });
});

test('a script is loaded beside this process, which it neither keeps alive nor ends', async () => {
  const load = async (text: string) => {
    const path = await writeScript(text);
    return expectScripts(experiment(dirname(path), { script: basename(path) }, []));
  };
  await load('globalThis.isLoaded = true; setInterval(() => {}, 1000); export default async () => {};\n');
  expect(globalThis).not.toHaveProperty('isLoaded');
  await expect(load('process.exit(3);\n')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
