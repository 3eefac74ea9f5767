import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type CommandSet, KEY } from '../../../src/pool/client/batch.ts';
import type { ClientConnection, ClientModule, Place } from '../../../src/pool/client/client-module.ts';
import { ModuleConnection } from '../../../src/pool/client/module-connection.ts';
import { failureCode } from '../../../src/pool/errors.ts';
import {
  type AnyClient,
  commands,
  connector,
  fileOf,
  GET,
  loopback,
  rejection,
  SET,
  sendBatch,
} from '../../support/connections.ts';
import { clientsNamed, connectObserver } from '../../support/observed-server.ts';
import { shareServer, type TestServer } from '../../support/servers.ts';

describe('options of a client', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await shareServer();
  });

  const cases: [AnyClient, Readonly<Record<string, unknown>>, number][] = [
    ['ioredis', {}, 3],
    ['ioredis', { protocol: 2 }, 2],
    ['node-redis', {}, 3],
    ['node-redis', { RESP: 2 }, 2],
    ['iovalkey', {}, 2],
    ['./my-client.mjs', { protocol: 2 }, 2],
  ];

  test.each(cases)('%s with %o speaks RESP%i', async (client, options, version) => {
    const connection = await connector(client, loopback(server.port), 5000, { options })();
    onTestFinished(() => connection.close());
    expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({ completed: 1 });
    const observer = await connectObserver(server.url);
    const [ours = '', ...others] = await clientsNamed(observer, 'test');
    expect(others).toEqual([]);
    expect(ours).toMatch(` resp=${version}`);
  });

  test('the socket of the core of valkey-glide goes with the process', async () => {
    const load = {
      ...{ address: loopback(server.port), commands: { keyPrefix: 'test:', commands: [] } },
      ...{ timeoutMs: 5000, autoPipelining: false, options: {} },
    };
    const script = `
      import { readdirSync } from 'node:fs';
      import { loadClient } from ${JSON.stringify(new URL('../../../dist/pool/client/libraries.js', import.meta.url).href)};
      const { connector } = await loadClient('valkey-glide', ${JSON.stringify(fileOf('valkey-glide'))});
      const connection = await connector(${JSON.stringify(load)})();
      console.log(readdirSync('/tmp').find(name => name.startsWith('glide-socket-' + process.pid + '-')));
      connection.close();
      process.exit();`;
    const words = ['--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    const socket = stdout.trim();
    expect(socket).toMatch(/^glide-socket-/);
    expect(await readdir('/tmp')).not.toContain(socket);
  });
});

describe("a user's module that does not keep to the contract", () => {
  const kept: ClientConnection = {
    send: async sent => sent.map(() => 'OK'),
    ping: async () => 'PONG',
    close: () => {},
  };

  /** A connection of a module whose connections have these parts; with its place. */
  async function open(parts: Partial<ClientConnection>, set = commands) {
    let place: Place | undefined;
    const module: ClientModule = {
      multiplexes: true,
      open: async given => {
        place = given;
        return { ...kept, ...parts };
      },
    };
    const connect = ModuleConnection.connector(loopback(1), set, 500, { module, options: {} });
    const connection = await connect();
    onTestFinished(() => connection.close());
    return { connection, lost: (error?: Error) => place?.lost(error) };
  }

  test.each(['send', 'ping', 'close'] as const)('is refused at once if it has no %s', async part => {
    const refusal = await rejection(open({ [part]: undefined }));
    expect(refusal).toMatchObject({
      code: 'CLIENT_NOT_USABLE',
      message: `open() returned no function ${part}`,
    });
  });

  test('leaves the event loop a turn, however soon a batch fails', async () => {
    const { connection } = await open({ send: () => Promise.reject(new Error('at once')) });
    let turns = 0;
    setImmediate(() => turns++);
    expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({ failures: { CONNECTION_CLOSED: 1 } });
    expect(turns).toBe(1);
  });

  const failures: [string, Partial<ClientConnection>, Record<string, number>, number][] = [
    ['replies too few', { send: async () => ['OK'] }, { PROTOCOL: 2 }, 1],
    ['replies nothing', { send: async () => null as never }, { PROTOCOL: 3 }, 0],
    [
      'throws',
      {
        send: () => {
          throw new Error('a defect');
        },
      },
      { CONNECTION_CLOSED: 3 },
      0,
    ],
    [
      'rejects with a code',
      { send: () => Promise.reject(Object.assign(new Error('gone'), { code: 'EPIPE' })) },
      { EPIPE: 3 },
      0,
    ],
  ];

  test.each(failures)(
    '%s: each command is counted once, and the connection ends',
    async (_, parts, codes, completed) => {
      const close = vi.fn();
      const { connection } = await open({ ...parts, close });
      const outcome = await sendBatch(connection, [
        [SET, 1],
        [SET, 2],
        [GET, 1],
      ]);
      expect(outcome).toMatchObject({ completed, failures: codes });
      expect(connection.alive).toBe(false);
      expect(close).toHaveBeenCalledTimes(1);
      expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({ completed: 0 });
      expect(connection.settled).toBe(connection.sent);
    },
  );

  test('a refusal is no loss, whether it rejects or stands in the list', async () => {
    const refusal = new Error('OOM command not allowed');
    const rejecting = await open({ send: () => Promise.reject(refusal) });
    const listing = await open({ send: async () => [refusal] });
    for (const { connection } of [rejecting, listing]) {
      expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({ failures: { OOM: 1 } });
      expect(connection.alive).toBe(true);
    }
  });

  test('what it leaves in flight when it is closed fails all the same, and a late reply counts no more', async () => {
    let reply = (_: readonly unknown[]) => {};
    const { connection } = await open({
      send: () =>
        new Promise(resolve => {
          reply = resolve;
        }),
    });
    const sent = sendBatch(connection, [
      [SET, 1],
      [SET, 2],
    ]);
    connection.close('TIMEOUT');
    const outcome = await sent;
    expect(outcome).toMatchObject({ completed: 0, failures: { TIMEOUT: 2 } });
    reply(['OK', 'OK']);
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(outcome.doneCalls()).toBe(1);
  });

  test('a ping that it leaves unanswered when it is closed fails all the same', async () => {
    const { connection } = await open({ ping: () => new Promise(() => {}) });
    const refusal = rejection(connection.ping());
    connection.close('TIMEOUT');
    expect(await refusal).toMatchObject({ code: 'TIMEOUT' });
    expect(connection.settled).toBe(connection.sent);
  });

  test('a single command goes to sendOne if there is one, and its outcome counts as one of send does', async () => {
    const send = vi.fn(kept.send);
    const sendOne = vi.fn<NonNullable<ClientConnection['sendOne']>>();
    sendOne.mockResolvedValueOnce(null).mockRejectedValueOnce(new Error('OOM command not allowed'));
    const { connection } = await open({ send, sendOne });
    expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1, misses: 1 });
    expect(sendOne).toHaveBeenLastCalledWith(['GET', 'test:00000001']);
    expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({ completed: 0, failures: { OOM: 1 } });
    expect(send).not.toHaveBeenCalled();
    const two = [
      [SET, 1],
      [GET, 2],
    ] as const;
    expect(await sendBatch(connection, two)).toMatchObject({ completed: 2 });
    expect(send.mock.lastCall).toEqual([
      [
        ['SET', 'test:00000001', 'some text'],
        ['GET', 'test:00000002'],
      ],
    ]);
    expect(connection.alive).toBe(true);
    sendOne.mockResolvedValueOnce(undefined);
    expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ failures: { PROTOCOL: 1 } });
    expect(connection.alive).toBe(false);
  });

  test('batches that are answered in another order are all done once', async () => {
    const replies: ((reply: unknown) => void)[] = [];
    const sendOne = () => new Promise(resolve => replies.push(resolve));
    const { connection } = await open({ sendOne });
    const sent = [1, 2, 3].map(key => sendBatch(connection, [[SET, key]]));
    for (const place of [1, 2, 0]) replies[place]?.('OK');
    for (const outcome of await Promise.all(sent)) {
      expect(outcome).toMatchObject({ completed: 1, failures: {} });
      expect(outcome.doneCalls()).toBe(1);
    }
    expect(connection.settled).toBe(3);
  });

  describe('that reads streams for a group', () => {
    const args = ['GROUP', 'g', 'c', 'STREAMS', KEY, '>'] as const;
    const reading: CommandSet = {
      keyPrefix: 'k:',
      commands: [
        { name: 'XREADGROUP', args, acknowledges: 'g' },
        { name: 'PING', args: [] },
      ],
    };
    const sends = [
      [0, 1],
      [1, 1],
    ] as const;
    const entries = [['k:1', [['0-1', ['field', 'value']]]]];

    test('what it has read and could not acknowledge has failed, when its connection is closed', async () => {
      const send = vi.fn<ClientConnection['send']>();
      send.mockResolvedValueOnce([entries, 'PONG']).mockReturnValueOnce(new Promise(() => {}));
      const { connection } = await open({ send }, reading);
      const sent = sendBatch(connection, sends);
      await expect.poll(() => send.mock.lastCall).toEqual([[['XACK', 'k:1', 'g', '0-1']]]);
      connection.close('TIMEOUT');
      expect(await sent).toMatchObject({ completed: 1, failures: { TIMEOUT: 1 } });
      expect(connection.settled).toBe(connection.sent);
    });

    test('a reply in a form that nobody knows fails, as its entries stay pending', async () => {
      const { connection } = await open({ send: async () => [[{ name: 'k:1', entries }], 'PONG'] }, reading);
      expect(await sendBatch(connection, sends)).toMatchObject({ completed: 1, failures: { PROTOCOL: 1 } });
      expect(connection.alive).toBe(false);
    });
  });

  test('a loss that it reports has the code of its error', async () => {
    const { connection, lost } = await open({});
    lost(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    expect(connection.alive).toBe(false);
    expect(await sendBatch(connection, [[SET, 1]])).toMatchObject({ failures: { ECONNRESET: 1 } });
    await expect(connection.ping()).rejects.toThrow();
  });

  test('an attempt without an end is given up, and what it opens later is closed', async () => {
    const close = vi.fn();
    let resolve = (_: ClientConnection) => {};
    let signal: AbortSignal | undefined;
    const module: ClientModule = {
      multiplexes: true,
      open: place => {
        signal = place.signal;
        return new Promise(opened => {
          resolve = opened;
        });
      },
    };
    const connect = ModuleConnection.connector(loopback(1), commands, 30, { module, options: {} });
    expect(failureCode(await rejection(connect()))).toBe('ETIMEDOUT');
    expect(signal?.aborted).toBe(true);
    resolve({ ...kept, close });
    await expect.poll(() => close.mock.calls.length).toBe(1);
  });
});
