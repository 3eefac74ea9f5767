import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { connectObserver, loadBegun } from './support/observed-server.ts';
import { startRedis } from './support/servers.ts';

/** Away for longer than two seconds, a server is away for all of at least one second of the series. */
const outageMs = 2100;

test('an outage is counted, seen in the series, and over when the server is back', async () => {
  const runs = ['ioredis', 'wire'].map(async client => {
    let server = await startRedis();
    onTestFinished(() => server.stop());
    const { port, url } = server;
    const experiment = await createExperiment(url, {
      scenarios: [{ client, pools: 2, workers: 4 }],
      seconds: 4,
      maxFailedShare: 0.5,
    });
    const running = experiment.run();
    await loadBegun(await connectObserver(url));
    await sleep(1000);
    await server.stop();
    await sleep(outageMs);
    server = await startRedis({ port });
    return { client, outcome: await running, result: await experiment.result(), url };
  });

  for (const { client, outcome, result, url } of await Promise.all(runs)) {
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(result.complete).toBe(true);
    const [round] = result.scenarios[0]?.rounds ?? [];
    if (round === undefined) throw new Error('expected a round');

    const failed = Object.values(round.failed).reduce((sum, count) => sum + count, 0);
    expect(failed).toBeGreaterThan(0);
    expect(round.failed.ECONNREFUSED).toBeGreaterThan(0);
    expect(round.issued).toBe(round.completed + failed + round.unfinished);
    expect(round.service.count).toBe(round.completed);
    expect(round.series.reduce((sum, second) => sum + second.failed, 0)).toBe(failed);
    expect(round.series.reduce((sum, second) => sum + second.completed, 0)).toBe(round.completed);

    const out = round.series.findIndex(({ completed }) => completed === 0);
    expect(round.series[out], `${client}: a second without a completed operation`).toMatchObject({
      completed: 0,
      failed: expect.toSatisfy((count: number) => count > 0),
      p50: null,
      p99: null,
    });
    const after = round.series.slice(out + 1).map(({ completed }) => completed);
    expect(Math.max(...after)).toBeGreaterThan(0);
    expect(round.poolMetrics.reconnects).toBeGreaterThan(0);

    // The server that came back counts from zero: nothing may be concluded from that.
    expect(round.serverCalls).toBeNull();
    expect(round.cpu.serverCores).toBeNull();
    expect(result.warnings.join('\n')).toMatch(/the server was restarted while .* was measured in round 1/);
    expect(outcome.stdout).toMatch(/Failed: .*ECONNREFUSED/s);
    expect(outcome.stdout).not.toMatch('somebody else');
    // What it lost with its memory is not missed: the keys of the second life are removed, too.
    expect(await (await connectObserver(url)).dbsize()).toBe(0);
  }
});
