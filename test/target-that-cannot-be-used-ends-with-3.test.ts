import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../src/main/server/server-process.ts';
import { createExperiment } from './support/experiment.ts';
import { callsOf, connectObserver } from './support/observed-server.ts';
import { certificates, startRedis, startRedisWithTls, type TestServer } from './support/servers.ts';

/** What a run of these has to say: one message, without a stack trace or a password, no result, no folder. */
async function expectNoTarget(
  url: string,
  message: RegExp | string,
  config = {},
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const experiment = await createExperiment(url, config);
  const { code, stdout, stderr } = await experiment.run(['--quiet'], { env });
  expect(stderr).toMatch(/^poolbench: .+\n$/);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at |defect|s3cret/m);
  expect(stdout).toBe('');
  expect(code, stderr).toBe(3);
  expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
}

async function started(starting: Promise<TestServer>): Promise<TestServer> {
  const server = await starting;
  onTestFinished(() => server.stop());
  return server;
}

test('nothing listens, and nothing may be started for a URL with a login', async () => {
  await expectNoTarget(`redis://bench:s3cret@127.0.0.1:${await freePort()}`, /127\.0\.0\.1:\d+/);
});

test('a host that does not resolve', async () => {
  await expectNoTarget('redis://no-such-host.invalid', /no-such-host\.invalid/);
});

test('a unix socket that is not there', async () => {
  await expectNoTarget('unix:///no/such/redis.sock', /\/no\/such\/redis\.sock/);
});

test('a login that is missing, or wrong; a database that is not there', async () => {
  const { port } = await started(startRedis({ args: ['--requirepass', 'right'] }));
  const at = `127.0.0.1:${port}`;
  await expectNoTarget(`redis://${at}`, at);
  await expectNoTarget(`redis://:s3cret@${at}`, /WRONGPASS/);
  await expectNoTarget(`redis://:right@${at}/99`, /database 99/);
});

test('TLS against a plain port, and the reverse', async () => {
  const plain = await started(startRedis());
  const tls = await started(startRedisWithTls());
  const trusted = { NODE_EXTRA_CA_CERTS: certificates.ca };
  await expectNoTarget(`rediss://127.0.0.1:${plain.port}`, `redis://127.0.0.1:${plain.port}`);
  await expectNoTarget(`redis://localhost:${tls.port}`, `rediss://localhost:${tls.port}`, {}, trusted);
});

test('a server that has as many clients as it admits', async () => {
  const server = await started(startRedis({ args: ['--maxclients', '2'] }));
  const clients = [connect(server.port, '127.0.0.1'), connect(server.port, '127.0.0.1')];
  for (const client of clients) {
    onTestFinished(() => {
      client.destroy();
    });
    client.write('PING\r\n');
    expect(String(await once(client, 'data'))).toBe('+PONG\r\n');
  }
  await expectNoTarget(server.url, /maxclients/);
});

test('a plan that is larger than maxclients, before any load', async () => {
  const server = await started(startRedis({ args: ['--maxclients', '20'] }));
  const config = { scenarios: [{ workers: [4, 15] }] };
  await expectNoTarget(server.url, / 31 .* 20 .*CONFIG SET maxclients/, config);
  expect(await callsOf(await connectObserver(server.url), 'set')).toBe(0);
});
