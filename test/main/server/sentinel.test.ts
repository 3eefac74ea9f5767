import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { connectControl } from '../../../src/main/server/control.ts';
import { findTarget, resolveTarget } from '../../../src/main/server/find-target.ts';
import type { Address } from '../../../src/pool/client/address.ts';
import { failureCode } from '../../../src/pool/errors.ts';
import {
  clientNames,
  GET,
  loopback,
  openConnection,
  patient,
  rejection,
  SET,
  sendBatch,
} from '../../support/connections.ts';
import { createExperiment, unhurried } from '../../support/experiment.ts';
import { connectObserver } from '../../support/observed-server.ts';
import { ownPort } from '../../support/ports.ts';
import { startProxy } from '../../support/proxy.ts';
import { readFiles } from '../../support/read-files.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { masterName, startSentinels, type TestSentinels } from '../../support/sentinels.ts';
import { certificates, startRedis, type TestServer, tlsArguments } from '../../support/servers.ts';

/** The master and its Sentinels have passwords of their own. */
const masterLogin = { password: 's3cret', database: 3 };
const watcher = { username: 'watcher', password: 'w4tch' };
const logins = [
  `sentinel auth-pass ${masterName} s3cret`,
  'requirepass other',
  'user watcher on >w4tch +@all ~* &*',
];

let master: TestServer;
let sentinels: TestSentinels;

beforeAll(async () => {
  master = await startRedis({ args: ['--requirepass', 's3cret'] });
  sentinels = await startSentinels(master.port, {
    onEnd: afterAll,
    lines: logins,
  });
});

afterAll(() => master?.stop());

function behind(sentinel: Partial<Address['sentinel']> = {}, port = portOf(sentinels.places[0])): Address {
  return loopback(port, {
    ...masterLogin,
    sentinel: { master: masterName, others: [], ...watcher, ...sentinel },
  });
}

function portOf(place: string | undefined): number {
  return Number(place?.split(':')[1]);
}

describe.each(clientNames)('%s', client => {
  test('works on the master, with the logins of both', async () => {
    const connection = await openConnection(client, behind());
    const outcome = await sendBatch(connection, [
      [SET, 1],
      [GET, 1],
    ]);
    expect(outcome).toMatchObject({ completed: 2, misses: 0, failures: {} });
    const redis = await connectObserver(master.url, { password: 's3cret' });
    expect(await redis.info('keyspace')).toMatch(/db3:keys=1/);
  });

  test('asks the next Sentinel if one is away, silent, or knows nothing', async () => {
    const proxy = await startProxy(portOf(sentinels.places[0]));
    proxy.silent = true;
    const gone = { host: '127.0.0.1', port: await ownPort() };
    const ignorant = await startScriptedServer(([name], reply) =>
      reply(name === 'AUTH' ? '+OK\r\n' : '*-1\r\n'),
    );
    const others = [proxy.port, ignorant.port, portOf(sentinels.places[0])].map(port => ({ ...gone, port }));
    const connection = await openConnection(client, behind({ others }, gone.port), 4000);
    expect(connection.alive).toBe(true);
  });

  test('the message has the reason of every Sentinel', async () => {
    const gone = await ownPort();
    const http = await startScriptedServer((_, reply) => reply('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const others = [portOf(sentinels.places[0]), http.port, master.port].map(port => ({
      host: '127.0.0.1',
      port,
    }));
    const address = behind({ master: 'nobody', others, password: 'w4tch' }, gone);
    const error = await rejection(openConnection(client, address));
    expect(failureCode(error)).toBe('NO_MASTER');
    expect(error.message).toMatch(
      new RegExp(
        `^No Sentinel names the master "nobody" \\(127.0.0.1:${gone}: nothing listens there \\(ECONNREFUSED\\); ` +
          `${sentinels.places[0]}: it knows no master with that name; ` +
          `127.0.0.1:${http.port}: it does not speak the Redis protocol; 127.0.0.1:${master.port}: WRONGPASS`,
      ),
    );
    expect(error.message).not.toMatch(/w4tch|s3cret/);
  });

  test('a Sentinel whose answer never comes to an end is given up', async () => {
    const dripping = await startScriptedServer((_, reply) => {
      reply('+');
      const timer = setInterval(() => reply('x'), 20);
      onTestFinished(() => clearInterval(timer));
    });
    const error = await rejection(openConnection(client, behind({}, dripping.port), 200));
    expect(failureCode(error)).toBe('NO_MASTER');
    expect(error.message).toMatch('no answer within 200 ms');
  });

  test('a reply in pieces is read as a whole', async () => {
    const proxy = await startProxy(portOf(sentinels.places[0]));
    proxy.fragmentBytes = 1;
    expect((await openConnection(client, behind({}, proxy.port))).alive).toBe(true);
  });
});

test('the control connection is one to the master, and tells the load to ask by itself', async () => {
  const control = await connectControl(behind(), patient);
  onTestFinished(() => control.close());
  expect((await control.info()).get('tcp_port')).toBe(String(master.port));
  expect(control.server).toMatchObject({ host: '127.0.0.1', port: master.port, database: 3 });
  expect(control.answering).toEqual(behind());
});

test('a run with rediss:// speaks TLS to Sentinel and master, and shows the password of neither', async () => {
  const { ca, certificate, key } = certificates;
  const ports = { master: await ownPort(), sentinel: await ownPort() };
  const login = ['--requirepass', 's3cret'];
  const encrypted = await startRedis({ args: [...tlsArguments(ports.master), ...login] });
  onTestFinished(() => encrypted.stop());
  await startSentinels(ports.master, {
    lines: [
      ...[`tls-port ${ports.sentinel}`, 'tls-auth-clients no', 'tls-replication yes'],
      ...[`tls-cert-file ${certificate}`, `tls-key-file ${key}`, `tls-ca-cert-file ${ca}`],
      ...logins,
    ],
  });
  const target = {
    server: 'redis',
    url: `rediss://:s3cret@localhost:${ports.sentinel}/3`,
    tls: { ca },
    sentinel: { master: masterName, ...watcher },
  };
  const scenarios = [{ client: ['wire', 'ioredis'], workers: 2, ...unhurried }];
  const experiment = await createExperiment('', { target, scenarios, seconds: 0.2 });
  const { code, stdout, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  const result = await experiment.result();
  for (const { rounds } of result.scenarios) {
    const [round] = rounds;
    expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0, serverCalls: round?.completed });
  }
  for (const text of [stdout, stderr, JSON.stringify(result)]) expect(text).not.toMatch(/s3cret|w4tch/);

  const untrusted = { ...target, tls: {} };
  const config = parseConfig(JSON.stringify({ name: 'a', target: untrusted, scenarios: [{}] }), 'a.json');
  const options = { standInAllowed: true, onFreePort: false, say: () => {} };
  expect((await rejection(findTarget(config, options))).message).toMatch(
    /SELF_SIGNED_CERT_IN_CHAIN.*; correct target\.tls, which also applies to Sentinels$/,
  );
});

test('the target is found by the Sentinel, and is on this machine', async () => {
  const target = await resolveTarget({
    server: 'redis',
    url: `${sentinels.url.replace('//', '//:s3cret@')}/3`,
    address: behind(),
    standInAllowed: true,
    say: () => {},
  });
  onTestFinished(() => target.stop());
  expect(target).toMatchObject({ local: true, standIn: false, declared: { url: `${sentinels.url}/3` } });
  expect(target.foundBy).toBe(
    `running at 127.0.0.1:${master.port}, named as master "${masterName}" by a Sentinel (${sentinels.url}/3)`,
  );
});

test('a search without TLS writes and prints no password either', async () => {
  const target = {
    server: 'redis',
    url: `${sentinels.url.replace('//', '//:s3cret@')}/3`,
    sentinel: { master: masterName, ...watcher },
  };
  const arrival = { kind: 'constant', rate: 1000 };
  const experiment = await createExperiment('', {
    target,
    scenarios: [{ client: 'wire', workers: 4, arrival }],
    // No rate is slow enough for that, and no lower one can be judged: a search of two steps.
    seconds: 0.1,
    search: { responseP99Ms: 0.001 },
  });
  // Other tests have written there.
  const { code, stdout, stderr } = await experiment.start(['--json', '--force'], { command: 'search' })
    .outcome;
  expect(code, stderr).toBe(0);
  const files = await readFiles(await experiment.resultsFolder());
  expect(Object.keys(files).map(path => basename(path))).toEqual(
    expect.arrayContaining(['search.json', 'search.md', 'result.json']),
  );
  for (const text of [stdout, stderr, ...Object.values(files)]) expect(text).not.toMatch(/s3cret|w4tch/);
});

test.each([
  [
    'nothing listens there',
    async () => ({ url: `redis://127.0.0.1:${await ownPort()}` }),
    /Sentinel.*ECONNREFUSED/,
  ],
  [
    'another name',
    async () => ({ url: sentinels.url, sentinel: { master: 'other', ...watcher } }),
    /target\.url, target\.sentinel\.master/,
  ],
  [
    'no login for the Sentinel',
    async () => ({ url: sentinels.url, sentinel: { master: masterName } }),
    /NOAUTH.*target\.sentinel\.username.*target\.sentinel\.password/,
  ],
  [
    'no login for the master',
    async () => ({ url: sentinels.url, sentinel: { master: masterName, ...watcher } }),
    /the server at 127\.0\.0\.1:\d+ requires a password, but the URL contains none/,
  ],
  [
    'a server in the place of a Sentinel',
    async () => ({ url: master.url, sentinel: { master: masterName } }),
    /it is not a Sentinel/,
  ],
  [
    'a Sentinel in the place of a server',
    async () => ({ url: sentinels.url.replace('//', '//watcher:w4tch@'), sentinel: {} }),
    /Sentinel.*target\.sentinel\.master/,
  ],
])('%s: one message, for exit code 3', async (_, declared, message) => {
  const target = { server: 'redis', sentinel: { master: masterName }, ...(await declared()) };
  const config = parseConfig(JSON.stringify({ name: 'a', target, scenarios: [{}] }), 'a.json');
  const options = { standInAllowed: true, onFreePort: false, say: () => {} };
  const error = await rejection(findTarget(config, options));
  expect(error).toMatchObject({ exitCode: 3 });
  expect(error.message).toMatch(message);
  expect(error.message).not.toMatch(/\n|s3cret|w4tch/);
});
