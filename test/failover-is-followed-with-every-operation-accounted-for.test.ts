import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { connectObserver, loadBegun, processId } from './support/observed-server.ts';
import { masterName, startReplicated, startSentinels, untilAllIsKnown } from './support/sentinels.ts';

test.each(['wire', 'ioredis'] as const)(
  '%s: the master is killed under load, and the replica takes over',
  async client => {
    const { master, replica } = await startReplicated();
    const sentinels = await startSentinels(master.port);
    await untilAllIsKnown(sentinels);
    const experiment = await createExperiment('', {
      target: { server: 'redis', url: sentinels.url, sentinel: { master: masterName } },
      scenarios: [{ client, workers: 4, pools: 2 }],
      seconds: 6,
      maxFailedShare: 1,
    });
    const running = experiment.run();
    const observer = await connectObserver(master.url);
    await loadBegun(observer);
    await sleep(1000);
    process.kill(await processId(observer), 'SIGKILL');

    const { code, stdout, stderr } = await running;
    expect(code, stderr).toBe(0);
    expect(await sentinels.master()).toBe(replica.port);
    const result = await experiment.result();
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
    const [, calls] = /cmdstat_get:calls=(\d+)/.exec(await onNewMaster.info('commandstats')) ?? [];
    expect(Number(calls)).toBeGreaterThan(100);

    // The control connection has followed: it tells of the move, and has removed the run's keys where they are now.
    expect(result.warnings.join('\n')).toMatch(
      new RegExp(`the master moved from 127.0.0.1:${master.port} to 127.0.0.1:${replica.port} while`),
    );
    expect(await onNewMaster.dbsize()).toBe(0);
    expect(round.serverCalls).toBeNull();
    expect(stdout).toMatch(/Failed: .*ECONNREFUSED/s);
  },
);
