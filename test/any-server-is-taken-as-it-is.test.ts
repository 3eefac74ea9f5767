import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../src/main/server/server-process.ts';
import { bareMachine } from './support/bare-machine.ts';
import { createExperiment } from './support/experiment.ts';
import { runPoolbench } from './support/poolbench.ts';
import { startRedis, startValkey } from './support/servers.ts';

test('whatever answers at the URL is the target, and no stand-in', async () => {
  const server = await startValkey();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, { target: { server: 'any', url: server.url } });
  const { code, stdout, stderr } = await experiment.run(['--no-stand-in']);
  expect(code, stderr).toBe(0);
  expect(stdout + stderr).not.toMatch('STAND-IN');
  expect((await experiment.result()).target).toMatchObject({
    declared: { server: 'any', url: server.url },
    detected: { server: 'valkey' },
    standIn: false,
  });
});

test('where nothing answers one is started', async () => {
  const url = `redis://localhost:${await freePort()}`;
  const experiment = await createExperiment(url, { target: { server: 'any', url } });
  const { code, stdout, stderr } = await runPoolbench(['check', experiment.configPath, '--no-stand-in']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^Target: redis \S+, 1 thread \(.*started on /m);
});

test('the embedded server stands in, or is refused', async () => {
  const url = `redis://localhost:${await freePort()}`;
  const experiment = await createExperiment(url, { target: { server: 'any', url } });
  const env = await bareMachine(experiment.folder);
  const lenient = await runPoolbench(['check', experiment.configPath], { env });
  expect(lenient.code, lenient.stderr).toBe(0);
  expect(lenient.stdout).toMatch(/^STAND-IN: these are figures of embedded /m);
  const strict = await runPoolbench(['check', experiment.configPath, '--no-stand-in'], { env });
  expect(strict.code).toBe(3);
  expect(strict.stderr).toMatch(/Redis, Valkey or Dragonfly at redis:/);
  for (const server of ['redis', 'valkey', 'dragonfly'])
    expect(strict.stderr).toContain(`- ${server}: binary on PATH: no `);
});

test('--target takes the target of another config, and --url goes over that', async () => {
  const [redis, valkey] = await Promise.all([startRedis(), startValkey()]);
  onTestFinished(async () => {
    await Promise.all([redis.stop(), valkey.stop()]);
  });
  const experiment = await createExperiment(redis.url, { name: 'suite' });
  const target = { server: 'valkey', url: valkey.url };
  const other = await createExperiment(valkey.url, { name: 'other', rounds: 9, target });
  const { code, stderr } = await experiment.run(['--target', other.configPath]);
  expect(code, stderr).toBe(0);
  const result = await experiment.result();
  expect(result).toMatchObject({ name: 'suite', config: { rounds: 1, target }, target: { standIn: false } });
  expect(result.target).toMatchObject({ declared: target, detected: { server: 'valkey' } });

  const check = (...args: string[]) => runPoolbench(['check', experiment.configPath, ...args]);
  expect((await check('--target', other.configPath)).stdout).toMatch(/^Target: valkey /);
  expect((await check('--target', other.configPath, '--url', redis.url)).stdout).toMatch(
    /^STAND-IN: .* stood in for valkey/,
  );
  const missing = await check('--target', join(other.folder, 'nothing.json'));
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/nothing\.json/),
  });
  await writeFile(other.configPath, '{"name": "half"}');
  const invalid = await check('--target', other.configPath);
  expect(invalid).toMatchObject({ code: 2, stderr: expect.stringContaining(other.configPath) });
});
