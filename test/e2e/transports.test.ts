import { expect, inject, onTestFinished, test } from 'vitest';
import { whyNoRing } from '../../src/pool/client/ring-socket.ts';
import { allClients, overRing, usableTransports } from '../support/connections.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { certificates, shareServer, startRedisWithTls } from '../support/servers.ts';

test('wire over io_uring has the tests of every client, unless this machine cannot build or use it', context => {
  const reason = whyNoRing();
  // A machine with a compiler and the headers compiles it: else a fault in its source would only leave tests out.
  expect(inject('whyNoAddon')).not.toMatch(/ failed: (?!.*(headers of Linux|No such file))/);
  // An addon that was built is found and loaded: only the kernel may refuse.
  if (inject('whyNoAddon') === '') expect(reason ?? '').not.toMatch(/addon/);
  if (reason !== undefined) return context.skip(`left out of all tests, because ${reason}`);
  expect(allClients).toContain(overRing);
});

test('a config compares the transports of wire, each is named in the result, and none loses an operation', async () => {
  const server = await shareServer();
  const experiment = await createExperiment(server.url, {
    scenarios: [
      { client: 'wire', workers: 4, pipeline: 20, transport: usableTransports, ...unhurried },
      {
        client: 'wire',
        workers: 4,
        pool: 'shared',
        transport: usableTransports,
        cutEveryMs: 20,
        ...unhurried,
      },
    ],
    seconds: 0.2,
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

test('where the target has TLS io_uring is refused before the load, and direct is the stream', async () => {
  const server = await startRedisWithTls();
  onTestFinished(() => server.stop());
  const tls = (transport: readonly string[]) =>
    createExperiment(server.url, {
      scenarios: [{ client: 'wire', workers: 4, transport }],
      target: { server: 'redis', url: server.url, tls: { ca: certificates.ca } },
    });
  const refused = await (await tls(['io_uring'])).run();
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/io_uring.*TLS/s);
  const { configPath } = await tls(['direct', 'stream']);
  const checked = await runPoolbench(['check', configPath]);
  expect(checked.code, checked.stderr).toBe(0);
  expect(checked.stdout).toMatch(/warning: with TLS .*direct.*stream/);
  expect(checked.stdout).toMatch(/wire cannot use io_uring here.*TLS/);
});
