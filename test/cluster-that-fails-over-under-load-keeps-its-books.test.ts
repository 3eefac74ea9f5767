import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster, type TestNode } from './support/cluster.ts';
import { clientNames } from './support/connections.ts';
import { createExperiment } from './support/experiment.ts';
import { loadBegun } from './support/observed-server.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ withReplicas: true, nodeTimeoutMs: 500 });
});
afterAll(() => cluster?.stop());

const living = new Set<TestNode>();

test.each(clientNames)(
  '%s: a master hands over, another is killed, and every operation is accounted for',
  async client => {
    if (living.size === 0) for (const node of cluster.nodes) living.add(node);
    const target = { server: 'redis', url: [...living][0]?.url, cluster: true };
    const experiment = await createExperiment(String(target.url), {
      target,
      scenarios: [{ client, workers: 8, pipeline: client === 'wire' ? 4 : 1 }],
      seconds: 5,
      timeoutMs: 3000,
      // Half of the time a third of the keys has no master.
      maxFailedShare: 1,
    });
    const run = experiment.start();
    await loadBegun((await cluster.ownerOf(0)).redis);
    await sleep(700);
    const [replica] = cluster.replicas.filter(node => living.has(node));
    await replica?.redis.call('CLUSTER', 'FAILOVER');
    await sleep(800);
    // The masters that have not handed over still have their replicas.
    const victim = await cluster.ownerOf(client === 'wire' ? 16383 : 8000);
    victim.signal('SIGKILL');
    living.delete(victim);
    const { code, stderr } = await run.outcome;
    expect(stderr).toContain('a master of the cluster was restarted or replaced while');
    expect(code).toBe(0);

    const { scenarios } = await experiment.result();
    const [round] = scenarios[0]?.rounds ?? [];
    if (round === undefined) throw new Error('nothing was measured');
    const failed = Object.values(round.failed).reduce((sum, count) => sum + count, 0);
    expect(round.issued).toBe(round.completed + failed + round.unfinished);
    expect(round.unfinished).toBe(0);
    expect(failed).toBeGreaterThan(0);
    expect(round.completed).toBeGreaterThan(failed);
    expect(round.redirects?.moved).toBeGreaterThan(0);
    expect(round.serverCalls).toBeNull();
    expect(round.cpu.serverCores).toBeNull();
    // It goes on with the new master: the last second is like the first one.
    expect(round.series.at(-1)).toMatchObject({ second: 4, failed: 0 });
    expect(round.series.at(-1)?.completed).toBeGreaterThan((round.series[0]?.completed ?? 0) / 4);
    const left = await Promise.all([...living].map(({ redis }) => redis.dbsize()));
    expect(left).toEqual(left.map(() => 0));
  },
);
