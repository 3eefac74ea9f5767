import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { describeFiles, expectScripts } from '../../../src/main/experiment/workload-files.ts';
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

test("a script that cannot be used is named by its key, a population's too", async () => {
  const path = await writeScript('export const other = 1;\n');
  const named = experiment(dirname(path), {}, [{ script: basename(path) }]);
  await expect(expectScripts(named)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^populations\[0\]\.workload\.script: expected a module/),
  });
});
