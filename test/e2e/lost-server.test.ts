import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Result } from '../../src/aggregate/result.ts';
import { until } from '../support/connections.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { startObserved } from '../support/observed-run.ts';
import { clientsNamed, connectObserver, measuring, processId, rising } from '../support/observed-server.ts';
import { masterName, startReplicated, startSentinels, untilAllIsKnown } from '../support/sentinels.ts';
import { ofTest, shareServer, startRedis } from '../support/servers.ts';

/** What happens to the server happens to both clients in one measurement, which the test stops once everything has happened. */
const bothAtOnce = {
  scenarios: [{ client: 'wire', workers: 4, ...unhurried, beside: 'other' }],
  populations: [{ name: 'other', client: 'ioredis', workers: 4, sharesThreads: true, ...unhurried }],
  seconds: 60,
  // An outage or a failover is to end before the target counts as lost, after twice as long.
  timeoutMs: 30_000,
};

/** What the connections of the two are called. */
const pools = ['poolbench:1', 'poolbench:1.1'];

/** Both clients have sent operations over connections that they have now. */
async function bothSend(redis: Redis): Promise<boolean> {
  const clients = await Promise.all(pools.map(name => clientsNamed(redis, name)));
  return clients.every(ofPool => ofPool.some(client => / cmd=[gs]et /.test(client)));
}

/** The loads of the only measurement: that of wire, and that of ioredis beside it. */
function loadsOf({ scenarios }: Result) {
  const [round] = scenarios[0]?.rounds ?? [];
  if (round === undefined) throw new Error('expected a round');
  const loads = [round, ...(round.populations ?? [])];
  expect(loads).toHaveLength(2);
  return loads;
}

function countFailed({ failed }: { readonly failed: Readonly<Record<string, number>> }): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}

describe('server that comes back is used again', () => {
  test('an outage is counted, seen in the series, and over when the server is back, with both clients', async () => {
    let server = await startRedis();
    onTestFinished(() => server.stop());
    const { port, url } = server;
    const experiment = await createExperiment(url, bothAtOnce);
    const running = await startObserved(experiment);
    await measuring(await connectObserver(url));
    await server.stop();
    // Operations have failed all the time for longer than two seconds, and so for all of at least one second of the series.
    await rising(running.failedSoFar, 25);
    server = await startRedis({ port });
    const redis = await connectObserver(url);
    await until(() => bothSend(redis), 20);
    running.kill('SIGINT');
    const outcome = await running.outcome;
    const result = await experiment.result();
    expect(outcome.code, outcome.stderr).toBe(130);
    for (const round of loadsOf(result)) {
      const failed = countFailed(round);
      expect(failed / round.issued).toBeGreaterThan(0.01);
      expect(round.failed.ECONNREFUSED).toBeGreaterThan(0);
      expect(round.issued).toBe(round.completed + failed + round.unfinished);
      expect(round.service.count).toBe(round.completed);
      expect(round.series.reduce((sum, second) => sum + second.failed, 0)).toBe(failed);
      expect(round.series.reduce((sum, second) => sum + second.completed, 0)).toBe(round.completed);

      const out = round.series.findIndex(second => second.completed === 0 && second.failed > 0);
      expect(round.series[out], 'a second in which all operations failed').toMatchObject({
        p50: null,
        p99: null,
      });
      const after = round.series.slice(out + 1).map(({ completed }) => completed);
      expect(Math.max(...after)).toBeGreaterThan(0);
      expect(round.poolMetrics.reconnects).toBeGreaterThan(0);
    }
    // The server that came back counts from zero: nothing may be concluded from that.
    const [round] = result.scenarios[0]?.rounds ?? [];
    expect([round?.together?.serverCalls, round?.cpu.serverCores]).toEqual([null, null]);
    expect(result.warnings.join('\n')).toMatch(/restarted .* round 1/);
    expect(outcome.stdout).toMatch(/Failed: .*ECONNREFUSED/s);
    expect(outcome.stdout).not.toMatch('did another program');
    // The keys that it lost with its memory are not missed, and those written after the restart are removed.
    expect(await redis.dbsize()).toBe(0);
  });
});

describe('server that stays away leaves what was measured', () => {
  /** Longer than a busy machine leaves a server without a core. A target that is silent for twice as long is lost. */
  const timeoutMs = 2500;

  test('a server that dies for good ends the run with 1; what was measured is kept', async () => {
    const server = await ofTest(startRedis());
    const experiment = await createExperiment(server.url, {
      scenarios: [{ client: 'wire', workers: [3, 4], ...unhurried }],
      rounds: 20,
      seconds: 0.2,
      timeoutMs,
    });
    const running = experiment.start();
    await running.said('round 2/20');
    await server.stop();
    const outcome = await running.outcome;
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/waiting up to 5 s/);
    expect(outcome.stderr).toMatch(/\npoolbench: .*redis \(.* redis:\S+\).* 5 s .*timeoutMs.*\n$/);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
    expect(outcome.stdout).toMatch('INCOMPLETE: ');
    expect(outcome.stdout).toMatch(/poolbench:1:/);

    const result = await experiment.result();
    expect(result.complete).toBe(false);
    const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
    // Two of the first round, one of the second.
    expect(rounds.filter(round => round.completed > 0).length).toBeGreaterThanOrEqual(3);
    expect(rounds.length).toBeLessThan(40);
    for (const { issued, completed, failed, unfinished } of rounds) {
      expect(issued).toBe(completed + countFailed({ failed }) + unfinished);
    }
  });

  test('a server that dies in the only measurement does not hold it up to its end', async () => {
    const server = await ofTest(startRedis());
    const experiment = await createExperiment(server.url, { seconds: 600, timeoutMs });
    const running = experiment.start();
    await measuring(await connectObserver(server.url));
    await server.stop();
    const outcome = await running.outcome;
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/refused connections for 5 s/);
    expect((await experiment.result()).complete).toBe(false);
  });
});

describe('refused writes are counted by code', () => {
  /** Nobody answers at the master's address; a replica of it serves reads and refuses writes all the same. */
  const replica = ['REPLICAOF', '127.0.0.1', '1'];
  /** Each of 40 operations, of which some are reads. */
  const bursts = { arrival: { kind: 'burst', rate: 200, size: 40 } };
  const full = ['CONFIG', 'SET', 'maxmemory', '1mb', 'maxmemory-policy', 'noeviction'];

  test.each([
    ['READONLY', replica, /read-only replica/],
    ['OOM', full, /1\.0 MiB of maxmemory/],
  ])('%s: the run goes on to its end, and says so', async (failure, [command = '', ...args], warning) => {
    const server = await shareServer();
    await (await connectObserver(server.url)).call(command, ...args);
    const experiment = await createExperiment(server.url, {
      scenarios: [
        { client: 'ioredis', workers: 4, pipeline: 10, ...bursts },
        { client: 'wire', workers: 4, ...bursts },
      ],
      // So that reads are answered in it even on a busy machine.
      seconds: 1,
      // No server is so fast.
      thresholds: { 'response.p50': '> 0us', failedShare: '< 0.1%' },
    });
    const { code, stdout, stderr } = await experiment.run();
    // Crossed thresholds alone would end it with 99.
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Thresholds crossed: 2 of 4 checks\.\ncrossed {2}failedShare < 0\.1%: /);
    expect(stderr).toMatch(/\npoolbench: .* 1 % .*maxFailedShare.* \d+\.\d+ %\n$/);
    expect(stderr).not.toMatch(/^\s+at |defect/m);
    expect(stderr).toMatch(warning);
    expect(stderr).toMatch(new RegExp(`warning: .*writes of keys before the load.*${failure}`));
    expect(stdout).toMatch(new RegExp(`Failed: [\\d,]+ ${failure}`));

    const result = await experiment.result();
    expect(result.complete).toBe(true);
    expect(result.warnings.join('\n')).toMatch(warning);
    expect(result.scenarios).toHaveLength(2);
    for (const { id, rounds, summary } of result.scenarios) {
      expect(rounds).toHaveLength(1);
      // Reads are answered, and find nothing: they complete. What failed is no throughput.
      expect(
        rounds.some(({ completed }) => completed > 0),
        id,
      ).toBe(true);
      expect(
        rounds.some(({ failed }) => Number(failed[failure]) > 0),
        id,
      ).toBe(true);
      for (const {
        issued,
        completed,
        failed,
        unfinished,
        misses,
        opsPerSecond,
        seconds,
        service,
      } of rounds) {
        const { [failure]: refused = 0, ...others } = failed;
        expect(others, id).toEqual({});
        expect(issued).toBe(completed + refused + unfinished);
        expect(misses).toBe(completed);
        // What completes behind the end of the window is in none, either.
        expect(opsPerSecond).toBeLessThanOrEqual(completed / seconds + 1e-6);
        expect(service.count).toBe(completed);
      }
      expect(summary?.failedShare).toBeGreaterThan(0);
    }
  });
});

describe('failover is followed with every operation accounted for', () => {
  test('the master is killed under load, and the replica takes over, with both clients', async () => {
    const { master, replica } = await startReplicated();
    const sentinels = await startSentinels(master.port);
    await untilAllIsKnown(sentinels);
    const experiment = await createExperiment('', {
      target: { server: 'redis', url: sentinels.url, sentinel: { master: masterName } },
      ...bothAtOnce,
    });
    const running = await startObserved(experiment);
    const observer = await connectObserver(master.url);
    await measuring(observer);
    // It dies with writes of both in flight.
    await observer.client('PAUSE', 3_600_000, 'WRITE');
    await until(async () => {
      const clients = await Promise.all(pools.map(name => clientsNamed(observer, name)));
      return clients.every(ofPool => ofPool.some(client => / flags=\w*b/.test(client)));
    }, 20);
    process.kill(await processId(observer), 'SIGKILL');
    await rising(running.failedSoFar, 5);
    // A replica that is promoted closes the connections of its clients.
    await sentinels.notice();
    await until(async () => (await sentinels.master()) === replica.port, 50);
    const onNewMaster = await connectObserver(replica.url);
    await until(() => bothSend(onNewMaster), 20);
    running.kill('SIGINT');
    const outcome = await running.outcome;
    const result = await experiment.result();
    expect(outcome.code, outcome.stderr).toBe(130);
    for (const round of loadsOf(result)) {
      const failed = countFailed(round);
      expect(round.issued).toBe(round.completed + failed + round.unfinished);
      expect(round.unfinished).toBe(0);
      expect(round.service.count).toBe(round.completed);
      expect(round.series.reduce((sum, second) => sum + second.failed, 0)).toBe(failed);
      // What was in flight is lost; until the failover the Sentinel still names the server that is gone.
      expect(round.failed.ECONNREFUSED).toBeGreaterThan(0);
      expect(Object.keys(round.failed).join()).toMatch(/CONNECTION_CLOSED|ECONNRESET|EPIPE/);
      expect(round.poolMetrics.reconnects).toBeGreaterThan(0);
    }
    // The control connection has followed: it tells of the move, and has removed the run's keys where they are now.
    expect(result.warnings.join('\n')).toMatch(`127.0.0.1:${master.port} to 127.0.0.1:${replica.port}`);
    expect(await onNewMaster.dbsize()).toBe(0);
    expect(result.scenarios[0]?.rounds[0]?.together?.serverCalls).toBeNull();
    expect(outcome.stdout).toMatch(/Failed: .*ECONNREFUSED/s);
  });
});
