import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Address, socketPlace, tlsOptions } from '../../pool/address.ts';

/** What a socket that speaks no protocol of its own heard; undefined when nothing was. */
export type Heard = string | undefined;

/**
 * Connects, writes `request` as it is and returns what came back until that matches `until`, the server closed, or the
 * time was over. Without a request it only listens: a server at maxclients speaks first.
 * `connected` tells whether the connection (with TLS, its handshake) stood. Never rejects.
 */
export function rawProbe(
  address: Address,
  options: { request?: string; tls?: boolean; until?: RegExp; timeoutMs: number },
): Promise<{ connected: boolean; heard: Heard }> {
  return new Promise(resolve => {
    let heard = '';
    let connected = false;
    const where = socketPlace(address);
    // Only asks what is spoken there: nothing secret is sent, so the certificate need not be trusted.
    const socket = options.tls
      ? connectTls({ ...where, ...tlsOptions(address), rejectUnauthorized: false })
      : connect(where);
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ connected, heard: heard === '' ? undefined : heard });
    };
    const timer = setTimeout(finish, options.timeoutMs);
    socket.on('error', finish);
    socket.on('close', finish);
    socket.on(options.tls ? 'secureConnect' : 'connect', () => {
      connected = true;
      if (options.request !== undefined) socket.write(options.request);
    });
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
      if (options.until?.test(heard)) finish();
    });
  });
}
