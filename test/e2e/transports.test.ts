import { expect, onTestFinished, test } from 'vitest';
import { ringNames, usableTransports } from '../support/connections.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { certificates, startRedis, startRedisWithTls } from '../support/servers.ts';

test('a config compares the transports of wire, each is named in the result, and none loses an operation', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, {
    scenarios: [
      { client: 'wire', workers: 4, pipeline: [1, 20], transport: usableTransports, ...unhurried },
      {
        client: 'wire',
        workers: 4,
        pool: 'shared',
        transport: usableTransports,
        cutEveryMs: 20,
        ...unhurried,
      },
    ],
    seconds: 0.1,
    maxFailedShare: 1,
  });
  const { code, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  const { scenarios } = await experiment.result();
  expect(new Set(scenarios.map(({ transport }) => transport))).toEqual(new Set(usableTransports));
  for (const { rounds, cutEveryMs } of scenarios) {
    for (const { issued, completed, failed, unfinished, cpu } of rounds) {
      const lost = Object.values(failed).reduce((sum, count) => sum + count, 0);
      expect(completed).toBeGreaterThan(0);
      expect(issued).toBe(completed + lost + unfinished);
      if (cutEveryMs === 0) expect([failed, unfinished]).toEqual([{}, 0]);
      for (const busy of cpu.eventLoopUtilization) expect(busy).toBeLessThanOrEqual(1);
    }
  }
});

test.runIf(ringNames.length > 0)('io_uring is refused before the load where the target has TLS', async () => {
  const server = await startRedisWithTls();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: 'wire', workers: 4, transport: 'io_uring' }],
    target: { server: 'redis', url: server.url, tls: { ca: certificates.ca } },
  });
  const { code, stderr } = await experiment.run();
  expect(code).toBe(2);
  expect(stderr).toMatch(/io_uring.*TLS/s);
});
