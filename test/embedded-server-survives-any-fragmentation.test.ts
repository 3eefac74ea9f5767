import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { RequestParser } from '../src/main/server/embedded/protocol.ts';
import { listenEmbedded } from '../src/main/server/embedded/server.ts';
import { RespSyntaxError } from '../src/pool/client/resp-values.ts';

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

test('a client that breaks the protocol is told so and cut off', async () => {
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
