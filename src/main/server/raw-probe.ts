import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Address, socketPlace, tlsOptions } from '../../pool/client/address.ts';
import { RespReader, type RespValue } from '../../pool/client/resp-values.ts';

const maxReplyBytes = 64 * 1024;

/**
 * Connects, writes `request` as it is and returns the replies that came until there were `maxReplies`, the server
 * closed, it said what is no reply, or the time was over. Without a request it only listens: a server at maxclients
 * speaks first.
 * `connected` tells whether the connection (with TLS, its handshake) stood. Never rejects.
 */
export function rawProbe(
  address: Address,
  options: { request?: string; tls?: boolean; maxReplies?: number; timeoutMs: number },
): Promise<{ connected: boolean; replies: readonly RespValue[] }> {
  const { request, tls, maxReplies = Number.POSITIVE_INFINITY, timeoutMs } = options;
  return new Promise(resolve => {
    const reader = new RespReader(bytes => bytes.toString('latin1'), { maxBytes: maxReplyBytes });
    const replies: RespValue[] = [];
    let connected = false;
    const where = socketPlace(address);
    // Only asks what is spoken there: nothing secret is sent, so the certificate need not be trusted.
    const socket = tls
      ? connectTls({ ...where, ...tlsOptions(address), rejectUnauthorized: false })
      : connect(where);
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ connected, replies });
    };
    const timer = setTimeout(finish, timeoutMs);
    socket.on('error', finish);
    socket.on('close', finish);
    socket.on(tls ? 'secureConnect' : 'connect', () => {
      connected = true;
      if (request !== undefined) socket.write(request);
    });
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      try {
        for (let reply = reader.read(); reply !== undefined; reply = reader.read()) replies.push(reply);
      } catch {
        finish();
      }
      if (replies.length >= maxReplies) finish();
    });
  });
}
