import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Control, connectControl } from '../src/main/server/control.ts';
import { parseAddress } from '../src/main/server/url.ts';
import type { Address } from '../src/pool/client/address.ts';
import { clientNames, GET, loopback, openConnection, SET, sendBatch } from './support/connections.ts';
import {
  certificates,
  startRedis,
  startRedisOnSocket,
  startRedisWithTls,
  type TestServer,
} from './support/servers.ts';

const acl = [
  ...['--user', 'worker', 'on', '>pa55w0rd%/@:', '~test:*'],
  ...['+get', '+set', '+ping', '+select', '+client|setname'],
];

let server: TestServer;
let old: TestServer;
let control: Control;

beforeAll(async () => {
  server = await startRedis({ args: ['--requirepass', 's3cret', ...acl] });
  old = await startRedis({ args: ['--rename-command', 'HELLO', '', '--requirepass', 's3cret', ...acl] });
  control = await connectControl(loopback(server.port, { password: 's3cret' }), { timeoutMs: 2000 });
});

afterAll(async () => {
  control?.close();
  await Promise.all([server?.stop(), old?.stop()]);
});

const worker = { username: 'worker', password: 'pa55w0rd%/@:' };

async function works(client: 'wire' | 'ioredis', address: Address): Promise<void> {
  const connection = await openConnection(client, address);
  const outcome = await sendBatch(connection, [
    [SET, 7],
    [GET, 7],
    [GET, 8],
  ]);
  expect(outcome).toMatchObject({ completed: 3, misses: 1, failures: {} });
}

describe.each(clientNames)('%s', client => {
  test('an ACL user with a password of odd characters, in a database of its own', async () => {
    const database = client === 'wire' ? 3 : 4;
    await works(client, loopback(server.port, { ...worker, database }));
    const keys = await control.info('keyspace');
    expect(keys.get(`db${database}`)).toMatch(/^keys=1,/);
    expect(await control.call('CLIENT', 'LIST')).toMatch(
      new RegExp(`name=test .*db=${database} .*user=worker .*resp=3`),
    );
  });

  test('a password alone', async () => {
    await works(client, loopback(server.port, { password: 's3cret', database: client === 'wire' ? 5 : 6 }));
  });

  test('a server that knows no HELLO', async () => {
    const database = client === 'wire' ? 3 : 4;
    await works(client, loopback(old.port, { ...worker, database }));
    await works(client, loopback(old.port, { password: 's3cret', database: database + 2 }));
    const oldControl = await connectControl(loopback(old.port, { password: 's3cret' }), { timeoutMs: 2000 });
    onTestFinished(() => oldControl.close());
    const list = await oldControl.call('CLIENT', 'LIST');
    expect(list).toMatch(new RegExp(`name=test .*db=${database} .*user=worker .*resp=2`));
  });

  test('a unix socket', async () => {
    const socket = await startRedisOnSocket({ args: ['--requirepass', 's3cret'] });
    onTestFinished(() => socket.stop());
    await works(client, { ...parseAddress(`${socket.url}?db=2`), password: 's3cret' });
  });

  test('TLS, with the server name checked and one batch larger than a TLS record', async () => {
    const tls = await startRedisWithTls({ args: ['--requirepass', 's3cret'] });
    onTestFinished(() => tls.stop());
    // NODE_EXTRA_CA_CERTS is read when Node starts, so this takes a process of its own.
    const module = (name: string) => JSON.stringify(new URL(`../dist/pool/${name}.js`, import.meta.url).href);
    const connection = client === 'wire' ? 'WireConnection' : 'IoredisConnection';
    const program = `
      import { Batch, KEY } from ${module('batch')};
      import { ${connection} } from ${module(`${client}-connection`)};
      const address = { host: 'localhost', port: ${tls.port}, tls: true, password: 's3cret', database: 1 };
      const commands = [{ name: 'GET', args: [KEY] }, { name: 'SET', args: [KEY, 'x'.repeat(100)] }];
      const order = Uint16Array.from({ length: 2000 }, (_, i) => i < 1000 ? 1 : 0);
      const connection = await ${connection}.connector(address, { keyPrefix: 'k:', commands, order }, 5000)();
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
