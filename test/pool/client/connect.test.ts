import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Control, connectControl } from '../../../src/main/server/control.ts';
import { parseAddress } from '../../../src/main/server/url.ts';
import type { Address } from '../../../src/pool/client/address.ts';
import { failureCode } from '../../../src/pool/errors.ts';
import {
  type AnyClient,
  allClients,
  clientNames,
  connector,
  GET,
  loopback,
  openConnection,
  overRing,
  patient,
  plainIoredis,
  plainWire,
  rejection,
  SET,
  sendBatch,
  until,
} from '../../support/connections.ts';
import { ownPort } from '../../support/ports.ts';
import { startProxy } from '../../support/proxy.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import {
  certificates,
  onFreePorts,
  shareServer,
  startRedis,
  startRedisOnSocket,
  type TestServer,
  tlsArguments,
} from '../../support/servers.ts';

const login = [
  ...['--requirepass', 's3cret', '--user', 'worker', 'on', '>pa55w0rd%/@:', '~test:*'],
  ...['+get', '+set', '+ping', '+select', '+client|setname'],
];

/** Speaks TCP, TLS and over a unix socket, whose path is in its URL; all require a password. */
let server: TestServer;
let tlsPort: number;
let control: Control;

beforeAll(async () => {
  server = await onFreePorts(async () => {
    tlsPort = await ownPort();
    return startRedisOnSocket({ args: [...login, ...tlsArguments(tlsPort)] });
  });
  control = await connectControl(loopback(server.port, { password: 's3cret' }), patient);
});

afterAll(async () => {
  control?.close();
  await server?.stop();
});

describe('transports and logins', () => {
  let old: TestServer;

  beforeAll(async () => {
    old = await startRedis({ args: ['--rename-command', 'HELLO', '', ...login] });
  });

  afterAll(() => old?.stop());

  const worker = { username: 'worker', password: 'pa55w0rd%/@:' };

  async function works(client: AnyClient, address: Address): Promise<void> {
    const connection = await openConnection(client, address);
    const outcome = await sendBatch(connection, [
      [SET, 7],
      [GET, 7],
      [GET, 8],
    ]);
    expect(outcome).toMatchObject({ completed: 3, misses: 1, failures: {} });
  }

  describe.each(allClients)('%s', client => {
    const resp = client === 'iovalkey' ? 2 : 3;

    test('an ACL user with a password of odd characters, in a database of its own', async () => {
      const database = client === 'wire' ? 3 : 4;
      await works(client, loopback(server.port, { ...worker, database }));
      const keys = await control.info('keyspace');
      expect(keys.get(`db${database}`)).toMatch(/^keys=1,/);
      expect(await control.call('CLIENT', 'LIST')).toMatch(
        new RegExp(`name=test .*db=${database} .*user=worker .*resp=${resp}`),
      );
    });

    test('a password alone', async () => {
      await works(client, loopback(server.port, { password: 's3cret', database: client === 'wire' ? 5 : 6 }));
    });

    test('a server that knows no HELLO', async () => {
      const database = client === 'wire' ? 3 : 4;
      await works(client, loopback(old.port, { ...worker, database }));
      await works(client, loopback(old.port, { password: 's3cret', database: database + 2 }));
      const oldControl = await connectControl(loopback(old.port, { password: 's3cret' }), patient);
      onTestFinished(() => oldControl.close());
      const list = await oldControl.call('CLIENT', 'LIST');
      expect(list).toMatch(new RegExp(`name=test .*db=${database} .*user=worker .*resp=2`));
    });

    test('a unix socket', async () => {
      await works(client, { ...parseAddress(`${server.url}?db=2`), password: 's3cret' });
    });
  });

  describe.each(clientNames)('%s', client => {
    test('TLS, with the server name checked and one batch larger than a TLS record', async () => {
      // NODE_EXTRA_CA_CERTS is read when Node starts, so this takes a process of its own.
      const module = (name: string) =>
        JSON.stringify(new URL(`../../../dist/pool/client/${name}.js`, import.meta.url).href);
      const [connection, options] =
        client === 'wire' ? ['WireConnection', plainWire] : ['IoredisConnection', plainIoredis];
      const program = `
      import { Batch, KEY } from ${module('batch')};
      import { ${connection} } from ${module(`${client}-connection`)};
      const address = { host: 'localhost', port: ${tlsPort}, tls: true, password: 's3cret', database: 1 };
      const commands = [{ name: 'GET', args: [KEY] }, { name: 'SET', args: [KEY, 'x'.repeat(100)] }];
      const order = Uint16Array.from({ length: 2000 }, (_, i) => i < 1000 ? 1 : 0);
      const set = { keyPrefix: 'k:', commands, order };
      const connection = await ${connection}.connector(address, set, 5000, ${JSON.stringify(options)})();
      const batch = new Batch(2000, { done: () => {
        console.log(batch.completed, batch.misses, batch.failed);
        connection.close();
      } });
      batch.follow(order, 0);
      for (let i = 0; i < 2000; i++) batch.numbers[i] = i % 1001;
      connection.send(batch);`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: certificates.ca },
      });
      // Keys 0 … 999 are written; the reads are of 1000 and of 0 … 998.
      expect(stdout.trim()).toBe('2000 1 0');
    });
  });
});

describe('proxies that know few commands', () => {
  test('a client that knows no refusal by its words speaks RESP2, and without a name', async () => {
    const asked: string[] = [];
    const { port } = await startScriptedServer(([name = ''], reply) => {
      asked.push(name);
      reply(['GET', 'SET'].includes(name) ? '+OK\r\n' : `-unsupported command '${name}'\r\n`);
    });
    const connection = await openConnection('wire', loopback(port));
    expect(await sendBatch(connection, [[SET, 7]])).toMatchObject({ completed: 1 });
    expect(asked).toEqual(['HELLO', 'CLIENT', 'SET']);
    asked.length = 0;
    for (const client of clientNames) {
      const silent = await openConnection(client, loopback(port, { protocol: 2, unnamed: true }));
      expect(await sendBatch(silent, [[SET, 7]])).toMatchObject({ completed: 1 });
    }
    expect(asked).toEqual(['SET', 'SET']);
  });
});

describe('server names in TLS', () => {
  /** A TLS server that only listens to which name it is called by. */
  async function startListener(): Promise<{ port: number; names: (string | false)[] }> {
    const names: (string | false)[] = [];
    const server = tls.createServer({
      key: readFileSync(certificates.key),
      cert: readFileSync(certificates.certificate),
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    server.on('tlsClientError', () => {});
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return { port: (server.address() as AddressInfo).port, names };
  }

  describe.each(allClients)('%s', client => {
    test('the certificate must hold the name of the URL, though the socket connects to the IP address', async () => {
      const { port, names } = await startListener();
      const address = { ...loopback(port), tls: true, servername: 'localhost' };
      // The test's certificate authority is unknown to this process, so the connect itself is refused.
      await expect(openConnection(client, address)).rejects.toThrow();
      expect(names).toEqual(['localhost']);
    });
  });
});

describe('failed connection attempts', () => {
  let plain: TestServer;
  /** Accepts three clients, one of which is ours. */
  let full: TestServer;
  let ours: Control;

  beforeAll(async () => {
    plain = await shareServer();
    full = await startRedis({ args: ['--maxclients', '3'] });
    ours = await connectControl(loopback(full.port), patient);
  });

  afterAll(async () => {
    ours?.close();
    await full?.stop();
  });

  describe.each(allClients)('%s', client => {
    const refusal = async (address: Address, timeoutMs?: number) => {
      const error = await rejection(connector(client, address, timeoutMs)());
      expect(error.message).not.toContain('s3cret');
      return { code: failureCode(error), message: error.message };
    };

    test('nothing listens', async () => {
      expect(await refusal(loopback(await ownPort()))).toMatchObject({ code: 'ECONNREFUSED' });
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
      expect(await refusal(loopback(server.port))).toMatchObject({ code: 'NOAUTH' });
      expect(
        await refusal(loopback(server.port, { password: 'not-s3cret'.replace('s3', 'S3') })),
      ).toMatchObject({
        code: 'WRONGPASS',
      });
      expect(await refusal(loopback(server.port, { username: 'nobody', password: 's3cret' }))).toMatchObject({
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
      const unknown = await refusal(loopback(tlsPort, { host: 'localhost', tls: true }));
      expect(unknown.code).toMatch(/SELF_SIGNED_CERT|UNABLE_TO/);
      expect((await refusal(loopback(tlsPort))).code).toMatch(/PROTOCOL|CONNECTION_CLOSED|ECONNRESET/);
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

    test('TLS and login share one time limit', async () => {
      const proxy = await startProxy(tlsPort);
      // Each of the two is within the limit.
      proxy.delayMs = 200;
      const address = loopback(proxy.port, {
        ...{ tls: true, trust: { rejectUnauthorized: false } },
        password: 's3cret',
      });
      if (client === overRing) await expect(connector(client, address)()).rejects.toThrow(/TLS/);
      else expect(await refusal(address, 300)).toMatchObject({ code: 'ETIMEDOUT' });
    });

    test('the server has reached its client limit: its message is the reason', async () => {
      // Those of the previous test may not be gone yet.
      await until(
        async () =>
          String(await ours.call('CLIENT', 'LIST'))
            .trim()
            .split('\n').length === 1,
      );
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
});
