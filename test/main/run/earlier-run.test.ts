import { expect, test } from 'vitest';
import { expectSameFiles, expectSameSubject } from '../../../src/main/run/earlier-run.ts';
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
  for (const found of [[script, { ...replay, sha256: 'ef' }], [script], undefined])
    expect(() => expectSameFiles([script, replay], found)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(/found another text/) }),
    );
});
