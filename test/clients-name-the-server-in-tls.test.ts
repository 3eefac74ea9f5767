import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clientNames, loopback, openConnection } from './support/connections.ts';
import { certificates } from './support/servers.ts';

/** A TLS server that only listens to which name it is called by. */
async function startListener(): Promise<{ port: number; names: (string | false)[] }> {
  const names: (string | false)[] = [];
  const server = tls.createServer({
    key: readFileSync(certificates.key),
    cert: readFileSync(certificates.certificate),
    SNICallback: (name, done) => {
      names.push(name);
      done(null);
    },
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, names };
}

describe.each(clientNames)('%s', client => {
  test('the name of the URL is asked for, though the socket goes to the address it stands for', async () => {
    const { port, names } = await startListener();
    const address = { ...loopback(port), tls: true, servername: 'localhost' };
    // The test's certificate authority is unknown to this process, so the connect itself is refused.
    await expect(openConnection(client, address)).rejects.toThrow();
    expect(names).toEqual(['localhost']);
  });
});
