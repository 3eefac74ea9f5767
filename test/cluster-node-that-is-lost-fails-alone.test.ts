import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startCluster, type TestCluster, type TestNode } from './support/cluster.ts';
import { clusterClient, keyWhere, openClusterConnection } from './support/cluster-connections.ts';
import { clientNames, createPool, GET, SET, sendBatch } from './support/connections.ts';

let cluster: TestCluster;
beforeAll(async () => {
  // The cluster itself takes no notice within a test.
  cluster = await startCluster({ nodeTimeoutMs: 30_000 });
});
afterAll(() => cluster?.stop());

const [ofFirst, ofSecond] = [(slot: number) => slot < 5000, (slot: number) => slot > 6000 && slot < 10_000];
const inFirst = keyWhere(ofFirst);
const inSecond = keyWhere(ofSecond);
const seeds = () => cluster.masters.map(({ port }) => port);

describe.each(clientNames)('%s', client => {
  test('what is asked of a node that hangs fails in time, and the others answer meanwhile', async () => {
    const pool = createPool(clusterClient(client, seeds(), 600).connect, 'shared', {
      max: 1,
      timeoutMs: 600,
    });
    await pool.warm();
    const connection = await pool.acquire();
    const second = cluster.masters[1] as TestNode;
    second.signal('SIGSTOP');
    onTestFinished(() => second.signal('SIGCONT'));
    const hung = sendBatch(connection, [[GET, inSecond.key]]);
    let ended = false;
    const outcome = hung.then(found => {
      ended = true;
      return found;
    });
    let answered = 0;
    while (!ended) {
      const { completed } = await sendBatch(connection, [[GET, inFirst.key]]);
      answered += completed;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    expect(await outcome).toMatchObject({ completed: 0, failures: { TIMEOUT: 1 } });
    expect(answered).toBeGreaterThan(3);
    second.signal('SIGCONT');
    pool.release(connection);
    const again = await pool.acquire();
    expect(await sendBatch(again, [[SET, inSecond.key]])).toMatchObject({ completed: 1, failures: {} });
    pool.release(again);
  });
});

describe.each(clientNames)('%s, after the hang', client => {
  test('a node that crashes fails its own commands, each once, and the others go on', async () => {
    const connection = await openClusterConnection(clusterClient(client, [seeds()[0] as number]));
    const all = Array.from({ length: 60 }, (_, key) => [SET, key] as const);
    expect((await sendBatch(connection, all)).completed).toBeGreaterThan(0);
    // The second client finds one node dead already.
    cluster.masters[client === 'wire' ? 2 : 1]?.signal('SIGKILL');
    for (let i = 0; i < 3; i++) {
      const { completed, failures, doneCalls } = await sendBatch(connection, all);
      const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
      expect(completed).toBeGreaterThan(0);
      expect(failed).toBeGreaterThan(0);
      expect(completed + failed).toBe(60);
      for (const code of Object.keys(failures))
        expect(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'CONNECTION_CLOSED']).toContain(code);
      expect(doneCalls()).toBe(1);
    }
    expect(await sendBatch(connection, [[SET, inFirst.key]])).toMatchObject({ completed: 1, failures: {} });
    expect(connection.alive).toBe(true);
    expect([connection.sent, connection.settled]).toEqual([5, 5]);
  });
});
