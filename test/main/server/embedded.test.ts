import { connect } from 'node:net';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../../../src/main/server/control.ts';
import { RequestParser } from '../../../src/main/server/embedded/protocol.ts';
import { listenEmbedded } from '../../../src/main/server/embedded/server.ts';
import { startEmbedded } from '../../../src/main/server/embedded/start.ts';
import { commandCalls, identifyServer, serverCpu } from '../../../src/main/server/server-info.ts';
import type { StartedServer } from '../../../src/main/server/server-process.ts';
import { RespSyntaxError } from '../../../src/pool/client/resp-values.ts';
import { loopback, patient } from '../../support/connections.ts';
import { shareServer, type TestServer } from '../../support/servers.ts';

describe('embedded server speaks to ioredis', () => {
  let embedded: StartedServer;
  let real: TestServer;

  beforeAll(async () => {
    embedded = await startEmbedded();
    real = await shareServer();
  });

  beforeEach(async () => {
    for (const { port } of [embedded, real]) {
      const redis = new Redis({ port, host: '127.0.0.1' });
      const keys = (await redis.scan(0, 'COUNT', 10_000))[1];
      if (keys.length > 0) await redis.del(keys);
      redis.disconnect();
    }
  });

  afterAll(async () => {
    await embedded?.stop();
  });

  /** Commands whose answers must be the same as those of a real Redis, errors included. */
  const dialogue: readonly [string, ...(string | number)[]][] = [
    ['PING'],
    ['PING', 'hello'],
    ['ECHO', 'words'],
    ['SET', 'a', '1'],
    ['GET', 'a'],
    ['GET', 'nothing'],
    ['SET', 'a', '2', 'NX'],
    ['SET', 'b', '2', 'XX'],
    ['SET', 'b', '2', 'EX', 100, 'NX'],
    ['SET', 'b', '2', 'EX', 0],
    ['SET', 'b', '2', 'EX', 'x'],
    ['SET', 'b', '2', 'NX', 'XX'],
    ['SET', 'b', '2', 'WHAT'],
    ['SET', 'b'],
    ['INCR', 'a'],
    ['INCR', 'new'],
    ['SET', 'word', 'w'],
    ['INCR', 'word'],
    ['MSET', 'x', 'ä', 'y', ''],
    ['MSET', 'x'],
    ['MGET', 'x', 'y', 'z'],
    ['EXISTS', 'x', 'y', 'z', 'x'],
    ['EXPIRE', 'x', 100],
    ['EXPIRE', 'z', 100],
    ['EXPIRE', 'y', -1],
    ['EXISTS', 'y'],
    ['DBSIZE'],
    ['SELECT', 15],
    ['DBSIZE'],
    ['SELECT', 16],
    ['SELECT', 'x'],
    ['SELECT', 0],
    ['DEL', 'a', 'z'],
    ['UNLINK', 'b', 'new', 'word'],
    ['SCAN', 0, 'MATCH', 'x*', 'COUNT', 100],
    ['SCAN', 'x'],
    ['CLIENT', 'SETNAME', 'me'],
    ['CLIENT', 'GETNAME'],
    ['CLIENT', 'SETNAME', 'two words'],
    ['CONFIG', 'GET', 'appendonly'],
    ['CONFIG', 'GET', 'no-such-setting'],
    ['HELLO', 4],
    ['HELLO', 'x'],
    ['AUTH', 'default'],
    ['NOSUCH', 'a', 'b'],
  ];

  test.each([2, 3] as const)('in RESP%i it answers as Redis does', async protocol => {
    const answers = async (port: number): Promise<unknown[]> => {
      const redis = new Redis({
        port,
        host: '127.0.0.1',
        protocol,
        replyMapping: protocol === 3 ? 'resp3' : 'legacy',
      });
      const pipeline = redis.pipeline();
      for (const [command, ...args] of dialogue) pipeline.call(command, args);
      const outcomes = await pipeline.exec();
      redis.disconnect();
      return (outcomes ?? []).map(([error, value]) => error?.message ?? value);
    };
    const [ours, redis] = [await answers(embedded.port), await answers(real.port)];
    const beside = (list: unknown[]): unknown[] =>
      list.map((answer, index) => [dialogue[index]?.join(' '), answer]);
    expect(beside(ours)).toEqual(beside(redis));
  });

  test('it identifies itself, and keeps the counts that a run asks for', async () => {
    const control = await connectControl(loopback(embedded.port), patient);
    onTestFinished(() => control.close());
    expect(await identifyServer(control)).toMatchObject({
      server: 'embedded',
      threads: 1,
      persistence: [],
      maxClients: 10_000,
      role: 'master',
    });
    const before = commandCalls(await control.info('commandstats'), ['get', 'set']) ?? Number.NaN;
    await control.pipeline([
      ['SET', 'k', 'v'],
      ['GET', 'k'],
      ['get', 'k'],
    ]);
    expect(commandCalls(await control.info('commandstats'), ['get', 'set'])).toBe(before + 3);
    expect(serverCpu(await control.info('cpu')).all).toBeGreaterThan(0);
  });

  test('keys expire', async () => {
    const redis = new Redis({ port: embedded.port, host: '127.0.0.1' });
    onTestFinished(() => redis.disconnect());
    await redis.set('short', 'v', 'PX', 200);
    expect(await redis.get('short')).toBe('v');
    await expect.poll(() => redis.get('short')).toBeNull();
    expect(await redis.dbsize()).toBe(0);
  });

  test('a scan sees every key that stays, though others are deleted meanwhile', async () => {
    const redis = new Redis({ port: embedded.port, host: '127.0.0.1' });
    onTestFinished(() => redis.disconnect());
    const names = Array.from({ length: 500 }, (_, index) => `key:${index}`);
    await redis.mset(names.flatMap(name => [name, 'v']));
    const seen = new Set<string>();
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'COUNT', 50);
      for (const key of keys) seen.add(key);
      // Half of what was seen goes: a cursor that counted places would now skip keys.
      for (const key of keys.slice(0, 25)) await redis.del(key);
      cursor = next;
    } while (cursor !== '0');
    expect([...seen].sort()).toEqual(names.sort());
  });

  test('it turns away more clients than it admits', async () => {
    const { server, port } = await listenEmbedded({ port: 0, maxClients: 1 });
    onTestFinished(() => {
      server.close();
    });
    const address = loopback(port);
    const control = await connectControl(address, patient);
    onTestFinished(() => control.close());
    await expect(connectControl(address, patient)).rejects.toMatchObject({
      code: 'TARGET_TOO_SMALL',
    });
  });

  test('HELLO names the connection', async () => {
    const redis = new Redis({ port: embedded.port, host: '127.0.0.1', protocol: 3, connectionName: 'me' });
    onTestFinished(() => redis.disconnect());
    expect(await redis.client('GETNAME')).toBe('me');
    expect(await redis.client('LIST')).toMatch(/name=me db=0 resp=3/);
  });
});

describe('embedded server survives any fragmentation', () => {
  const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });
  const inlineWords = fc.array(fc.stringMatching(/^[a-zA-Z0-9:._-]{1,12}$/), { minLength: 1, maxLength: 4 });
  const request = fc.oneof(
    words.map(list => ({ list: list.map(word => Buffer.from(word)), inline: false })),
    inlineWords.map(list => ({ list: list.map(word => Buffer.from(word)), inline: true })),
  );

  function encode({ list, inline }: { list: readonly Buffer[]; inline: boolean }): Buffer {
    if (inline) return Buffer.from(`${list.join(' ')}\r\n`);
    const parts = list.flatMap(word => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')]);
    return Buffer.concat([Buffer.from(`*${list.length}\r\n`), ...parts]);
  }

  function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
    const chunks: Buffer[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    return chunks;
  }

  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });

  test('requests come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), sizes, (requests, cuts) => {
        const parser = new RequestParser();
        const parsed: Buffer[][] = [];
        for (const chunk of cut(Buffer.concat(requests.map(encode)), cuts)) {
          parser.feed(chunk, found => parsed.push(found.map(word => Buffer.from(word))));
        }
        expect(parsed).toEqual(requests.map(({ list }) => list));
      }),
    );
  });

  test('bytes that are no request end in a syntax error, or in requests, never in anything else', () => {
    const start = fc.constantFrom(
      '',
      '*',
      '*1\r\n',
      '*1\r\n$',
      '*2\r\n$3\r\nGET\r\n$',
      '*99999999\r\n',
      '*x\r\n',
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 100 }), (first, rest) => {
        const parser = new RequestParser();
        try {
          parser.feed(Buffer.concat([Buffer.from(first), Buffer.from(rest)]), () => {});
        } catch (error) {
          expect(error).toBeInstanceOf(RespSyntaxError);
        }
      }),
    );
    expect(() => new RequestParser().feed(Buffer.from('*1\r\n!3\r\n'), () => {})).toThrow(
      "Expected '$' of the Redis protocol, found '!'",
    );
  });

  test('a connection whose requests arrive in pieces gets every reply, in order', async () => {
    const { server, port } = await listenEmbedded({ port: 0 });
    onTestFinished(() => {
      server.close();
    });
    const texts = fc.array(fc.stringMatching(/^[a-z]{0,30}$/), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(texts, sizes, async (messages, cuts) => {
        const requests = messages.map(text =>
          encode({ list: [Buffer.from('ECHO'), Buffer.from(text)], inline: false }),
        );
        const bytes = Buffer.concat([...requests, Buffer.from('QUIT\r\n')]);
        const replies = await exchange(port, cut(bytes, cuts));
        expect(replies).toBe(`${messages.map(text => `$${text.length}\r\n${text}\r\n`).join('')}+OK\r\n`);
      }),
      { numRuns: 25 },
    );
  });

  test('a client that breaks the protocol gets an error and is disconnected', async () => {
    const { server, port } = await listenEmbedded({ port: 0 });
    onTestFinished(() => {
      server.close();
    });
    expect(await exchange(port, [Buffer.from('PING\r\n*1\r\n!oops\r\n')])).toBe(
      "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n",
    );
  });

  /** Writes the chunks one by one, each in a packet of its own, and returns what came back until the server closed. */
  function exchange(port: number, chunks: readonly Buffer[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, async () => {
        for (const chunk of chunks) {
          await new Promise(written => socket.write(chunk, written));
          await new Promise(setImmediate);
        }
      });
      let heard = '';
      socket.on('data', data => {
        heard += data.toString('latin1');
      });
      socket.once('error', reject);
      socket.once('close', () => resolve(heard));
    });
  }
});
