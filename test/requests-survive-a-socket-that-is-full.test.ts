import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { Batch, type CommandSet, KEY, keyName } from '../src/pool/batch.ts';
import { WireConnection } from '../src/pool/wire-connection.ts';
import { loopback } from './support/connections.ts';
import { startRedis } from './support/servers.ts';

const commandSet: CommandSet = {
  keyPrefix: 'full:',
  commands: [{ name: 'SET', args: [KEY, 'v'.repeat(50_000)] }],
};
const [connections, batches, depth] = [2, 3, 100];

test('batches larger than what the system buffers arrive whole, with the keys of each, though connections share their bytes', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const connect = WireConnection.connector(loopback(server.port), commandSet, 5000);
  const opened = await Promise.all(Array.from({ length: connections }, () => connect()));
  onTestFinished(() => {
    for (const connection of opened) connection.close();
  });

  let key = 0;
  const sent: Promise<Batch>[] = [];
  // All of them in one turn: nothing can be read meanwhile, so the sockets fill up.
  for (let turn = 0; turn < batches; turn++) {
    for (const connection of opened) {
      sent.push(
        new Promise(resolve => {
          const batch = new Batch(depth, { done: () => resolve(batch) });
          for (let i = 0; i < depth; i++) batch.numbers[i] = key++;
          connection.send(batch);
        }),
      );
    }
  }
  for (const batch of await Promise.all(sent)) expect([batch.completed, batch.failed]).toEqual([depth, 0]);

  const control = new Redis({ port: server.port });
  onTestFinished(() => control.disconnect());
  const written = await control.keys('full:*');
  expect(written.toSorted()).toEqual(Array.from({ length: key }, (_, number) => keyName('full:', number)));
});
