import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { type Control, connectControl, parseInfo } from '../../../src/main/server/control.ts';
import { preflight } from '../../../src/main/server/preflight.ts';
import { commandCalls, identify, serverCpu } from '../../../src/main/server/server-info.ts';
import { parseAddress } from '../../../src/main/server/url.ts';
import {
  clientNames,
  connector,
  createPool,
  GET,
  loopback,
  patient,
  sendBatch,
  until,
} from '../../support/connections.ts';
import { ownPort } from '../../support/ports.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import {
  certificates,
  shareServer,
  startRedis,
  startRedisOnSocket,
  startRedisWithTls,
  startValkey,
  type TestServer,
} from '../../support/servers.ts';

test('a count of clients that has gone below 0 is a warning, and refuses no plan', async () => {
  const info =
    'redis_version:6.2.11\r\ndragonfly_version:df-v1.21.2\r\nconnected_clients:4294964742\r\nmax_clients:64000\r\n';
  const { port } = await startScriptedServer(([name = ''], reply) => {
    if (name === 'PING') reply('+PONG\r\n');
    else if (name === 'INFO') reply(`$${info.length}\r\n${info}\r\n`);
    else if (name === 'DBSIZE') reply(':0\r\n');
    else reply('-ERR unknown command\r\n');
  });
  const control = await connectControl(loopback(port), patient);
  onTestFinished(() => control.close());
  const needs = { threads: 1, sockets: 1, connections: 10, keys: 1, valueBytes: 1 };
  const warnings = await preflight({ control }, needs, { force: false });
  expect(warnings.join('\n')).toMatch(/4294964742 connected clients, which is impossible/);
  expect(warnings.join('\n')).not.toMatch(/other clients? connected/);
});

test('a question at which the server closes the connection is refused, and is not asked a third time', async () => {
  const asked: string[] = [];
  const { port } = await startScriptedServer(([name = ''], reply, socket) => {
    asked.push(name);
    if (name === 'PING') reply('+PONG\r\n');
    else socket.end();
  });
  const control = await connectControl(loopback(port), patient);
  onTestFinished(() => control.close());
  for (let times = 0; times < 2; times++)
    await expect(control.info()).rejects.toMatchObject({
      name: 'ReplyError',
      message: expect.stringMatching('INFO'),
    });
  expect(control.infoRefusal).toMatch(/closes the connection/);
  expect(asked.filter(name => name === 'INFO')).toHaveLength(2);
  await expect(control.call('GET', 'a')).rejects.toMatchObject({ code: 'TARGET_LOST' });
});

describe('control connection reports what is wrong', () => {
  let plain: TestServer;
  let locked: TestServer;
  let tls: TestServer;
  const controls: Control[] = [];

  beforeAll(async () => {
    plain = await shareServer();
    locked = await startValkey({ args: ['--requirepass', 's3cret'] });
    tls = await startRedisWithTls();
  });

  afterEach(() => {
    for (const control of controls.splice(0)) control.close();
  });

  afterAll(async () => {
    await Promise.all([locked?.stop(), tls?.stop()]);
  });

  async function open(url: string, timeoutMs: number = patient.timeoutMs): Promise<Control> {
    const control = await connectControl(parseAddress(url), { timeoutMs });
    controls.push(control);
    return control;
  }

  async function failure(url: string, timeoutMs?: number): Promise<PoolbenchError> {
    const error = await open(url, timeoutMs).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof PoolbenchError)) throw new Error(`expected a PoolbenchError, got ${error}`);
    expect(error.message).not.toContain('s3cret');
    expect(error.message).not.toContain('\n');
    return error;
  }

  function listen(server: Server): Promise<number> {
    onTestFinished(() => {
      server.close();
    });
    return new Promise(resolve => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  /** A connection of a process whose Node trusts our CA: it reads NODE_EXTRA_CA_CERTS when it starts. */
  async function withTrustedCa(url: string): Promise<unknown> {
    const compiled = new URL('../../../dist/main/server/', import.meta.url).href;
    const program = `
    import { connectControl } from '${compiled}control.js';
    import { parseAddress } from '${compiled}url.js';
    const control = await connectControl(parseAddress('${url}'), { timeoutMs: 5000 });
    const { answering } = control;
    console.log(JSON.stringify({ alive: await control.alive(), answering }));
    control.close();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificates.ca },
    });
    return JSON.parse(stdout);
  }

  test('a server answers: commands, pipelines with their errors, INFO', async () => {
    const control = await open(`${plain.url}/3`);
    expect(await control.call('SET', 'k', 'v')).toBe('OK');
    expect(
      await control.pipeline([
        ['GET', 'k'],
        ['INCR', 'k'],
        ['DEL', 'k'],
      ]),
    ).toEqual([
      { value: 'v' },
      { error: expect.objectContaining({ message: expect.stringContaining('not an integer') }) },
      { value: 1 },
    ]);
    expect((await control.info()).get('tcp_port')).toBe(String(plain.port));
    await expect(control.call('NOSUCH')).rejects.toThrow(/unknown command/);
    expect(await control.alive()).toBe(true);
  });

  test('login with the right password, and on a unix socket', async () => {
    expect(await (await open(locked.url.replace('//', '//:s3cret@'))).alive()).toBe(true);
    expect(await (await open(locked.url.replace('//', '//default:s3cret@'))).alive()).toBe(true);

    const socket = await startRedisOnSocket();
    onTestFinished(() => socket.stop());
    expect(await (await open(`${socket.url}?db=2`)).alive()).toBe(true);
  });

  test('nothing listens', async () => {
    const port = await ownPort();
    for (const host of ['127.0.0.1', 'localhost']) {
      const error = await failure(`redis://${host}:${port}`);
      expect(error).toMatchObject({ code: 'TARGET_UNREACHABLE', cause: { code: 'ECONNREFUSED' } });
      expect(error.message).toMatch(`${host}:${port}`);
    }
    expect((await failure('unix:///nowhere/redis.sock')).message).toMatch('no such file');
  });

  test('the host is unknown', async () => {
    const error = await failure('redis://no-such-host.invalid', 10_000);
    expect(error).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    expect(error.message).toMatch('cannot be resolved');
  });

  test('a password is missing, wrong, or not wanted', async () => {
    const missing = await failure(locked.url);
    expect(missing).toMatchObject({ code: 'TARGET_REFUSED_LOGIN' });
    expect(missing.message).toMatch('redis://:password@host');

    const wrong = await failure(locked.url.replace('//', '//:no-s3cret-at-all@'));
    expect(wrong).toMatchObject({ code: 'TARGET_REFUSED_LOGIN' });
    expect(wrong.message).toMatch('WRONGPASS');

    const unknownUser = await failure(locked.url.replace('//', '//somebody:s3cret@'));
    expect(unknownUser.message).toMatch('"somebody"');

    const unwanted = await failure(plain.url.replace('//', '//:s3cret@'));
    expect(unwanted).toMatchObject({ code: 'TARGET_REFUSED_LOGIN' });
    expect(unwanted.message).toMatch('has no password');
  });

  test('a server that repeats what it does not understand repeats no password', async () => {
    const answer = "-ERR unknown command 'AUTH', with args beginning with: 's3cret' \r\n";
    const port = await listen(
      createServer(socket => socket.on('error', () => {}).on('data', () => socket.write(answer))),
    );
    const error = await failure(`redis://:s3cret@127.0.0.1:${port}`);
    expect(error.message).toMatch("unknown command 'AUTH', with args beginning with: ***");
  });

  test('the database does not exist', async () => {
    const error = await failure(`${plain.url}/99`);
    expect(error).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    expect(error.message).toMatch('expected database 99');
  });

  test('TLS is spoken to a plain port', async () => {
    const error = await failure(plain.url.replace('redis:', 'rediss:'), 500);
    expect(error).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    expect(error.message).toMatch(`redis://127.0.0.1:${plain.port}`);
  });

  test('a plain connection is opened to a TLS port', async () => {
    const error = await failure(`redis://localhost:${tls.port}`);
    expect(error).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    expect(error.message).toMatch(`rediss://localhost:${tls.port}`);
  });

  test('the certificate is not trusted', async () => {
    const error = await failure(tls.url);
    expect(error).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    expect(error.message).toMatch('set target.tls.ca');
  });

  test('the server has reached its client limit', async () => {
    const full = await startRedis({ args: ['--maxclients', '1'] });
    onTestFinished(() => full.stop());
    await open(full.url);
    const error = await failure(full.url);
    expect(error).toMatchObject({ code: 'TARGET_TOO_SMALL' });
    expect(error.message).toMatch('maxclients');
  });

  test('the listener is silent, or is not a Redis server', async () => {
    const silent = await listen(createServer(socket => socket.on('error', () => {})));
    expect((await failure(`redis://127.0.0.1:${silent}`, 200)).message).toMatch('200 ms');

    const http = await listen(
      createServer(socket => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    expect((await failure(`redis://127.0.0.1:${http}`)).message).toMatch('correct the port');
  });

  test('a connection that was lost is opened again by the next request, once the server is back', async () => {
    const server = await startRedis();
    const control = await open(server.url);
    await server.stop();
    await expect(control.call('PING')).rejects.toThrow(PoolbenchError);
    expect([await control.alive(), control.goneAs]).toEqual([false, 'ECONNREFUSED']);
    const again = await startRedis({ port: server.port });
    onTestFinished(() => again.stop());
    expect(again.port).toBe(server.port);
    expect([await control.alive(), control.goneAs]).toEqual([true, undefined]);
  });

  test('a server that stops answering is given up after the time limit', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const control = await open(server.url, 1500);
    const pid = Number((await control.info('server')).get('process_id'));
    process.kill(pid, 'SIGSTOP');
    await expect(control.call('PING')).rejects.toMatchObject({
      code: 'TARGET_LOST',
      message: expect.stringContaining('no answer came in time'),
    });
    process.kill(pid, 'SIGCONT');
    await until(() => control.alive());
  });

  test('the IP address that answered stands in the place of a host name, in TLS, too', async () => {
    const control = await open(plain.url.replace('127.0.0.1', 'localhost'));
    expect(control.address.host).toBe('localhost');
    expect(control.answering).toEqual({ ...control.address, host: '127.0.0.1' });

    expect(await withTrustedCa(tls.url)).toMatchObject({
      alive: true,
      answering: { host: '127.0.0.1', servername: 'localhost', port: tls.port },
    });
  });
});

describe('server that refuses a ping has answered it', () => {
  const cannotSave =
    '-MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk\r\n';
  const busy = '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n';

  /** A server that answers PING as it is told to, and all else with OK. */
  async function startServer(answer: string) {
    const server = { answer, port: 0 };
    const { port } = await startScriptedServer((request, reply) =>
      reply(request[0]?.toUpperCase() === 'PING' ? server.answer : '+OK\r\n'),
    );
    server.port = port;
    return server;
  }

  test.each(clientNames)('%s: the pool keeps a connection whose PING was refused', async client => {
    const { port } = await startServer(cannotSave);
    const pool = createPool(connector(client, loopback(port)), 'baseline', { probe: 'ping', max: 1 });
    for (let turn = 0; turn < 3; turn++) {
      const connection = await pool.acquire();
      expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1 });
      pool.release(connection);
    }
    expect(pool.metrics()).toMatchObject({ created: 1, healthChecksRun: 2, reconnects: 0 });
  });

  test('a server that cannot save is there, from the start and later on', async () => {
    const { port } = await startServer(cannotSave);
    const control = await connectControl(loopback(port), patient);
    onTestFinished(() => control.close());
    expect(await control.alive()).toBe(true);
  });

  test('one that is busy is not, and its words are the reason', async () => {
    const server = await startServer('+PONG\r\n');
    const control = await connectControl(loopback(server.port), patient);
    onTestFinished(() => control.close());
    expect([await control.alive(), control.shutOut]).toEqual([true, undefined]);
    server.answer = busy;
    expect([await control.alive(), control.shutOut]).toEqual([false, expect.stringMatching(/^BUSY Redis/)]);
    server.answer = '+PONG\r\n';
    expect([await control.alive(), control.shutOut]).toEqual([true, undefined]);
  });
});

describe('server is identified', () => {
  async function answers(name: string): Promise<{ info: Map<string, string>; hello: Map<string, string> }> {
    const read = (kind: string): Promise<string> =>
      readFile(new URL(`../../fixtures/${name}.${kind}.txt`, import.meta.url), 'utf8');
    const hello = new Map<string, string>();
    for (const line of (await read('hello3')).split('\n')) {
      const [key = '', value = ''] = line.split(' ');
      hello.set(key, value);
    }
    return { info: parseInfo(await read('info')), hello };
  }

  test.each([
    ['redis-7.0.15', 'redis', '7.0.15'],
    ['valkey-8.0.1', 'valkey', '8.0.1'],
    ['dragonfly-1.40.1', 'dragonfly', '1.40.1'],
  ])('%s is told by INFO, by HELLO, and by both', async (fixture, server, version) => {
    const { info, hello } = await answers(fixture);
    expect(identify(info)).toMatchObject({ server, version });
    expect(identify(new Map(), hello)).toMatchObject({ server, version });
    expect(identify(info, hello)).toMatchObject({ server, version });
  });

  test('what matters to a plan is read, whatever a server calls it', async () => {
    const redis = await answers('redis-7.0.15');
    expect(
      identify(
        redis.info,
        redis.hello,
        new Map([
          ['io-threads', '4'],
          ['save', '3600 1'],
        ]),
      ),
    ).toEqual({
      server: 'redis',
      version: '7.0.15',
      threads: 4,
      persistence: ['snapshots (save 3600 1)'],
      maxClients: 10_000,
      connectedClients: 1,
      maxMemoryBytes: 0,
      usedMemoryBytes: 6_125_048,
      maxMemoryPolicy: 'noeviction',
      role: 'master',
      cluster: false,
    });
    const dragonfly = await answers('dragonfly-1.40.1');
    expect(identify(dragonfly.info, dragonfly.hello)).toMatchObject({
      threads: 2,
      persistence: null,
      maxClients: 64_000,
      maxMemoryBytes: 19_905_278_771,
    });
  });

  test('a server that names itself otherwise is not taken for Redis', () => {
    expect(identify(parseInfo('redis_version:7.4.0\r\nserver_name:other'))).toMatchObject({
      server: 'unknown',
    });
    expect(identify(parseInfo('redis_version:7.2.5\r\ngarnet_version:1.0'))).toMatchObject({
      server: 'unknown',
    });
    expect(identify(new Map())).toMatchObject({ server: 'unknown', version: 'unknown', maxClients: null });
    expect(identify(parseInfo('redis_version:7.0.0\r\nrole:slave\r\naof_enabled:1'))).toMatchObject({
      role: 'replica',
      persistence: ['append-only file'],
    });
  });

  test('CPU seconds are those of user and system, null if INFO lacks them', async () => {
    const { info } = await answers('redis-7.0.15');
    expect(serverCpu(info).all).toBeCloseTo(110.259359 + 86.205147, 6);
    expect(serverCpu(info).mainThread).toBeCloseTo(110.251494 + 86.205596, 6);
    expect(serverCpu(parseInfo('used_cpu_sys:1\r\nused_cpu_user:2'))).toEqual({ all: 3, mainThread: null });
    expect(serverCpu(new Map())).toEqual({ all: null, mainThread: null });
  });

  test('commands are counted without case, null if the server keeps no count', () => {
    const stats = parseInfo(
      '# Commandstats\r\ncmdstat_GET:calls=7,usec=3\r\ncmdstat_set:calls=5,usec=9,usec_per_call=1.80\r\ncmdstat_config|get:calls=2,usec=1',
    );
    expect(commandCalls(stats, ['get', 'SET'])).toBe(12);
    expect(commandCalls(stats, ['mget'])).toBe(0);
    expect(commandCalls(parseInfo('# Commandstats'), ['get'])).toBeNull();
  });
});
