import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { ProxyAnswer, ProxyData } from './silent-proxy.ts';

/**
 * Entry of the proxy's thread, which passes bytes both ways. Each message, a random number, silences one idle
 * connection: the peer seems to vanish, as when a firewall has dropped the connection.
 */

interface Relay {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Whether the last bytes came from the server, so that no reply is pending. */
  idle: boolean;
}

const { own, host, port, path } = workerData as ProxyData;
const relays = new Set<Relay>();
const tell = (answer: ProxyAnswer) => parentPort?.postMessage(answer);

const server = createServer({ noDelay: true }, client => {
  const upstream = connect({ ...(path === undefined ? { host, port } : { path }), noDelay: true });
  const relay: Relay = { client, upstream, idle: false };
  relays.add(relay);
  client.on('data', () => {
    relay.idle = false;
  });
  upstream.on('data', () => {
    relay.idle = true;
  });
  client.pipe(upstream);
  upstream.pipe(client);
  for (const socket of [client, upstream]) socket.on('error', () => {});
  client.on('close', () => {
    relays.delete(relay);
    upstream.destroy();
  });
  // A silent connection is not told of its end either.
  upstream.on('close', () => {
    if (relays.has(relay)) client.destroy();
  });
});

function silence({ client, upstream }: Relay): void {
  client.unpipe(upstream);
  upstream.unpipe(client);
  // Further data is read and dropped.
  client.resume();
  upstream.resume();
}

parentPort?.on('message', (draw: number) => {
  const idle = [...relays].filter(relay => relay.idle);
  const chosen = idle[draw % idle.length];
  if (chosen !== undefined) {
    relays.delete(chosen);
    silence(chosen);
  }
  tell({ silenced: chosen !== undefined });
});

server.once('error', error => tell({ error: error.message }));
server.listen(0, own, () => tell({ port: (server.address() as AddressInfo).port }));
