import { expect, test } from 'vitest';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { ofTest, startRedis } from '../support/servers.ts';

test('a user who may only use some keys runs with target.keyPrefix; without it no key is said to be left', async () => {
  const args = ['--user', 'app', 'on', '>pw', '~myapp:*', '+@all', '-@dangerous'];
  const { port } = await ofTest(startRedis({ args }));
  const url = `valkey://app:pw@127.0.0.1:${port}`;
  const config = { scenarios: [{ client: 'wire', workers: 2, ...unhurried }], seconds: 0.2 };
  const target = { server: 'any', url };
  const experiment = await createExperiment(url, { ...config, target: { ...target, keyPrefix: 'myapp:' } });
  const { code, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  for (const { rounds } of (await experiment.result()).scenarios)
    expect(rounds[0]).toMatchObject({ failed: {}, completed: expect.toSatisfy(count => count > 0) });
  expect(await (await connectObserver(`redis://127.0.0.1:${port}`)).dbsize()).toBe(0);

  const without = await createExperiment(url, { ...config, target });
  const refused = await without.run();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/target\.keyPrefix/);
  expect(refused.stderr + refused.stdout).not.toMatch(/could not be removed/);
});
