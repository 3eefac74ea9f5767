import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/connections.ts';
import { calm, createExperiment, unhurried } from '../support/experiment.ts';
import { callsOf, connectObserver, measuring } from '../support/observed-server.ts';
import { shareServer, type TestServer } from '../support/servers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await shareServer();
});

test('every so often one connection is cut; the cuts are counted, and each costs a batch at most', async () => {
  const experiment = await createExperiment(server.url, {
    scenarios: [
      { client: ['wire', 'ioredis'], workers: 8, cutEveryMs: 50, ...calm },
      { client: 'wire', workers: 8, ...calm },
    ],
    seconds: 0.5,
    maxFailedShare: 1,
  });
  expect((await experiment.run()).code).toBe(0);
  const { scenarios, warnings } = await experiment.result();
  expect(warnings.join('\n')).not.toMatch(/could be cut|other client/);
  expect(scenarios).toHaveLength(3);
  for (const { id, cutEveryMs, rounds } of scenarios) {
    const [round] = rounds;
    const failed = Object.values(round?.failed ?? {}).reduce((sum, count) => sum + count, 0);
    if (cutEveryMs === 0) {
      expect(round, id).toMatchObject({ cuts: 0, failed: {}, poolMetrics: { reconnects: 0 } });
      continue;
    }
    // The tenth would come with the end of the window.
    expect(round?.cuts, id).toBeGreaterThanOrEqual(2);
    expect(round?.cuts, id).toBeLessThanOrEqual(10);
    expect(failed, id).toBeLessThanOrEqual(round?.cuts ?? 0);
    expect(round?.poolMetrics.reconnects, id).toBeGreaterThan(0);
    expect((round?.completed ?? 0) + failed + (round?.unfinished ?? 0), id).toBe(round?.issued);
  }
});

test('an idle connection that goes silent costs an operation unless a PING is sent before, and the books balance', async () => {
  const experiment = await createExperiment(server.url, {
    scenarios: [
      {
        client: 'wire',
        workers: 4,
        connectionsPerWorker: 1,
        minIdleShare: 1,
        probe: 'ping',
        healthTtlMs: [0, 3_600_000],
        cutEveryMs: 100,
        cut: 'silent',
        arrival: { kind: 'burst', rate: 8, size: 4 },
      },
    ],
    seconds: 1.2,
    warmupSeconds: 0.1,
    // Only a silent connection takes that long: the server has run an operation whose reply came too late.
    timeoutMs: 1000,
    maxFailedShare: 1,
  });
  expect((await experiment.run()).code).toBe(0);
  const { scenarios } = await experiment.result();
  const failures = scenarios.map(({ id, rounds: [round] }) => {
    const failed = round?.failed.TIMEOUT ?? 0;
    expect(round?.cuts, id).toBeGreaterThan(2);
    expect((round?.completed ?? 0) + failed + (round?.unfinished ?? 0), id).toBe(round?.issued);
    expect(round?.serverCalls, id).toBe(round?.completed);
    return failed;
  });
  expect(failures[1]).toBeGreaterThan(failures[0] ?? Number.NaN);
});

test('the connections of others are left alone, also those of another run', async () => {
  const another = await connectObserver(server.url);
  await another.client('SETNAME', 'poolbench:2');
  const id = await another.client('ID');
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: 'wire', workers: 1, connectionsPerWorker: 1, cutEveryMs: 5, ...calm }],
    // The test stops it once some are cut.
    seconds: 60,
  });
  const running = experiment.start();
  await measuring(another);
  const kills = () => callsOf(another, 'client\\|kill');
  const before = await kills();
  await until(async () => (await kills()) > before + 10);
  running.kill('SIGINT');
  expect((await running.outcome).code).toBe(130);
  expect((await experiment.result()).scenarios[0]?.rounds[0]?.cuts).toBeGreaterThan(0);
  expect(await another.client('ID')).toBe(id);
});

test('a user who may not cut connections is told, and the run goes on', async () => {
  const observer = await connectObserver(server.url);
  await observer.acl('SETUSER', 'default', '-client|kill');
  onTestFinished(async () => {
    await observer.acl('SETUSER', 'default', '+client|kill');
  });
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: 'wire', workers: 2, cutEveryMs: 20, ...unhurried }],
    // The test stops it once it has said so, and gone on.
    rounds: 1000,
    seconds: 0.2,
  });
  const running = experiment.start();
  await running.said('NOPERM');
  await running.said('round 2/1000');
  running.kill('SIGINT');
  expect((await running.outcome).code).toBe(130);
  const { scenarios, warnings } = await experiment.result();
  expect(scenarios[0]?.rounds[0]?.cuts).toBe(0);
  expect(warnings.join()).toMatch(/cut .*NOPERM/);
});
