import { expect, test } from 'vitest';
import { expectSameSubject } from '../../../src/main/run/earlier-run.ts';
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
