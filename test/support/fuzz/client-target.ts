import { deepStrictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { Batch } from '../../../src/pool/client/batch.ts';
import { connector, GET, loopback, type overRing, ringNames } from '../connections.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mutatedBytes } from './mutated-bytes.ts';

const size = 5;

/** wire, with each of its transports that there is here. */
export const clientTargets: readonly FuzzTarget[] = [
  targetOf('the wire client', 'wire'),
  ...ringNames.map(client => targetOf('the wire client over io_uring', client)),
];

/** Every command of a batch is accounted for once, and the connection ends, whatever a server says and then goes. */
function targetOf(name: string, client: 'wire' | typeof overRing): FuzzTarget {
  return { name, open: () => open(client) };
}

async function open(client: 'wire' | typeof overRing): ReturnType<FuzzTarget['open']> {
  let answer: Uint8Array = Buffer.alloc(0);
  const server = createServer({ noDelay: true }, socket => {
    socket.on('error', () => {});
    socket.on('data', chunk => {
      if (chunk.includes('GET')) socket.end(answer);
      else socket.write('+OK\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connect = connector(client, loopback((server.address() as AddressInfo).port), 2000);
  const property = fc.asyncProperty(mutatedBytes, async bytes => {
    answer = bytes;
    const connection = await connect();
    let calls = 0;
    let batch: Batch | undefined;
    await new Promise<void>(resolve => {
      batch = new Batch(size, {
        done: () => {
          calls++;
          resolve();
        },
      });
      batch.ownCommands().fill(GET);
      connection.send(batch);
    });
    // A second call would come in one of the next turns.
    for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve));
    connection.close();
    deepStrictEqual([calls, (batch?.completed ?? 0) + (batch?.failed ?? 0)], [1, size]);
  });
  return {
    property,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}
