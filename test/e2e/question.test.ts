import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { readConfig } from '../../src/main/experiment/read-config.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startSlowly } from '../support/proxy.ts';
import { startRedis } from '../support/servers.ts';

test('a URL and flags are answered without a config, which can be kept', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const url = await startSlowly(server.port);
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const save = join(folder, 'kept.json');
  const times = ['--rounds', '2', '--seconds', '0.1', '--warmup', '0'];
  const flags = ['--client', 'ioredis,wire', '--workers', '4', '--keys', '100'];
  const outcome = await runPoolbench([url, ...flags, ...times, '--out', folder, '--save', save]);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(outcome.stderr).toMatch(/--pools 1/);
  const [run = ''] = (await readdir(folder)).filter(name => name !== 'kept.json');
  const result = resultSchema.parse(JSON.parse(await readFile(join(folder, run, 'result.json'), 'utf8')));
  expect(result.scenarios.map(({ id }) => id)).toEqual([
    'ioredis-optimized-1pool-4workers',
    'wire-optimized-1pool-4workers',
  ]);
  const { $schema, ...kept } = await readConfig(save);
  expect($schema).toBeDefined();
  expect(result.config).toEqual({ ...kept, rounds: 2 });
});
