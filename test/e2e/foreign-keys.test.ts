import { describe, expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../../src/main/server/control.ts';
import { findOtherServers } from '../../src/main/server/other-servers.ts';
import { preflight } from '../../src/main/server/preflight.ts';
import { keyName } from '../../src/pool/client/batch.ts';
import { loopback, patient } from '../support/connections.ts';
import { calm, createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver, loadBegun } from '../support/observed-server.ts';
import { startProxy } from '../support/proxy.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { shareServer } from '../support/servers.ts';

async function controlOf(port: number) {
  const control = await connectControl(loopback(port), patient);
  onTestFinished(() => control.close());
  return control;
}

describe('two runs that come to the same prefix', () => {
  test('the first one leaves the keys of the second alone, and measures on under another prefix', async () => {
    const server = await shareServer();
    const observer = await connectObserver(server.url);
    const experiment = await createExperiment(server.url, {
      workload: { keys: 200, readShare: 1 },
      scenarios: [{ client: 'wire', workers: 2, ...unhurried }],
      rounds: 2,
      seconds: 0.3,
    });
    const running = experiment.run();
    await loadBegun(observer);
    // A restart without persistence does the same; the second run comes right after it.
    const keysOfSecond = Array.from({ length: 200 }, (_, number) => keyName('poolbench:1:', number));
    await observer
      .multi()
      .flushall()
      .mset('poolbench:1:claim', 'a second run', ...keysOfSecond.flatMap(key => [key, 'its value']))
      .exec();

    const { code, stderr } = await running;
    expect(code, stderr).toBe(0);
    const keys = await observer.keys('*');
    expect(keys).toHaveLength(201);
    expect(keys.every(key => key.startsWith('poolbench:1:'))).toBe(true);
    const { warnings, scenarios } = await experiment.result();
    expect(warnings.join('\n')).toMatch(/another run .*poolbench:1:.*poolbench:1\.1:/);
    const [, last] = scenarios[0]?.rounds ?? [];
    expect(last?.misses).toBe(0);
  });
});

describe('two servers behind one address', () => {
  async function startBoth() {
    const servers = [await shareServer(), await shareServer('valkey')] as const;
    const proxy = await startProxy(servers[0].port, servers[1].port);
    const observers = await Promise.all(servers.map(({ url }) => connectObserver(url)));
    return { proxy, observers, ports: servers.map(({ port }) => port) };
  }

  test('fresh connections find the other one, and nothing where one server answers', async () => {
    const { proxy, ports } = await startBoth();
    const control = await controlOf(proxy.port);
    const others = await findOtherServers(control);
    expect(others).toHaveLength(1);
    for (const other of others) other.close();
    const needs = { threads: 1, sockets: 1, connections: 1, keys: 1, valueBytes: 1 };
    const warnings = await preflight({ control }, needs, { force: false });
    expect(warnings.filter(warning => warning.startsWith('2 servers'))).toHaveLength(1);
    expect(await findOtherServers(await controlOf(ports[0] ?? 0))).toEqual([]);
  });

  test('the fresh connections are opened at once, so a slow login is waited for only once', async () => {
    const info = 'run_id:one\r\n';
    const held: (() => void)[] = [];
    let logins = 0;
    const { port } = await startScriptedServer(([name = ''], reply) => {
      if (name === 'INFO') reply(`$${info.length}\r\n${info}\r\n`);
      else if (name !== 'PING') reply('+OK\r\n');
      else if (logins++ === 0) reply('+PONG\r\n');
      else if (held.push(() => reply('+PONG\r\n')) === 3) for (const answer of held) answer();
    });
    expect(await findOtherServers(await controlOf(port))).toEqual([]);
    expect(held).toHaveLength(3);
  });

  test('a run says so before and after, and its keys are removed from both', async () => {
    const { proxy, observers } = await startBoth();
    const experiment = await createExperiment(`redis://127.0.0.1:${proxy.port}`, {
      target: { server: 'any', url: `redis://127.0.0.1:${proxy.port}` },
      scenarios: [{ client: 'wire', workers: 4, ...calm }],
      seconds: 0.3,
    });
    const { code, stdout, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    const { warnings } = await experiment.result();
    expect(warnings.filter(warning => warning.startsWith('2 servers'))).toHaveLength(1);
    expect(
      warnings.filter(warning => warning.includes('had to be removed from another server')),
    ).toHaveLength(1);
    expect(stdout).toContain('another server answered the rest');
    for (const observer of observers) expect(await observer.dbsize()).toBe(0);
  });
});
