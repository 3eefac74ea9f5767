import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  clientNames,
  GET,
  loopback,
  openConnection,
  rejection,
  SET,
  sendBatch,
} from './support/connections.ts';
import { createExperiment } from './support/experiment.ts';
import { connectObserver, loadBegun } from './support/observed-server.ts';
import { startRedis, startValkey, type TestServer } from './support/servers.ts';

let server: TestServer;
/** One from before RESP3. */
let old: TestServer;

beforeAll(async () => {
  const user = ['--user', 'few', 'on', '>s3cret', '~*', '+get', '+set', '+ping', '+select'];
  server = await startValkey({ args: user });
  old = await startRedis({ args: ['--rename-command', 'HELLO', ''] });
});

afterAll(async () => {
  await Promise.all([server?.stop(), old?.stop()]);
});

async function versionsOf(url: string, name: string): Promise<string[]> {
  const redis = await connectObserver(url);
  const list = String(await redis.call('CLIENT', 'LIST'));
  redis.disconnect();
  const lines = list.split('\n').filter(line => line.includes(` name=${name} `));
  return [...new Set(lines.map(line => /resp=(\d)/.exec(line)?.[1] ?? ''))];
}

describe.each(clientNames)('%s', client => {
  test.each([
    [undefined, '3'],
    [2, '2'],
    [3, '3'],
  ] as const)('protocol %s is RESP%s', async (protocol, version) => {
    const address = loopback(server.port, protocol === undefined ? {} : { protocol });
    const connection = await openConnection(client, address);
    const outcome = await sendBatch(connection, [
      [SET, 1],
      [GET, 1],
      [GET, 2],
    ]);
    expect(outcome).toMatchObject({ completed: 3, misses: 1, failures: {} });
    expect(await versionsOf(server.url, 'test')).toEqual([version]);
    connection.close();
    while ((await versionsOf(server.url, 'test')).length > 0);
  });

  test('RESP2 with a login, a database, and no right to a name', async () => {
    const login = { username: 'few', password: 's3cret', database: 2, protocol: 2 } as const;
    const connection = await openConnection(client, loopback(server.port, login));
    expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1, failures: {} });
    const wrong = loopback(server.port, { ...login, password: 'wrong' });
    expect((await rejection(openConnection(client, wrong))).message).toMatch(/^WRONGPASS/);
  });
});

test('wire does not make do with RESP2 where RESP3 is asked for', async () => {
  const error = await rejection(openConnection('wire', loopback(old.port, { protocol: 3 })));
  expect(error.message).toMatch(/unknown command 'HELLO'/i);
});

test.each([
  [2, 2],
  [null, 3],
])('a run with target.protocol %s is one in RESP%s, and says so', async (protocol, version) => {
  const experiment = await createExperiment('', {
    target: { server: 'valkey', url: server.url, protocol },
    scenarios: [{ client: ['wire', 'ioredis'], workers: 2 }],
    seconds: 0.5,
  });
  const redis = await connectObserver(server.url);
  await redis.config('RESETSTAT');
  // What the connections above have written is not the run's.
  const running = experiment.run(['--force']);
  await loadBegun(redis);
  let seen: string[] = [];
  while (seen.length === 0) seen = await versionsOf(server.url, 'poolbench:1');
  const { code, stdout, stderr } = await running;
  expect(code, stderr).toBe(0);
  expect(seen).toEqual([String(version)]);
  const result = await experiment.result();
  expect(result.target.detected.protocol).toBe(version);
  for (const { rounds } of result.scenarios) expect(rounds[0]).toMatchObject({ failed: {}, misses: 0 });
  for (const output of [stdout, stderr]) expect(output.includes('RESP2')).toBe(version === 2);
});

test('a server from before RESP3 is measured in RESP2, and refused where RESP3 is asked for', async () => {
  const experiment = await createExperiment(old.url);
  const { code, stdout } = await experiment.run();
  expect(code).toBe(0);
  expect(stdout).toMatch('RESP2');
  expect((await experiment.result()).target.detected.protocol).toBe(2);

  const target = { server: 'redis', url: old.url, protocol: 3 };
  const refused = await (await createExperiment('', { target })).run(['--quiet']);
  expect(refused.stderr).toMatch(
    /^poolbench: expected the server at \S+ to speak RESP3, as target\.protocol is 3, found one that does not; [^\n]+\n$/,
  );
  expect(refused.code).toBe(3);
});
