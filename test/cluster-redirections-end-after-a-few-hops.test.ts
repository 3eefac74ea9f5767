import { describe, expect, test } from 'vitest';
import { clusterClient, openClusterConnection } from './support/cluster-connections.ts';
import { clientNames, GET, sendBatch } from './support/connections.ts';
import { startScriptedServer } from './support/scripted-server.ts';

const range = (first: number, last: number, port: number) =>
  `*3\r\n:${first}\r\n:${last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$2\r\nid\r\n`;

interface Node {
  readonly port: number;
  /** How often it was asked for a key. */
  readonly asked: () => number;
}

/** A node that gives itself and the `other`, if there is one, half of the slots each, and answers GET as told. */
async function startNode(
  answer: () => string,
  other: () => Node | undefined = () => undefined,
): Promise<Node> {
  let asked = 0;
  const node = await startScriptedServer(([command = ''], reply) => {
    switch (command.toUpperCase()) {
      case 'HELLO':
        return reply('-NOPROTO this one speaks RESP2\r\n');
      case 'CLUSTER':
        return reply(`*2\r\n${range(0, 8191, node.port)}${range(8192, 16383, other()?.port ?? node.port)}`);
      case 'GET':
        asked++;
        return reply(answer());
      default:
        return reply('+OK\r\n');
    }
  });
  return { port: node.port, asked: () => asked };
}

describe.each(clientNames)('%s', client => {
  test.each(['MOVED', 'ASK'])(
    'two nodes that send a command to one another: it fails with %s',
    async code => {
      const there = await startNode(
        () => `-${code} 7 127.0.0.1:${here.port}\r\n`,
        () => here,
      );
      const here: Node = await startNode(
        () => `-${code} 7 127.0.0.1:${there.port}\r\n`,
        () => there,
      );
      const clientOf = clusterClient(client, [here.port]);
      const connection = await openClusterConnection(clientOf);
      expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({
        completed: 0,
        failures: { [code]: 1 },
      });
      expect(here.asked() + there.asked()).toBe(6);
      expect(clientOf.redirects).toMatchObject(
        code === 'MOVED' ? { moved: 5, ask: 0 } : { moved: 0, ask: 5 },
      );
    },
  );

  test.each([
    'CLUSTERDOWN The cluster is down',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'CROSSSLOT Keys',
  ])('what is no redirection is not sent again: %s', async words => {
    const node = await startNode(() => `-${words}\r\n`);
    const connection = await openClusterConnection(clusterClient(client, [node.port]));
    const [code = ''] = words.split(' ');
    expect(
      await sendBatch(connection, [
        [GET, 1],
        [GET, 2],
      ]),
    ).toMatchObject({ completed: 0, failures: { [code]: 2 } });
    expect(node.asked()).toBe(2);
  });
});

// ioredis passes over such nodes.
test('wire: a node that announces no host is at the host that was asked', async () => {
  const there = await startNode(() => '+value\r\n');
  const here = await startNode(() => `-MOVED 7 :${there.port}\r\n`);
  const connection = await openClusterConnection(clusterClient('wire', [here.port]));
  expect(await sendBatch(connection, [[GET, 1]])).toMatchObject({ completed: 1, failures: {} });
});
