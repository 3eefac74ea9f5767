import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../src/main/server/server-process.ts';
import type { Address } from '../src/pool/client/address.ts';
import { failureCode } from '../src/pool/errors.ts';
import { clientNames, connector, loopback, openConnection, rejection, until } from './support/connections.ts';
import { startProxy } from './support/proxy.ts';
import { startScriptedServer } from './support/scripted-server.ts';
import { startRedis, startRedisWithTls, type TestServer } from './support/servers.ts';

let plain: TestServer;
let locked: TestServer;
let tls: TestServer;

beforeAll(async () => {
  plain = await startRedis();
  locked = await startRedis({ args: ['--requirepass', 's3cret'] });
  tls = await startRedisWithTls();
});

afterAll(async () => {
  await Promise.all([plain?.stop(), locked?.stop(), tls?.stop()]);
});

describe.each(clientNames)('%s', client => {
  const refusal = async (address: Address, timeoutMs?: number) => {
    const error = await rejection(connector(client, address, timeoutMs)());
    expect(error.message).not.toContain('s3cret');
    return { code: failureCode(error), message: error.message };
  };

  test('nothing listens', async () => {
    expect(await refusal(loopback(await freePort()))).toMatchObject({ code: 'ECONNREFUSED' });
    expect(await refusal(loopback(0, { path: '/nowhere/redis.sock' }))).toMatchObject({ code: 'ENOENT' });
  });

  test('a proxy that refuses, and then admits again', async () => {
    const proxy = await startProxy(plain.port);
    await proxy.refuse();
    expect(await refusal(loopback(proxy.port))).toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.admit();
    expect((await openConnection(client, loopback(proxy.port))).alive).toBe(true);
  });

  test('a password is missing or wrong', async () => {
    expect(await refusal(loopback(locked.port))).toMatchObject({ code: 'NOAUTH' });
    expect(
      await refusal(loopback(locked.port, { password: 'not-s3cret'.replace('s3', 'S3') })),
    ).toMatchObject({
      code: 'WRONGPASS',
    });
    expect(await refusal(loopback(locked.port, { username: 'nobody', password: 's3cret' }))).toMatchObject({
      code: 'WRONGPASS',
    });
  });

  test('the database does not exist, also when its refusal comes late', async () => {
    const proxy = await startProxy(plain.port);
    for (proxy.delayMs of [0, 30]) {
      const { message } = await refusal(loopback(proxy.port, { database: 99 }));
      expect(message).toMatch(/DB index is out of range/);
    }
  });

  test('TLS is spoken to a plain port, plain to a TLS port, and the certificate is unknown', async () => {
    const unknown = await refusal(loopback(tls.port, { host: 'localhost', tls: true }));
    expect(unknown.code).toMatch(/SELF_SIGNED_CERT|UNABLE_TO/);
    expect((await refusal(loopback(tls.port))).code).toMatch(/PROTOCOL|CONNECTION_CLOSED|ECONNRESET/);
    expect((await refusal(loopback(plain.port, { tls: true }), 300)).code).toMatch(
      /ETIMEDOUT|SSL|ECONNRESET/,
    );
  });

  test('no answer comes: it gives up after the time limit, and leaves no socket behind', async () => {
    const proxy = await startProxy(plain.port);
    proxy.silent = true;
    const startMs = performance.now();
    const { code, message } = await refusal(loopback(proxy.port), 150);
    expect(code).toBe('ETIMEDOUT');
    expect(message).toMatch('No connection within 150 ms');
    expect(performance.now() - startMs).toBeGreaterThan(140);
    await until(() => proxy.open === 0);
  });

  test('the server has as many clients as it admits: its words are the reason', async () => {
    const full = await startRedis({ args: ['--maxclients', '2'] });
    onTestFinished(() => full.stop());
    await openConnection(client, loopback(full.port));
    await openConnection(client, loopback(full.port));
    const reason =
      client === 'wire' ? /max number of clients/ : /max number of clients|EPIPE|ECONNRESET|closed/;
    expect((await refusal(loopback(full.port))).message).toMatch(reason);
  });

  test('the server goes away in mid-login', async () => {
    const { port } = await startScriptedServer((_request, _reply, socket) => socket.destroy());
    expect((await refusal(loopback(port))).code).toMatch(/CONNECTION_CLOSED|ECONNRESET/);
  });
});
