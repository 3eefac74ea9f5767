import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { clientNames } from './support/connections.ts';
import { createExperiment } from './support/experiment.ts';
import { callsOf, connectObserver, processId } from './support/observed-server.ts';
import { masterName, startReplicated, startSentinels, untilAllIsKnown } from './support/sentinels.ts';

/** Resolves when the load has lasted longer than the warm-up of the threads before the measurement does. */
async function measuring(redis: Redis): Promise<void> {
  let before = 0;
  for (let busy = 0; busy < 8; await sleep(100)) {
    const calls = await callsOf(redis, 'get');
    busy = calls > before ? busy + 1 : 0;
    before = calls;
  }
}

test('the master is killed under load, and the replica takes over', async () => {
  const runs = clientNames.map(async client => {
    const { master, replica } = await startReplicated();
    const sentinels = await startSentinels(master.port);
    await untilAllIsKnown(sentinels);
    const experiment = await createExperiment('', {
      target: { server: 'redis', url: sentinels.url, sentinel: { master: masterName } },
      scenarios: [{ client, workers: 4, pools: 2 }],
      seconds: 8,
      maxFailedShare: 1,
    });
    const outcome = experiment.run();
    const observer = await connectObserver(master.url);
    await measuring(observer);
    process.kill(await processId(observer), 'SIGKILL');
    return { master, replica, sentinels, outcome: await outcome, result: await experiment.result() };
  });

  for (const { master, replica, sentinels, outcome, result } of await Promise.all(runs)) {
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(await sentinels.master()).toBe(replica.port);
    expect(result.complete).toBe(true);
    const [round] = result.scenarios[0]?.rounds ?? [];
    if (round === undefined) throw new Error('expected a round');

    const failed = Object.values(round.failed).reduce((sum, count) => sum + count, 0);
    expect(round.issued).toBe(round.completed + failed + round.unfinished);
    expect(round.unfinished).toBe(0);
    expect(round.service.count).toBe(round.completed);
    expect(round.series.reduce((sum, second) => sum + second.failed, 0)).toBe(failed);
    // What was in flight is lost; until the failover the Sentinel still names the server that is gone.
    expect(round.failed.ECONNREFUSED).toBeGreaterThan(0);
    expect(Object.keys(round.failed).join()).toMatch(/CONNECTION_CLOSED|ECONNRESET|EPIPE/);
    expect(round.poolMetrics.reconnects).toBeGreaterThan(0);
    const onNewMaster = await connectObserver(replica.url);
    expect(await callsOf(onNewMaster, 'get')).toBeGreaterThan(0);

    // The control connection has followed: it tells of the move, and has removed the run's keys where they are now.
    expect(result.warnings.join('\n')).toMatch(
      `the master moved from 127.0.0.1:${master.port} to 127.0.0.1:${replica.port} while`,
    );
    expect(await onNewMaster.dbsize()).toBe(0);
    expect(round.serverCalls).toBeNull();
    expect(outcome.stdout).toMatch(/Failed: .*ECONNREFUSED/s);
  }
});
