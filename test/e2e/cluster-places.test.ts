import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { ofTest } from '../support/servers.ts';

test('nodes that announce no host, or one that cannot be reached, are reached by both clients', async () => {
  const cluster = await ofTest(startCluster());
  const url = cluster.masters[0]?.url ?? '';
  const scenarios = [{ client: ['wire', 'ioredis'], workers: 4, ...unhurried }];
  const announce = (key: string, value: (port: number) => string) =>
    Promise.all(cluster.masters.map(({ redis, port }) => redis.config('SET', key, value(port))));
  const run = async (natMap: Readonly<Record<string, string>>) => {
    const target = { server: 'any', url, cluster: true, natMap };
    const experiment = await createExperiment(url, { target, scenarios, seconds: 0.2 });
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    for (const { rounds } of (await experiment.result()).scenarios)
      expect(rounds[0]).toMatchObject({ failed: {}, completed: expect.toSatisfy(count => count > 0) });
    for (const { redis } of cluster.masters) expect(await redis.dbsize()).toBe(0);
  };

  await announce('cluster-preferred-endpoint-type', () => 'unknown-endpoint');
  await run({});
  await announce('cluster-announce-hostname', port => `no-such-${port}.invalid`);
  await announce('cluster-preferred-endpoint-type', () => 'hostname');
  const places = cluster.masters.map(({ port }) => [`no-such-${port}.invalid:${port}`, `127.0.0.1:${port}`]);
  const natMap = Object.fromEntries(places);
  await expect
    .poll(async () => JSON.stringify(await cluster.masters[0]?.redis.call('CLUSTER', 'SLOTS')))
    .toMatch(/(no-such.*){3}/);
  await run(natMap);
});
