import { existsSync } from 'node:fs';
import { access, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bareMachine } from '../support/bare-machine.ts';
import { until } from '../support/connections.ts';
import { createExperiment } from '../support/experiment.ts';
import { answers, callsOf, connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ownPort } from '../support/ports.ts';
import { startRedis } from '../support/servers.ts';

test('check identifies the target and prints plan and duration, without a GET or a SET', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await connectObserver(server.url);
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: ['ioredis', 'wire'], pools: [1, 2], workers: 4 }],
    rounds: 6,
    seconds: 0.2,
    warmupSeconds: 0.05,
  });
  const check = (...args: string[]) =>
    runPoolbench(['check', experiment.configPath, ...args], { cwd: experiment.folder });
  const { code, stdout, stderr } = await check();
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^Target: redis \d+\.\S+, 1 thread \(running at redis:/);
  expect(stdout).toContain('4 scenarios and 1 control × 6 rounds = 30 measurements');
  expect(stdout).toMatch(/duration: about 1\d s/);
  expect(stdout).toMatch(/warning: 1 other client connected/);
  expect(await callsOf(redis, 'get')).toBe(0);
  expect(await callsOf(redis, 'set')).toBe(0);
  expect(await redis.dbsize()).toBe(0);
  await expect(access(join(experiment.folder, 'results'))).rejects.toThrow('ENOENT');

  expect((await check('--rounds', '1', '--seconds', '2')).stdout).toContain(
    '4 scenarios × 1 round = 4 measurements',
  );
});

test('check stops the server that it started', async () => {
  const port = await ownPort();
  const experiment = await createExperiment(`redis://localhost:${port}`);
  const { code, stdout, stderr } = await runPoolbench(['check', experiment.configPath]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(`started on 127.0.0.1:${port}`);
  expect(await answers(port)).toBe(false);
});

test('check reports a stand-in, and with --no-stand-in refuses it', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, { target: { server: 'dragonfly', url: server.url } });
  const lenient = await runPoolbench(['check', experiment.configPath]);
  expect(lenient.code).toBe(0);
  expect(lenient.stdout).toMatch(/^STAND-IN: redis \S+ at \S+ stands in for dragonfly/);
  const strict = await runPoolbench(['check', experiment.configPath, '--no-stand-in']);
  expect(strict.code).toBe(3);
  expect(strict.stderr).toMatch(/^poolbench: .*dragonfly.*redis .*--no-stand-in\n$/);
});

test('SIGHUP while a server is fetched: 130, and nothing is left of it', async () => {
  const experiment = await createExperiment(`redis://localhost:${await ownPort()}`);
  const env = await bareMachine(experiment.folder);
  const apt = join(experiment.folder, 'bin', 'apt-get');
  const atWork = join(experiment.folder, 'at-work');
  await writeFile(apt, `#!/bin/sh\necho > '${atWork}'\nexec sleep 60\n`);
  let interrupting: Promise<void> | undefined;
  const { code } = await runPoolbench(['check', experiment.configPath], {
    env,
    ownProcess: true,
    onOutput(output, kill) {
      if (output.includes('fetching redis-server'))
        interrupting ??= until(() => existsSync(atWork)).then(() => kill('SIGHUP'));
    },
  });
  await interrupting;
  expect(code).toBe(130);
  expect(await readdir(join(experiment.folder, 'cache', 'poolbench', 'servers'))).toEqual([]);
});
