import { isIP } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Address } from '../../pool/client/address.ts';
import { loopbackAddress } from '../local-addresses.ts';
import type { Cut } from './connection-cutter.ts';

/** A TCP proxy between the load and the server, in its own thread, that can silence connections. */
export interface SilentProxy {
  /** Where the load connects to instead of the server. */
  readonly address: Address;
  /** Makes one idle connection half-open: it stays open but passes nothing more. */
  readonly silence: Cut;
  close(): Promise<unknown>;
}

/** Input of the proxy's thread: the address to listen on, and the address of the server. */
export interface ProxyData {
  readonly own: string;
  readonly host: string;
  readonly port: number;
  readonly path: string | undefined;
}

/** The thread's answers: the port once, and then for each draw whether a connection went silent. */
export type ProxyAnswer =
  | { readonly port: number }
  | { readonly silenced: boolean }
  | { readonly error: string };

/**
 * Starts the proxy on a free port of loopback. It ends on `close` or with the process. @throws Error that says why it
 * did not start
 */
export async function startSilentProxy(address: Address): Promise<SilentProxy> {
  const { host, port, path, ...same } = address;
  const own = loopbackAddress();
  const workerData: ProxyData = { own, host, port, path };
  // From the sources (vitest) too it is the compiled entry that runs: a thread has no loader.
  const entry = new URL(
    './silent-proxy-thread.js',
    import.meta.url.replace(/\/src\/(main\/.*)\.ts$/, '/dist/$1.js'),
  );
  const thread = new Worker(entry, { workerData, execArgv: [] });
  thread.unref();
  // One permanent listener: an error without a listener would end the process.
  let pending: { resolve(answer: ProxyAnswer): void; reject(error: Error): void } | undefined;
  let ended: Error | undefined;
  const end = (error: Error) => {
    ended ??= error;
    pending?.reject(ended);
  };
  thread.on('error', end).on('exit', () => end(new Error('the proxy has ended')));
  thread.on('message', (message: ProxyAnswer) => pending?.resolve(message));
  const answer = () =>
    new Promise<ProxyAnswer>((resolve, reject) => {
      pending = { resolve, reject };
      if (ended !== undefined) reject(ended);
    });
  const started = await answer();
  if (!('port' in started)) {
    await thread.terminate();
    throw new Error('error' in started ? started.error : 'the proxy has no port');
  }
  // With TLS, the certificate is still that of the server.
  const named = same.tls && isIP(host) === 0 ? { servername: same.servername ?? host } : {};
  return {
    address: { ...same, ...named, host: own, port: started.port },
    async silence(draw) {
      const answered = answer();
      thread.postMessage(draw);
      const cut = await answered;
      return 'silenced' in cut && cut.silenced;
    },
    close: () => thread.terminate(),
  };
}
