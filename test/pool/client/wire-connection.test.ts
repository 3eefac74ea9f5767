import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Batch, type CommandSet, KEY, keyName } from '../../../src/pool/client/batch.ts';
import { WireConnection } from '../../../src/pool/client/wire-connection.ts';
import { loopback, plainWire, usableTransports } from '../../support/connections.ts';
import { calm, createExperiment } from '../../support/experiment.ts';
import { shareServer } from '../../support/servers.ts';

describe('full sockets', () => {
  const connections = 2;
  /** Requests of an order are laid out beforehand where they are together not too many bytes. */
  const order = new Uint16Array(600);

  test.each(
    usableTransports.flatMap(transport => [
      { transport, way: 'copied for each batch', batches: 3, depth: 100, bytes: 50_000, follows: false },
      { transport, way: 'laid out beforehand', batches: 12, depth: 599, bytes: 1_500, follows: true },
    ]),
  )(
    'batches larger than what the system buffers arrive whole, with the keys of each, though connections share their bytes: $way, $transport',
    async load => {
      const { transport, batches, depth, bytes, follows } = load;
      const server = await shareServer();
      const set: CommandSet = {
        keyPrefix: 'full:',
        commands: [{ name: 'SET', args: [KEY, 'v'.repeat(bytes)] }],
        order,
      };
      const connect = WireConnection.connector(loopback(server.port), set, 5000, { ...plainWire, transport });
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
              if (follows) batch.follow(order, key % order.length);
              for (let i = 0; i < depth; i++) batch.numbers[i] = key++;
              connection.send(batch);
            }),
          );
        }
      }
      for (const batch of await Promise.all(sent))
        expect([batch.completed, batch.failed]).toEqual([depth, 0]);

      const control = new Redis({ port: server.port });
      onTestFinished(() => control.disconnect());
      const written = await control.keys('full:*');
      expect(written.toSorted()).toEqual(
        Array.from({ length: key }, (_, number) => keyName('full:', number)),
      );
    },
  );
});

describe('without the handle of Node', () => {
  test('if Node hides the handles of its sockets, wire uses their streams and loses nothing', async () => {
    const server = await shareServer();
    const experiment = await createExperiment(server.url, {
      scenarios: [{ client: 'wire', workers: 4, pipeline: [1, 20], ...calm }],
      seconds: 0.3,
    });
    const asked = join(experiment.folder, 'asked');
    const preload = `--import ${new URL('../../support/no-binding.mjs', import.meta.url).href}`;
    // Threads that are made in this process heed it, too.
    const env = { NODE_OPTIONS: preload, ASKED_FOR: asked };
    const { code, stderr } = await experiment.run([], { env, ownProcess: false });
    expect(code, stderr).toBe(0);
    expect(await readFile(asked, 'utf8')).toMatch(/^stream_wrap$/m);
    for (const { rounds } of (await experiment.result()).scenarios) {
      for (const round of rounds) {
        expect(round.completed).toBeGreaterThan(0);
        expect(round).toMatchObject({ issued: round.completed, failed: {}, unfinished: 0 });
        expect(round.serverCalls).toBe(round.completed);
      }
    }
  });
});
