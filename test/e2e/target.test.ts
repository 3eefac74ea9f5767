import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../../src/main/server/control.ts';
import { preflight, surveyDatabase } from '../../src/main/server/preflight.ts';
import { parseAddress } from '../../src/main/server/url.ts';
import { patient, rejection } from '../support/connections.ts';
import { calm, createExperiment, unhurried } from '../support/experiment.ts';
import { callsOf, connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ownPort } from '../support/ports.ts';
import { readFiles } from '../support/read-files.ts';
import {
  certificates,
  ofTest,
  shareServer,
  startRedis,
  startRedisOnSocket,
  startRedisWithTls,
  type TestServer,
} from '../support/servers.ts';

describe('target that cannot be used ends with 3', () => {
  /** What a run of these has to say: one message, without a stack trace or a password, no result, no folder. */
  async function expectNoTarget(url: string, message: RegExp | string, config = {}): Promise<void> {
    const experiment = await createExperiment(url, config);
    const { code, stdout, stderr } = await experiment.run(['--quiet']);
    expect(stderr).toMatch(/^poolbench: .+\n$/);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at |defect|s3cret/m);
    expect(stdout).toBe('');
    expect(code, stderr).toBe(3);
    expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
  }

  test('nothing listens, and nothing may be started for a URL with a login', async () => {
    await expectNoTarget(`redis://bench:s3cret@127.0.0.1:${await ownPort()}`, /127\.0\.0\.1:\d+/);
  });

  test('a host that does not resolve', async () => {
    await expectNoTarget('redis://no-such-host.invalid', /no-such-host\.invalid/);
  });

  test('a unix socket that is not there', async () => {
    await expectNoTarget('unix:///no/such/redis.sock', /\/no\/such\/redis\.sock/);
  });

  test('a login that is missing, or wrong; a database that is not there', async () => {
    const { port, url } = await shareServer();
    const observer = await connectObserver(url);
    await observer.config('SET', 'requirepass', 'right');
    onTestFinished(async () => {
      await observer.config('SET', 'requirepass', '');
    });
    const at = `127.0.0.1:${port}`;
    await expectNoTarget(`redis://${at}`, at);
    await expectNoTarget(`redis://:s3cret@${at}`, /WRONGPASS/);
    await expectNoTarget(`redis://:right@${at}/99`, /database 99/);
  });

  test('TLS against a plain port, and the reverse', async () => {
    const plain = await shareServer();
    const tls = await ofTest(startRedisWithTls());
    // A plain server waits for the rest of a request that it cannot read.
    await expectNoTarget(`rediss://127.0.0.1:${plain.port}`, `redis://127.0.0.1:${plain.port}`, {
      timeoutMs: 1000,
    });
    await expectNoTarget(`redis://localhost:${tls.port}`, `rediss://localhost:${tls.port}`);
  });

  test('a server that has reached its client limit', async () => {
    const server = await ofTest(startRedis({ args: ['--maxclients', '2'] }));
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
    const server = await shareServer();
    const observer = await connectObserver(server.url);
    await observer.config('SET', 'maxclients', '20');
    const config = { scenarios: [{ workers: [4, 15] }] };
    await expectNoTarget(server.url, / 31 .* 20 .*CONFIG SET maxclients/, config);
    expect(await callsOf(observer, 'set')).toBe(0);
  });
});

describe('logins tls sockets and databases work to the end', () => {
  const password = 's3cret/w:th@odd#characters';
  /** How it may look in a URL, in JSON, or cut in two; any of these would give it away. */
  const traces = /s3cret|w:th|w%3Ath|odd#char|odd%23char/i;
  const login = `bench:${encodeURIComponent(password)}@`;
  /** One user with that password; the default user has another. */
  const args = ['--user', 'bench', 'on', `>${password}`, '~*', '&*', '+@all', '--requirepass', 'another'];

  /**
   * The server, the URL with login and database, as a user writes it and as it may be shown, and the clients: that each of
   * them logs in everywhere is seen in test/pool/client/connect.test.ts and test/main/server/tls.test.ts.
   */
  const ways: [string, () => Promise<TestServer>, (url: string, login: string) => string, string[]][] = [
    [
      'redis://user:password@host/db',
      () => startRedis({ args }),
      (url, who) => `${url.replace('//', `//${who}`)}/1`,
      ['ioredis', 'wire'],
    ],
    [
      'rediss://user:password@host/db',
      () => startRedisWithTls({ args }),
      (url, who) => `${url.replace('//', `//${who}`)}/2`,
      ['ioredis'],
    ],
    [
      'unix://user:password@/path?db=N',
      () => startRedisOnSocket({ args }),
      (url, who) => `${url.replace('//', `//${who}`)}?db=3`,
      ['wire'],
    ],
  ];

  test.each(ways)('%s works, and the password is nowhere to be seen', async (_, start, write, clients) => {
    const server = await start();
    onTestFinished(() => server.stop());
    const url = write(server.url, login);
    const isTls = url.startsWith('rediss:');
    const experiment = await createExperiment(url, {
      target: { server: 'redis', url, ...(isTls && { tls: { ca: certificates.ca } }) },
      scenarios: [{ client: clients, workers: 4, pipeline: 5, ...unhurried }],
      seconds: 0.2,
    });
    const { code, stdout, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    const result = await experiment.result();
    expect(result.target.declared.url).toBe(write(server.url, 'bench@'));
    expect(stdout + stderr).not.toMatch('not checked');
    const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
    expect(rounds).toHaveLength(clients.length);
    expect(rounds.some(({ completed }) => completed > 0)).toBe(true);
    for (const round of rounds) {
      expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0, serverCalls: round.completed });
    }

    // What was written to another database than the URL's would still be there.
    const tls = isTls ? { tls: { ca: await readFile(certificates.ca) } } : {};
    const redis = await connectObserver(server.url.replace('unix://', ''), {
      ...tls,
      username: 'bench',
      password,
    });
    expect((await redis.info('keyspace')).trim()).toBe('# Keyspace');

    const files = Object.values(await readFiles(await experiment.resultsFolder()));
    expect(files.length).toBeGreaterThan(2);
    for (const text of [stdout, stderr, ...files]) expect(text).not.toMatch(traces);
    // The traces would be found.
    expect(url).toMatch(traces);
  });
});

describe('user with few rights can be measured', () => {
  const fewRights = ['~poolbench:*', '+get', '+set', '+info', '+hello', '+client', '+ping'];

  /** A look at a server that has a user with these rights, and the URL with that login. */
  async function withUser(kind: 'redis' | 'valkey', ...rights: string[]) {
    const { url } = await shareServer(kind);
    const redis = await connectObserver(url);
    await redis.call('ACL', 'SETUSER', 'few', 'on', '>s3cret', ...rights);
    return { redis, url: url.replace('//', '//few:s3cret@') };
  }

  test('a user who may only do what the load does', async () => {
    const { redis, url } = await withUser('valkey', ...fewRights);
    const experiment = await createExperiment(url, {
      target: { server: 'valkey', url },
      scenarios: [{ client: ['ioredis', 'wire'], workers: 4, ...unhurried }],
      seconds: 0.2,
    });
    const { code, stderr } = await experiment.run();
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/warning: .*NOPERM.*dbsize.*scan/i);
    expect(stderr).not.toMatch(/^\s+at |defect|s3cret/m);
    const { scenarios } = await experiment.result();
    for (const { rounds } of scenarios) expect(rounds[0]).toMatchObject({ failed: {}, misses: 0 });

    // They could not be removed; the claim tells whose they are.
    expect(await redis.get('poolbench:1:claim')).not.toBeNull();
  });

  test('a user who may not even PING, or not write, gets one clear message', async () => {
    const { redis, url } = await withUser('redis', '~poolbench:*', '+get');
    const silent = await (await createExperiment(url)).run(['--quiet']);
    expect(silent.stderr).toMatch(/^poolbench: .*NOPERM .*ping.*\n$/);
    expect(silent.code).toBe(3);

    await redis.call('ACL', 'SETUSER', 'few', '+ping', '+hello', '+client', '+info');
    const experiment = await createExperiment(url, {
      scenarios: [{ client: ['wire', 'ioredis'], workers: 4, ...calm }],
      seconds: 0.3,
    });
    const reader = await experiment.run();
    expect(reader.stderr).toMatch(/warning: .*NOPERM/);
    expect(reader.stderr).toMatch(/^poolbench: .*maxFailedShare/m);
    expect(reader.stderr).not.toMatch(/^\s+at |defect|s3cret/m);
    expect(reader.code).toBe(1);
    for (const { rounds } of (await experiment.result()).scenarios) {
      expect(Object.keys(rounds[0]?.failed ?? {})).toEqual(['NOPERM']);
    }
  });

  test('everything that the server does not reveal is one warning', async () => {
    const { redis, url } = await withUser('redis', ...fewRights);
    // Other clients would be another warning.
    await redis.quit();
    const control = await connectControl(parseAddress(url), patient);
    onTestFinished(() => control.close());
    expect(
      await preflight(
        { control },
        { threads: 1, sockets: 1, connections: 1, keys: 1, valueBytes: 1 },
        { force: false },
      ),
    ).toEqual([expect.stringMatching(/NOPERM .*; NOPERM/)]);
  });
});

describe('database of others is not loaded', () => {
  const needs = { threads: 1, sockets: 1, connections: 1, keys: 1, valueBytes: 1 };

  test('run and check refuse with the number of keys and what to do; --force loads it and leaves them', async () => {
    const server = await shareServer();
    const redis = await connectObserver(server.url);
    await redis.mset('session:alice', 't0ken', 'session:bob', 't0ken');
    const experiment = await createExperiment(server.url);

    const message =
      /^poolbench: .*database 0 .* 2 keys of other programs.* redis:\/\/127\.0\.0\.1:\d+\/15.*--force/m;
    const checked = await runPoolbench(['check', experiment.configPath]);
    const refused = await experiment.run();
    for (const { code, stderr } of [checked, refused]) {
      expect(code).toBe(3);
      expect(stderr).toMatch(message);
      // Names of keys can be secrets.
      expect(stderr).not.toMatch(/alice|session|^\s+at /m);
    }
    expect(await readdir(join(experiment.folder, 'results'))).toEqual([]);
    expect(await callsOf(redis, 'set')).toBe(0);

    const elsewhere = await runPoolbench(['check', experiment.configPath, '--url', `${server.url}/15`]);
    expect(elsewhere.code, elsewhere.stderr).toBe(0);

    const forced = await createExperiment(server.url);
    const { code, stderr } = await forced.run(['--force']);
    expect(code, stderr).toBe(0);
    expect((await forced.result()).warnings).toContainEqual(
      expect.stringMatching(/holds 2 keys of other programs/),
    );
    expect((await redis.keys('*')).sort()).toEqual(['session:alice', 'session:bob']);
  });

  test('keys of poolbench are told and do no harm; any other counts, whatever it is called', async () => {
    const server = await shareServer('valkey');
    const control = await connectControl(parseAddress(server.url), patient);
    onTestFinished(() => control.close());
    const own = ['poolbench:1:claim', 'poolbench:1:00000007', 'poolbench:2.0123abcd:00000001'];
    for (const key of own) await control.call('SET', key, 'v');
    expect(await preflight({ control }, needs, { force: false })).toEqual([
      expect.stringMatching(/\(poolbench:1:, poolbench:2\.0123abcd:\)/),
    ]);
    for (const [count, key] of ['poolbench:1:other', 'poolbench:x:claim', 'my poolbench:1:claim'].entries()) {
      await control.call('SET', key, 'v');
      expect((await surveyDatabase(control)).others).toBe(count + 1);
    }
    await expect(preflight({ control }, needs, { force: false })).rejects.toMatchObject({
      code: 'TARGET_IN_USE',
      message: expect.stringMatching(/ 3 keys of other programs/),
    });
  });

  test('a huge database is known for one in use without looking at all of it', async () => {
    const server = await shareServer();
    const redis = await connectObserver(server.url);
    const keys = 110_000;
    await redis.eval(`for key = 1, ${keys} do redis.call('SET', 'key:' .. key, '') end`, 0);
    const control = await connectControl(parseAddress(server.url), patient);
    onTestFinished(() => control.close());
    const { message } = await rejection(preflight({ control }, needs, { force: false }));
    const [, seen = ''] = /at least ([\d,]+) keys of other programs/.exec(message) ?? [];
    expect(Number(seen.replaceAll(',', '')), message).toBeGreaterThan(1000);
    expect(Number(seen.replaceAll(',', ''))).toBeLessThan(keys);
    // One who may not look is not told whose they are.
    await redis.call('ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '+@all', '-scan');
    const few = await connectControl(parseAddress(server.url.replace('//', '//few:pw@')), {
      timeoutMs: 5000,
    });
    onTestFinished(() => few.close());
    await expect(preflight({ control: few }, needs, { force: false })).rejects.toThrow(/keys.*\(NOPERM/);
  });
});
