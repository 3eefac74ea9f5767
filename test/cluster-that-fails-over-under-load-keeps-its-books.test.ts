import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startCluster, type TestCluster, type TestNode } from './support/cluster.ts';
import { clientNames, until } from './support/connections.ts';
import { createExperiment } from './support/experiment.ts';
import { callsOf, loadBegun } from './support/observed-server.ts';

/** Resolves when another node than `before` serves the slot, and the load has found it: only the load reads. */
async function taken(cluster: TestCluster, slot: number, before: TestNode, reads: number): Promise<void> {
  await until(async () => {
    const { master } = await cluster.servingOf(slot);
    return master !== before && (await callsOf(master.redis, 'get')) > reads;
  });
}

const [killed, handedOver] = [16383, 0];

test.each(clientNames)(
  '%s: one master is killed, another hands over, and every operation is accounted for',
  { timeout: 60_000 },
  async client => {
    // A cluster of its own: what is left of it has too few nodes for another try.
    const cluster = await startCluster({ withReplicas: true, nodeTimeoutMs: 500 });
    onTestFinished(() => cluster.stop());
    const living = new Set(cluster.nodes);
    const url = cluster.masters[0]?.url ?? '';
    const experiment = await createExperiment(url, {
      target: { server: 'redis', url, cluster: true },
      scenarios: [{ client, workers: 8, pipeline: client === 'wire' ? 4 : 1 }],
      // It is stopped when everything has happened.
      seconds: 60,
      timeoutMs: 4000,
      // Meanwhile a third of the keys has no master, or all have none.
      maxFailedShare: 1,
    });
    const run = experiment.start();
    const { master: victim } = await cluster.servingOf(killed);
    await loadBegun(victim.redis);
    // The warm-up of the threads, of 0.2 s, is not what is looked at.
    await sleep(1500);
    victim.signal('SIGKILL');
    living.delete(victim);
    await taken(cluster, killed, victim, 0);

    const { master: old, replica } = await cluster.servingOf(handedOver);
    if (replica === undefined) throw new Error('no replica to hand over to');
    await replica.redis.call('CLUSTER', 'FAILOVER');
    await taken(cluster, handedOver, old, await callsOf(replica.redis, 'get'));
    run.kill('SIGINT');
    const { code, stderr } = await run.outcome;
    expect(stderr).toContain('a master of the cluster');
    expect(stderr).not.toContain('could not be removed');
    expect(code).toBe(130);

    const [round] = (await experiment.result()).scenarios[0]?.rounds ?? [];
    if (round === undefined) throw new Error('nothing was measured');
    const failed = Object.values(round.failed).reduce((sum, count) => sum + count, 0);
    expect(round.issued).toBe(round.completed + failed + round.unfinished);
    expect(round.unfinished).toBe(0);
    expect(failed).toBeGreaterThan(0);
    expect(round.completed).toBeGreaterThan(0);
    expect(round.redirects?.moved).toBeGreaterThan(0);
    expect(round.serverCalls).toBeNull();
    expect(round.cpu.serverCores).toBeNull();
    const left = await Promise.all([...living].map(({ redis }) => redis.dbsize()));
    expect(left).toEqual(left.map(() => 0));
  },
);
