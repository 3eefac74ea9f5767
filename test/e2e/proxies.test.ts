import { describe, expect, test } from 'vitest';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { ofTest, shareServer, startRedis, type TestServer } from '../support/servers.ts';
import { findTwemproxy, startTwemproxy } from '../support/twemproxy.ts';

const scenarios = [{ client: ['wire', 'ioredis'], workers: 4, ...unhurried }];

/** Runs against what does not tell what it is, and expects its figures and a warning of a proxy. */
async function runAgainst(url: string, server: 'any' | 'redis') {
  const experiment = await createExperiment(url, { target: { server, url }, scenarios, seconds: 0.2 });
  const { code, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  const result = await experiment.result();
  expect(result.target).toMatchObject({
    detected: { server: 'unknown', protocol: 2 },
    standIn: server !== 'any',
  });
  expect(result.warnings.join('\n')).toMatch(/refuses INFO .*proxy/);
  for (const { rounds } of result.scenarios) {
    expect(rounds[0]?.completed).toBeGreaterThan(0);
    expect(rounds[0]?.failed).toEqual({});
  }
  return result;
}

async function expectEmpty(servers: readonly TestServer[]): Promise<void> {
  for (const { url } of servers) expect(await (await connectObserver(url)).dbsize()).toBe(0);
}

describe('proxies and servers that know few commands', () => {
  test('behind a real twemproxy, which closes the connection at what it does not know, both clients run and all keys are removed', async ({
    skip,
  }) => {
    const twemproxy = await findTwemproxy();
    if ('reason' in twemproxy) return skip(twemproxy.reason);
    const servers = [await shareServer(), await ofTest(startRedis())];
    const { url } = await startTwemproxy(
      twemproxy,
      servers.map(({ port }) => port),
    );
    const { warnings } = await runAgainst(url, 'any');
    expect(warnings.join('\n')).not.toMatch(/could not be removed/);
    await expectEmpty(servers);
  });

  test('where HELLO, INFO, CLIENT, DBSIZE and SCAN are unknown, as behind Envoy, the run goes on, and claims about the declared server are not tested', async () => {
    const unknown = ['HELLO', 'INFO', 'CLIENT', 'DBSIZE', 'SCAN'];
    const args = unknown.flatMap(name => ['--rename-command', name, '']);
    const { claims } = await runAgainst((await ofTest(startRedis({ args }))).url, 'redis');
    expect(claims.every(({ verdict }) => verdict === 'not tested')).toBe(true);
  });
});
