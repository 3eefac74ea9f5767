import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PoolbenchError } from '../../errors.ts';

/** The format of the text: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const contentType = 'text/plain; version=0.0.4; charset=utf-8';

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** Serves metrics over HTTP on `/metrics`, and nothing else. */
export class MetricsServer {
  readonly #server: Server;
  readonly #host: string;

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
  }

  /**
   * @param text what there is to tell now, asked for at every scrape
   * @throws PoolbenchError METRICS_NOT_SERVED
   */
  static async open({ host, port }: ListenAddress, text: () => string): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      const { method = '', url = '' } = request;
      if (url.split('?', 1)[0] !== '/metrics') response.writeHead(404).end('see /metrics\n');
      else if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
      else response.writeHead(200, { 'content-type': contentType }).end(text());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', cause => reject(notServed(host, port, cause)));
      server.listen({ host, port }, resolve);
    });
    // It is there for as long as the run is, and no reason for the process to stay.
    server.unref();
    return new MetricsServer(server, host);
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${port}/metrics`;
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function notServed(host: string, port: number, cause: Error): PoolbenchError {
  const code = 'code' in cause ? cause.code : undefined;
  const found = code === 'EADDRINUSE' ? 'another process that listens there' : cause.message;
  return new PoolbenchError(
    'METRICS_NOT_SERVED',
    `expected to serve metrics on ${host}:${port} (--prometheus), found ${found}; give another port, or 0 for a free one`,
    { cause },
  );
}

/**
 * Reads what `--prometheus` was given: a port, which is opened to this machine alone, or a host and a port.
 *
 * @throws PoolbenchError USAGE
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, named, digits = ''] = /^(?:\[([\da-f:.]+)\]:|([^\s:/]+):)?(\d{1,5})$/i.exec(text) ?? [];
  const port = digits === '' ? Number.NaN : Number(digits);
  if (!(port <= 65_535)) {
    throw new PoolbenchError(
      'USAGE',
      `expected --prometheus PORT, or HOST:PORT to listen elsewhere than on 127.0.0.1, such as 9400 or 0.0.0.0:9400, found ${text}`,
    );
  }
  return { host: bracketed ?? named ?? '127.0.0.1', port };
}
