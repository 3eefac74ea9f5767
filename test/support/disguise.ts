import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from '../../src/main/server/server-process.ts';

/**
 * A way to a Redis server on which it says in INFO that it is Dragonfly: another field of the same length becomes
 * `dragonfly_version`. Dragonfly itself has no package that a test could fetch.
 * @returns the URL
 */
export async function disguiseAsDragonfly(port: number): Promise<string> {
  const own = await freePort();
  const proxy = createServer(client => {
    const server = connect(port, '127.0.0.1');
    client.pipe(server);
    server.on('data', data => {
      const text = data.toString('latin1');
      const disguised = text.replace(/redis_build_id:\w+/, field =>
        'dragonfly_version:df-v1.'.padEnd(field.length, '4'),
      );
      client.write(disguised, 'latin1');
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
  });
  await new Promise<void>(resolve => proxy.listen(own, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.close();
  });
  return `redis://127.0.0.1:${own}`;
}
