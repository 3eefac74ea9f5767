import net from 'node:net';
import tls from 'node:tls';
import { type Address, socketPlace, type Trust, tlsOptions } from './address.ts';

/** Where what arrives is put, without a stream's buffers in between. */
export type OnRead = NonNullable<net.TcpSocketConnectOpts['onread']>;

/** Opens a TCP, TLS or unix socket. Rejects with the system's error, or with ETIMEDOUT after `timeoutMs`. */
export function openSocket(address: Address, onread: OnRead, timeoutMs: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const options = { ...socketPlace(address), onread };
    const socket = address.tls
      ? tls.connect({ ...options, ...tlsOptions(address), secureContext: contextOf(address.trust) })
      : net.connect(options);
    const timer = setTimeout(() => socket.destroy(connectTimeout(timeoutMs)), timeoutMs);
    const settle = (error?: Error) => {
      clearTimeout(timer);
      socket.removeListener('error', settle);
      if (error === undefined) resolve(socket);
      else reject(error);
    };
    socket.once('error', settle);
    socket.once(address.tls ? 'secureConnect' : 'connect', () => {
      // Not an option of the connect, because tls.connect() does not heed it there.
      socket.setNoDelay(true);
      settle();
    });
  });
}

const systemTrust: Trust = {};
const contexts = new WeakMap<Trust, tls.SecureContext>();

/** Read from the PEM texts once: doing that with every connect takes about half of the connect's CPU. */
function contextOf(trust: Trust = systemTrust): tls.SecureContext {
  const known = contexts.get(trust);
  if (known !== undefined) return known;
  const { ca, cert, key } = trust;
  const context = tls.createSecureContext({
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  contexts.set(trust, context);
  return context;
}

/** What a connect or a login that takes too long ends with. */
export function connectTimeout(timeoutMs: number): Error {
  return Object.assign(new Error(`No connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}
