import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from './support/cluster.ts';
import { createExperiment } from './support/experiment.ts';
import { callsOf } from './support/observed-server.ts';
import { certificates } from './support/servers.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ password: 's3cret', tls: true });
});
afterAll(() => cluster?.stop());

test('all nodes are spoken to as the one in the URL: in TLS, with its login', async () => {
  const url = `rediss://:s3cret@localhost:${cluster.masters[0]?.tlsPort}`;
  const experiment = await createExperiment(url, {
    target: { server: 'redis', url, cluster: true },
    scenarios: [{ client: ['wire', 'ioredis'], workers: 4, pipeline: 3 }],
    seconds: 0.2,
  });
  const { code, stderr } = await experiment.run([], { env: { NODE_EXTRA_CA_CERTS: certificates.ca } });
  expect(code, stderr).toBe(0);
  for (const { rounds, id } of (await experiment.result()).scenarios) {
    const [round] = rounds;
    expect(round, id).toMatchObject({
      failed: {},
      unfinished: 0,
      misses: 0,
      redirects: { moved: 0, ask: 0 },
    });
    expect(round?.completed, id).toBeGreaterThan(0);
    expect(round?.serverCalls, id).toBe(round?.completed);
  }
  for (const { redis } of cluster.masters) expect(await callsOf(redis, 'set')).toBeGreaterThan(0);
  const left = await Promise.all(cluster.masters.map(({ redis }) => redis.dbsize()));
  expect(left).toEqual([0, 0, 0]);
});
