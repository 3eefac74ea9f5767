import { createServer } from 'node:net';

/** A port that is free on 127.0.0.1 at this moment: `wanted` if it is, else one of the system's choice. */
export async function freePort(wanted?: number): Promise<number> {
  if (wanted !== undefined) {
    const port = await bind(wanted).catch(() => undefined);
    if (port !== undefined) return port;
  }
  return bind(0);
}

function bind(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('expected a TCP address'));
        else resolve(address.port);
      });
    });
  });
}
